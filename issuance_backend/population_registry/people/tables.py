"""The tables of people to whom something happened, and of numbers that are one person."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, String, Table, text

from issuance_backend.population_registry.tables import METADATA

STANDING_MERGE = "state = 'merged'"

PEOPLE = Table(
    "people",
    METADATA,
    # A line is made when something first happens to a person who was loaded in bulk.
    Column("citizen_number", String(12), primary_key=True),
    # The name of the person in the journal, where no number stands.
    Column("id", String(16), nullable=False, unique=True),
    Column("reference_identity", String(16)),
    Column("merged_into", String(12)),
    Column("confirmed_on", Date),
    Index("people_by_reference", "merged_into"),
)

MERGES = Table(
    "merges",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("kept", String(12), nullable=False),
    Column("merged", String(12), nullable=False),
    Column("state", String(10), nullable=False),
    Column("merged_at", String(32), nullable=False),
    Column("separated_at", String(32), nullable=False),
    # Invariant I3: an alias leads to one reference.
    Index(
        "one_standing_merge",
        "merged",
        unique=True,
        sqlite_where=text(STANDING_MERGE),
        postgresql_where=text(STANDING_MERGE),
    ),
    Index("merges_of_reference", "kept"),
    Index("merges_of_alias", "merged", "merged_at"),
)
