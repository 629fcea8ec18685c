"""The filters of everybody, as they were last made."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from issuance_backend.population_registry.tables import METADATA

KNOWN_FILTERS = Table(
    "known_filters",
    METADATA,
    Column("as_of", String(32), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
