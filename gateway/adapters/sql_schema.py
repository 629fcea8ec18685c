"""The gateway's tables. No column holds a person's data.

Subjects are keyed hashes, partners' own references are sealed, files are not kept.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

MIGRATIONS = Path(__file__).with_name("migrations")
"""The Alembic scripts that make these tables."""

metadata = MetaData()

partners = Table(
    "partners",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("jwk", Text, nullable=False),
    Column("purposes", Text, nullable=False),
)

agents = Table(
    "agents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("jwk", Text, nullable=False),
    Column("facility", String(16)),
)

# Times are whole seconds since 1970, except where a reader of the log sees them.
used_nonces = Table(
    "used_nonces",
    metadata,
    Column("owner", String(96), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Index("used_nonces_expires", "expires"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partner", ForeignKey("partners.id"), nullable=False),
    Column("agent", String(64)),
    Column("purpose", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("challenge", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("evidence", String(64)),
    Column("claim", String(64)),
    Column("lease_until", BigInteger),
    Column("consent", String(64), nullable=False),
    Column("partner_ref", LargeBinary),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(96), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("session", ForeignKey("sessions.id"), nullable=False),
)

# The state that the issuer told last of each card; ``sequence`` is the event that told it.
card_states = Table(
    "card_states",
    metadata,
    Column("status_key", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("expires_on", Date),
    Column("sequence", BigInteger, nullable=False),
)

# One row: how far the issuer was heard, when it had nothing left to tell, and which worker listens.
card_events = Table(
    "card_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    # The history that was heard so far, as the issuer names it.
    Column("mark", String(16), nullable=False),
    Column("heard_at_ms", BigInteger),
    Column("worker", String(64)),
    Column("seat_until_ms", BigInteger, nullable=False),
)

# Only the newest has its content; the others are kept for the way from them to it.
status_lists = Table(
    "status_lists",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    Column("content", LargeBinary),
    Column("added", LargeBinary, nullable=False),
    Column("removed", LargeBinary, nullable=False),
)

log_entries = Table(
    "log_entries",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("session", ForeignKey("sessions.id"), nullable=False, unique=True),
    Column("receipt", Text, nullable=False),
    # Beside the entry, not in it: nobody who holds a receipt asks for these.
    Column("facility", String(16)),
    Column("took_ms", BigInteger),
)

# Written with each entry of the log: the sum of all calls is the log's size.
counted_calls = Table(
    "counted_calls",
    metadata,
    Column("day", Date, primary_key=True),
    Column("partner", String(64), primary_key=True),
    Column("product", String(96), primary_key=True),
    Column("purpose", String(64), primary_key=True),
    Column("facility", String(16), primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("code", String(64), primary_key=True),
    Column("up_to_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("calls", BigInteger, nullable=False),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# One row; whoever locks it is the only writer of the log.
log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("last_leaf", LargeBinary, nullable=False),
    Column("checkpoint", Text),
)
