"""Checkpoints: how far the recorded events had come, signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the next round of housekeeping signs what there is."""
    op.create_table(
        "event_checkpoints",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("token", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Remove it; the chain is not signed then."""
    op.drop_table("event_checkpoints")
