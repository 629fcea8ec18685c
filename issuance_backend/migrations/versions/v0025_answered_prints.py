"""Of a print that is the best available a supervisor answers for its quality; of those before nobody did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark."""
    mark = sa.Column("answered_for", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("dossier_prints", mark)


def downgrade() -> None:
    """Remove it."""
    op.drop_column("dossier_prints", "answered_for")
