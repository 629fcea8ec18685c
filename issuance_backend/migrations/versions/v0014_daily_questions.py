"""Indexes for what is asked every day: the accounts of a number, and the next case to look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OPEN_CASE = sa.text("state != 'decided'")


def upgrade() -> None:
    """Make them."""
    op.create_index("accounts_by_number", "accounts", ["citizen_number", "since"])
    op.create_index(
        "open_cases",
        "adjudication_cases",
        ["opened_at", "id"],
        sqlite_where=_OPEN_CASE,
        postgresql_where=_OPEN_CASE,
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("open_cases", table_name="adjudication_cases")
    op.drop_index("accounts_by_number", table_name="accounts")
