"""The tables of prints and of former pictures; that of dossiers stands with the office's first tables."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from issuance_backend.schema import METADATA

DOSSIER_PRINTS = Table(
    "dossier_prints",
    METADATA,
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    # The finger, as in ISO/IEC 19794-4.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("picture", String(64), ForeignKey("portraits.name"), nullable=False),
    Index("prints_by_picture", "picture"),
)

FORMER_PICTURES = Table(
    "former_pictures",
    METADATA,
    # What was captured again: nobody is shown it any more, and it goes with the rest.
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    Column("picture", String(64), ForeignKey("portraits.name"), primary_key=True),
    Index("former_pictures_by_picture", "picture"),
)
