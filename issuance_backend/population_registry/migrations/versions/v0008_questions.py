"""Indexes for what is asked every day: which number an alias led to, and the next form to key again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN_RECHECKS = {
    "dc01_rechecks_to_key": "second_clerk IS NULL",
    "dc01_rechecks_to_decide": "second_clerk IS NOT NULL AND first_wrong IS NULL",
}


def upgrade() -> None:
    """Make them."""
    op.create_index("merges_of_alias", "merges", ["merged", "merged_at"])
    for name, condition in _OPEN_RECHECKS.items():
        op.create_index(
            name,
            "dc01_rechecks",
            ["batch", "form"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def downgrade() -> None:
    """Remove them."""
    for name in _OPEN_RECHECKS:
        op.drop_index(name, table_name="dc01_rechecks")
    op.drop_index("merges_of_alias", table_name="merges")
