"""Electronic accounts are listed by state."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Find the accounts in a state without looking at all of them."""
    op.create_index("accounts_by_state", "accounts", ["state", "since", "id"])


def downgrade() -> None:
    """Look at all of them again."""
    op.drop_index("accounts_by_state", "accounts")
