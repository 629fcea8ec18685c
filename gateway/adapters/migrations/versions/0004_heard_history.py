"""Which history of the issuer was heard, beside how far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; an empty mark is of any history, so a gateway goes on where it was."""
    op.add_column("card_events", sa.Column("mark", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("card_events", "mark")
