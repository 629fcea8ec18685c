"""Who is certified to capture, and until when; who could before is for half a year from now on."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_HALF_A_YEAR = timedelta(days=183)
_ADD = sa.text(
    "INSERT INTO officer_certificates (id, officer, level, valid_from, valid_until, issuer, certified_by,"
    " certified_at) VALUES (:id, :officer, 'capture', :since, :until, 'before-certificates', 'system', :at)"
)


def upgrade() -> None:
    """Make the table; nobody stands idle who captured yesterday, and their units certify them meanwhile."""
    op.create_table(
        "officer_certificates",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("officer", sa.String(40), sa.ForeignKey("officers.id"), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("valid_from", sa.String(10), nullable=False),
        sa.Column("valid_until", sa.String(10), nullable=False),
        sa.Column("issuer", sa.String(120), nullable=False),
        sa.Column("certified_by", sa.String(40), nullable=False),
        sa.Column("certified_at", sa.String(32), nullable=False),
        sa.Column("withdrawn_from", sa.String(32)),
        sa.Column("withdrawn_by", sa.String(40)),
    )
    op.create_index("certificates_of_officer", "officer_certificates", ["officer"])
    op.create_index("certificates_by_end", "officer_certificates", ["valid_until", "id"])
    now = datetime.now(UTC)
    connection = op.get_bind()
    capturing = "SELECT id, added_at FROM officers WHERE ',' || roles || ',' LIKE '%,capture,%'"
    for officer in connection.execute(sa.text(capturing)).all():
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
    """Forget it; what was certified stands in the records."""
    op.drop_table("officer_certificates")
