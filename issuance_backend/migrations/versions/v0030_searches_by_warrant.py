"""Searches by warrant are listed: few among very many tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_BY_WARRANT = sa.text("operation = 'investigate'")


def upgrade() -> None:
    """Find them among the tasks that stand."""
    op.create_index(
        "search_tasks_by_warrant",
        "search_tasks",
        ["created_at", "task_id"],
        sqlite_where=_BY_WARRANT,
        postgresql_where=_BY_WARRANT,
    )


def downgrade() -> None:
    """Remove the index."""
    op.drop_index("search_tasks_by_warrant", table_name="search_tasks")
