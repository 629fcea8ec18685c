"""The tables of sealed contents: where each lies, and its key, wrapped; and what was lately forgotten."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from issuance_backend.schema import METADATA

BLOBS = Table(
    "blobs",
    METADATA,
    Column("address", String(64), primary_key=True),
    Column("object_name", String(100), nullable=False, unique=True),
    Column("media_type", String(60), nullable=False),
    Column("size", Integer, nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("stored_at", String(32), nullable=False),
    Index("blobs_by_key", "key_id", "address"),
)

FORGOTTEN_OBJECTS = Table(
    "forgotten_objects",
    METADATA,
    # Of a content whose key was destroyed: whoever read of it before may be about to name it again.
    Column("object_name", String(100), primary_key=True),
    Column("forgotten_at", String(32), nullable=False),
)
