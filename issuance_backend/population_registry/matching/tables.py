"""The matching index: one row a person with prepared texts and keys, and how many bear each name word."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from issuance_backend.population_registry.tables import METADATA

KEY_COLUMNS = ("born", "whole_year", "whole_day", "head", "ends", "tail")
"""Columns that are looked up by equality; 0 stands for a key that cannot be made."""

MATCH_ENTRIES = Table(
    "match_entries",
    METADATA,
    Column("citizen_number", String(12), primary_key=True),
    Column("old_id", String(9), nullable=False),
    Column("sex", String(1), nullable=False),
    Column("name", String(200), nullable=False),
    Column("father", String(200), nullable=False),
    Column("mother", String(200), nullable=False),
    Column("origin", String(250), nullable=False),
    Column("residence", String(250), nullable=False),
    Column("born", Integer, nullable=False),
    Column("whole_year", BigInteger, nullable=False),
    Column("whole_day", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("tail", BigInteger, nullable=False),
    Column("source", BigInteger, nullable=False),
    Index("match_entries_old_id", "old_id"),
    Index("match_entries_residence", "residence"),
    *(Index(f"match_entries_{name}", name) for name in KEY_COLUMNS),
)

MATCH_WORDS = Table(
    "match_words",
    METADATA,
    Column("word", String(60), primary_key=True),
    Column("people", Integer, nullable=False),
)
