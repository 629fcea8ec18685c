"""The table of notices: a row is written once, and told once that it was handed over."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from issuance_backend.schema import METADATA

REJECTION_NOTICES = Table(
    "rejection_notices",
    METADATA,
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    # The paper as it was made (PDF); its hash stands in the recorded event.
    Column("content", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("handed_over_at", String(32)),
)
