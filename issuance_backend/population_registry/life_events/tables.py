"""The table of registered life events."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, String, Table, UniqueConstraint

from issuance_backend.population_registry.tables import METADATA

LIFE_EVENTS = Table(
    "life_events",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("citizen_number", String(12), nullable=False),
    Column("spouse_number", String(12)),
    Column("occurred_on", Date, nullable=False),
    Column("registered_at", String(32), nullable=False),
    Column("reported_by", String(40), nullable=False),
    Column("report_id", String(64), nullable=False),
    Column("content_sha256", String(64), nullable=False),
    Column("document", String(80), nullable=False),
    Column("officer", String(40), nullable=False),
    Column("life_status", String(10), nullable=False),
    UniqueConstraint("reported_by", "report_id", name="one_report"),
    Index("life_events_of_person", "citizen_number", "registered_at"),
    Index("life_events_of_spouse", "spouse_number"),
)
