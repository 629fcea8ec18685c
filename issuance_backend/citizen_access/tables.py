"""The tables of citizens' visits to the counter and of their complaints."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from issuance_backend.schema import METADATA

CITIZEN_VISITS = Table(
    "citizen_visits",
    METADATA,
    Column("id", String(16), primary_key=True),
    # The gateway's session: each opens one visit.
    Column("session", String(80), nullable=False, unique=True),
    Column("citizen_number", String(12), nullable=False),
    Column("officer", String(40), nullable=False),
    Column("unit", String(20)),
    Column("opened_at", String(32), nullable=False),
    Column("ends_at", String(32), nullable=False),
    Index("citizen_visits_by_number", "citizen_number", "opened_at"),
    Index("citizen_visits_by_time", "opened_at"),
)

COMPLAINTS = Table(
    "complaints",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("receipt_code", String(19), nullable=False, unique=True),
    Column("visit", String(16), nullable=False),
    Column("citizen_number", String(12), nullable=False),
    Column("unit", String(20)),
    Column("subject", String(12), nullable=False),
    Column("reference", String(80), nullable=False),
    Column("text", Text, nullable=False),
    # Officers who do not answer it, as far as they were known when it was filed.
    Column("concerned", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("filed_by", String(40), nullable=False),
    Column("filed_at", String(32), nullable=False),
    Column("answered_by", String(40)),
    Column("answered_at", String(32)),
    Column("outcome", String(16)),
    Column("answer", Text),
    Index("complaints_by_state", "state", "filed_at", "id"),
    Index("complaints_by_number", "citizen_number", "filed_at"),
    Index("complaints_by_visit", "visit"),
)
