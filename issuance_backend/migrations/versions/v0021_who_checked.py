"""Who checked a dossier at a province, beside it and in the list it is approved in; nobody did before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("dossiers", "listed_approvals")


def upgrade() -> None:
    """Make the columns."""
    for table in _TABLES:
        op.add_column(table, sa.Column("checked_by", sa.String(40)))


def downgrade() -> None:
    """Remove them; who checked stands in the records and in what was signed."""
    for table in _TABLES:
        op.drop_column(table, "checked_by")
