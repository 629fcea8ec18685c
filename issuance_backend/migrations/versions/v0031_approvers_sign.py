"""Approvers sign their lists; what was approved before stands with the office's signature alone."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_HALF_A_YEAR = timedelta(days=183)
_ADD = sa.text(
    "INSERT INTO officer_certificates (id, officer, level, valid_from, valid_until, issuer, certified_by,"
    " certified_at) VALUES (:id, :officer, 'approval', :since, :until, 'before-certificates', 'system', :at)"
)
_APPROVING = sa.text("SELECT id, added_at FROM officers WHERE ',' || roles || ',' LIKE '%,approver,%'")
_FROM_NOW_ON = sa.text(
    "INSERT INTO approvers_sign (after_event) SELECT COALESCE(MAX(sequence), 0) FROM events"
)


def upgrade() -> None:
    """Whoever approved yesterday is certified for half a year; their key they make and have admitted."""
    op.add_column("approval_lists", sa.Column("approver_key", sa.String(43)))
    op.create_index("approval_lists_by_approver", "approval_lists", ["approver", "as_of"])
    op.create_table(
        "approvers_sign", sa.Column("after_event", sa.Integer, primary_key=True, autoincrement=False)
    )
    connection = op.get_bind()
    connection.execute(_FROM_NOW_ON)
    now = datetime.now(UTC)
    for officer in connection.execute(_APPROVING).all():
        connection.execute(
            _ADD,
            {
                "id": secrets.token_hex(8),
                "officer": officer.id,
                "since": officer.added_at[:10],
                "until": (now + _HALF_A_YEAR).date().isoformat(),
                "at": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            },
        )


def downgrade() -> None:
    """Forget who signed; lists stand with the office's signature."""
    op.execute("DELETE FROM officer_certificates WHERE level = 'approval'")
    op.drop_table("approvers_sign")
    op.drop_index("approval_lists_by_approver", table_name="approval_lists")
    op.drop_column("approval_lists", "approver_key")
