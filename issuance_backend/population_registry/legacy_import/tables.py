"""The table of records taken over from the archives of older cards."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table

from issuance_backend.population_registry.tables import METADATA

LEGACY_RECORDS = Table(
    "legacy_records",
    METADATA,
    # The digest of what the archive holds: the same line again is the same record.
    Column("digest", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("number", String(12), nullable=False),
    Column("full_name", String(120), nullable=False),
    # yyyy, yyyy-mm or yyyy-mm-dd: what the archive does not know is not made up.
    Column("date_of_birth", String(10), nullable=False),
    Column("sex", String(1), nullable=False),
    Column("issued_on", Date),
    Column("scan_quality", Integer),
    Column("needs_recapture", Boolean, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("citizen_number", String(12)),
    Column("imported_at", String(32), nullable=False),
    Index("legacy_records_by_number", "kind", "number"),
    Index("legacy_records_by_outcome", "outcome", "digest"),
    Index("legacy_records_by_recapture", "needs_recapture", "digest"),
)
