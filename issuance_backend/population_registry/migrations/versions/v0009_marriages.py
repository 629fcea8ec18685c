"""Marriages are found by either of the two: a death asks who is left."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("life_events_of_spouse", "life_events", ["spouse_number"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("life_events_of_spouse", table_name="life_events")
