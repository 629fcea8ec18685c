"""The first schema: partners, agents, sessions, nonces, and the evidence log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table, and the log's one head row."""
    _make_callers()
    _make_sessions()
    _make_log()


def downgrade() -> None:
    """Drop every table; the log goes with them."""
    for name in (
        "log_head",
        "log_nodes",
        "log_entries",
        "idempotency",
        "sessions",
        "used_nonces",
        "agents",
        "partners",
    ):
        op.drop_table(name)


def _make_callers() -> None:
    op.create_table(
        "partners",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
    )
    op.create_table(
        "used_nonces",
        sa.Column("owner", sa.String(96), primary_key=True),
        sa.Column("nonce", sa.String(128), primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_index("used_nonces_expires", "used_nonces", ["expires"])


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("partner", sa.String(64), sa.ForeignKey("partners.id"), nullable=False),
        sa.Column("agent", sa.String(64)),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("challenge", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.String(64)),
        sa.Column("claim", sa.String(64)),
        sa.Column("lease_until", sa.BigInteger),
    )
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(96), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), sa.ForeignKey("sessions.id"), nullable=False),
    )


def _make_log() -> None:
    op.create_table(
        "log_entries",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("session", sa.String(64), sa.ForeignKey("sessions.id"), nullable=False, unique=True),
        sa.Column("receipt", sa.Text, nullable=False),
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("last_leaf", sa.LargeBinary, nullable=False),
        sa.Column("checkpoint", sa.Text),
    )
    op.bulk_insert(head, [{"id": 1, "size": 0, "last_leaf": b"", "checkpoint": None}])
