"""Notices of rejection: made once, kept as they were made, handed over to the citizen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; of what was rejected before, a notice is made when it is first asked for."""
    op.create_table(
        "rejection_notices",
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("handed_over_at", sa.String(32)),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("rejection_notices")
