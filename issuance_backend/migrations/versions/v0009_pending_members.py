"""Open applications are compared with each other: each names whom it put among those enrolled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_HAS_MEMBER = sa.text("pending_member IS NOT NULL")


def upgrade() -> None:
    """Add the column. An application that is searched already is no member: only its return makes it one."""
    op.add_column("dossiers", sa.Column("pending_member", sa.String(64)))
    op.create_index(
        "dossiers_with_member", "dossiers", ["state"], sqlite_where=_HAS_MEMBER, postgresql_where=_HAS_MEMBER
    )


def downgrade() -> None:
    """Remove it again; who is a pending member then stays one."""
    op.drop_index("dossiers_with_member", table_name="dossiers")
    op.drop_column("dossiers", "pending_member")
