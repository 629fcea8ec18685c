"""Officers, dossiers, cards and the chain of recorded events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from issuance_backend.journal_tables import create_events

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN_DOSSIER = sa.text("state IN ('captured', 'validated', 'returned', 'approved')")
_OPEN_ORDER = sa.text("state IN ('ordered', 'personalising', 'personalised')")
_ACTIVE = sa.text("state = 'active'")


def upgrade() -> None:
    """Make the tables and the first link of the chain."""
    _officers()
    _dossiers()
    _credentials()
    create_events()


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for name in (
        "event_head",
        "events",
        "credentials",
        "captures",
        "dossiers",
        "portraits",
        "officer_sessions",
        "officers",
    ):
        op.drop_table(name)


def _officers() -> None:
    op.create_table(
        "officers",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("roles", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("failed_sign_ins", sa.Integer, nullable=False),
        sa.Column("blocked_until", sa.String(32)),
        sa.Column("added_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "officer_sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("officer", sa.String(40), sa.ForeignKey("officers.id"), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
    )


def _dossiers() -> None:
    op.create_table(
        "portraits",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "dossiers",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("portrait", sa.String(64), sa.ForeignKey("portraits.sha256"), nullable=False),
        sa.Column("portrait_check", sa.Text, nullable=False),
        sa.Column("returned", sa.Text),
        sa.Column("captured_by", sa.String(40), nullable=False),
        sa.Column("approved_by", sa.String(40)),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    _unique_where("one_open_dossier", "dossiers", _OPEN_DOSSIER)
    op.create_index("dossiers_by_state", "dossiers", ["state", "updated_at"])
    op.create_table(
        "captures",
        sa.Column("capture_id", sa.String(64), primary_key=True),
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("officer", sa.String(40), nullable=False),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("dossier", sa.String(16), sa.ForeignKey("dossiers.id"), nullable=False),
        sa.Column("citizen_number", sa.String(12), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("chip_id", sa.String(16), nullable=False, unique=True),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date),
        sa.Column("status_key", sa.String(16), unique=True),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.UniqueConstraint("dossier", "attempt", name="one_attempt_number"),
    )
    _unique_where("one_active_card", "credentials", _ACTIVE)
    _unique_where("one_open_order", "credentials", _OPEN_ORDER)
    op.create_index("credentials_by_number", "credentials", ["citizen_number"])


def _unique_where(name: str, table: str, condition: sa.TextClause) -> None:
    op.create_index(
        name, table, ["citizen_number"], unique=True, sqlite_where=condition, postgresql_where=condition
    )
