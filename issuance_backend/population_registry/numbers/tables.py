"""The tables of citizen numbers: blocks they are drawn from, and every number that was ever drawn."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from issuance_backend.population_registry.tables import METADATA

NUMBER_BLOCKS = Table(
    "number_blocks",
    METADATA,
    Column("prefix", String(6), primary_key=True),
    # The order in which the block's serials are drawn follows from this key and from nothing else.
    Column("order_key", LargeBinary, nullable=False),
    Column("position", Integer, nullable=False),
    Column("alarmed_at", String(32)),
)

CITIZEN_NUMBERS = Table(
    "citizen_numbers",
    METADATA,
    # A line is never removed: what stands here once is never drawn a second time.
    Column("citizen_number", String(12), primary_key=True),
    Column("prefix", String(6), nullable=False),
    Column("state", String(16), nullable=False),
    Column("request_id", String(64), unique=True),
    Column("expires_at", String(32)),
    Column("changed_at", String(32), nullable=False),
    Index("citizen_numbers_by_state", "prefix", "state", "expires_at"),
)
