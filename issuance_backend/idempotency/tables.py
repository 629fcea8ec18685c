"""The table of requests that may come again, and what they were answered."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table

from issuance_backend.schema import METADATA

IDEMPOTENT_REQUESTS = Table(
    "idempotent_requests",
    METADATA,
    Column("caller", String(80), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    # Who works on it, and until when nobody else may; a name drawn anew for every attempt.
    Column("attempt", String(32), nullable=False),
    Column("attempt_until", String(32), nullable=False),
    # Set by the first transaction that the request commits, in that transaction.
    Column("took_effect", Boolean, nullable=False),
    Column("status", Integer),
    Column("content_type", String(80)),
    Column("answer", LargeBinary),
    Column("expires_at", String(32), nullable=False),
    Index("idempotent_requests_by_expiry", "expires_at"),
)
