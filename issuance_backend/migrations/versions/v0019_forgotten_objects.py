"""Until when an object that was forgotten stays: somebody may be about to name it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; what was forgotten before goes with the next sweep, as it did."""
    op.create_table(
        "forgotten_objects",
        sa.Column("object_name", sa.String(100), primary_key=True),
        sa.Column("forgotten_at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("forgotten_objects")
