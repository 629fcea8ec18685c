"""The tables of publications, of who receives what, and of what was sent to whom."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from issuance_backend.population_registry.tables import METADATA

PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("citizen_number", String(12), nullable=False),
    Column("attributes", Text, nullable=False),
    Column("values_digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("proposed_by", String(40), nullable=False),
    Column("signed_by", String(120), nullable=False),
    Column("faults", Text, nullable=False),
    Column("changed_at", String(32), nullable=False),
    Index("publications_by_person", "citizen_number", "state"),
    Index("publications_by_state", "state", "changed_at", "id"),
)

PUBLISHED = Table(
    "published_attributes",
    METADATA,
    Column("citizen_number", String(12), primary_key=True),
    Column("attribute", String(32), primary_key=True),
    Column("publication", String(16), nullable=False),
    # The digest that was signed, of this one value: a value that is not it is never handed out.
    Column("value_digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
)

RECEIVERS = Table(
    "receivers",
    METADATA,
    Column("receiver", String(80), primary_key=True),
    Column("attributes", Text, nullable=False),
    Column("changed_at", String(32), nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("receiver", String(80), nullable=False),
    Column("citizen_number", String(12), nullable=False),
    Column("attribute", String(32), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("publication", String(16), nullable=False),
    Column("sent_at", String(32), nullable=False),
    Column("acknowledged_at", String(32)),
    Index("deliveries_open", "receiver", "acknowledged_at", "sent_at", "id"),
    Index("deliveries_of_attribute", "citizen_number", "attribute"),
    Index("deliveries_missing", "acknowledged_at", "sent_at", "id"),
)
