"""The tables of who read whose entry; lines are added, and forgotten when their time is over."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from issuance_backend.population_registry.tables import METADATA

PERSON_READS = Table(
    "person_reads",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # The number that the entry stood under when it was read; none of a form that is nobody's yet.
    Column("citizen_number", String(12)),
    # A form DC01 whose picture was looked at: once it is found to be a person's, it is the person's reading.
    Column("form", String(16)),
    Column("read_at", String(32), nullable=False),
    Column("reader", String(80), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("agency", String(80)),
    Column("unit", String(20)),
    Column("roles", String(240)),
    Column("officer", String(40)),
    Index("person_reads_by_person", "citizen_number", "id"),
    Index("person_reads_by_time", "read_at"),
    Index("person_reads_by_form", "form"),
)

COMMUNE_READS = Table(
    "commune_reads",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    # The commune whose people went along: one line, however many they were.
    Column("commune", String(20), nullable=False),
    Column("read_at", String(32), nullable=False),
    Column("reader", String(80), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("kit", String(40)),
    Column("until", String(32)),
    Index("commune_reads_by_commune", "commune", "read_at"),
    Index("commune_reads_by_time", "read_at"),
)
