"""The tables of identities and of facts in two times."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text

from issuance_backend.population_registry.tables import METADATA

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("citizen_number", String(12), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("document_number", String(40)),
    Column("source", String(40), nullable=False),
    Column("status", String(10), nullable=False),
    Column("claimed_at", String(32), nullable=False),
    Index("identities_by_person", "citizen_number", "claimed_at"),
    Index("identities_by_document", "kind", "document_number"),
)

FACTS = Table(
    "facts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("about", String(28), nullable=False),
    Column("attribute", String(32), nullable=False),
    # ``root`` for the registry's own data, otherwise the agency that says so.
    Column("layer", String(40), nullable=False),
    Column("value", Text),
    # When it was so, by the calendar; and when the registry held that it was so. Both ends exclusive.
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("recorded_at", String(32), nullable=False),
    Column("superseded_at", String(32), nullable=False),
    Column("source", String(40), nullable=False),
    Column("evidence", String(80), nullable=False),
    Column("confidence", Integer, nullable=False),
    # The number under which it was reported: an alias, perhaps.
    Column("reported_for", String(12), nullable=False),
    Index("facts_about", "about", "attribute", "layer", "superseded_at"),
)
