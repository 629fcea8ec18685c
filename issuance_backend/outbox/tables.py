"""The tables of notices to subscribers and of how far each subscriber has come."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from issuance_backend.schema import METADATA

NOTICES = Table(
    "notices",
    METADATA,
    # The number of the recorded event: one order for everybody, without gaps while it is being written.
    Column("sequence", Integer, ForeignKey("events.sequence"), primary_key=True, autoincrement=False),
    Column("topic", String(40), nullable=False),
    Column("key", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Index("notices_by_topic", "topic", "sequence"),
)

EVENT_CONSUMERS = Table(
    "event_consumers",
    METADATA,
    Column("consumer", String(80), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("updated_at", String(32), nullable=False),
)
