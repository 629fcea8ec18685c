"""Lists of approvals by unit: whoever looks through those of one commune reads no others."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("approval_lists_by_unit", "approval_lists", ["unit", "as_of", "id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("approval_lists_by_unit", table_name="approval_lists")
