"""Recorded events, what is told of them, answers kept for repeated requests: tables as revisions make them.

The issuance database and the registry keep their journals alike, each its own. A revision that has run
does not change: what these tables get later, a later revision adds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_events() -> None:
    """Make the hash chain of recorded events with its empty head."""
    op.create_table(
        "events",
        sa.Column("sequence", sa.Integer, autoincrement=False, primary_key=True),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("event", sa.String(24), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(40), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_index("events_by_subject", "events", ["subject", "sequence"])
    head = op.create_table(
        "event_head",
        sa.Column("id", sa.Integer, autoincrement=False, primary_key=True),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": "0" * 64}])


def create_notices() -> None:
    """Make what others are told of events, and how far each of them has read."""
    op.create_table(
        "notices",
        sa.Column(
            "sequence", sa.Integer, sa.ForeignKey("events.sequence"), autoincrement=False, primary_key=True
        ),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("notices_by_topic", "notices", ["topic", "sequence"])
    op.create_table(
        "event_consumers",
        sa.Column("consumer", sa.String(80), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )


def create_repeated_requests() -> None:
    """Make what requests that may come again were answered."""
    op.create_table(
        "idempotent_requests",
        sa.Column("caller", sa.String(80), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("attempt", sa.String(32), nullable=False),
        sa.Column("attempt_until", sa.String(32), nullable=False),
        sa.Column("took_effect", sa.Boolean, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("content_type", sa.String(80)),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("expires_at", sa.String(32), nullable=False),
    )
    op.create_index("idempotent_requests_by_expiry", "idempotent_requests", ["expires_at"])


def create_store_profile() -> None:
    """Make where it is written what kind of people a database holds."""
    op.create_table(
        "store_profile",
        sa.Column("id", sa.Integer, autoincrement=False, primary_key=True),
        sa.Column("profile", sa.String(16), nullable=False),
    )
