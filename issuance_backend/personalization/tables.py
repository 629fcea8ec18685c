"""The tables of production: batches and their orders, blanks, and the books of every movement of blanks."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from issuance_backend.schema import METADATA
from issuance_backend.work_claims import lease_columns

PRODUCTION_BATCHES = Table(
    "production_batches",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("operator", String(40), nullable=False),
    Column("unit", String(20)),
    Column("size", Integer, nullable=False),
    Column("made_at", String(32), nullable=False),
    Index("production_batches_by_time", "made_at", "id"),
)

PRODUCTION_TASKS = Table(
    "production_tasks",
    METADATA,
    # An order is its dossier's: however many blanks it takes, it stands in one batch.
    Column("dossier", String(16), ForeignKey("dossiers.id"), primary_key=True),
    Column("batch", String(16), ForeignKey("production_batches.id"), nullable=False),
    Column("state", String(16), nullable=False),
    # Blanks that were spoiled since somebody last looked.
    Column("spoiled", Integer, nullable=False),
    # Why it waits or is held.
    Column("code", String(48)),
    Column("queued_at", String(32), nullable=False),
    *lease_columns(),
    Index("production_tasks_waiting", "state", "queued_at"),
    Index("production_tasks_of_batch", "batch", "dossier"),
)

BLANK_RANGES = Table(
    "blank_ranges",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("series", String(4), nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    # The blank that is taken next; one more than the last when all are taken.
    Column("next", Integer, nullable=False),
    Column("received_by", String(40), nullable=False),
    Column("received_at", String(32), nullable=False),
    Index("blank_ranges_by_series", "series", "first"),
)

BLANKS = Table(
    "blanks",
    METADATA,
    # Those that left the stock; the others are what is left of their range.
    Column("serial", String(16), primary_key=True),
    Column("range", String(16), ForeignKey("blank_ranges.id"), nullable=False),
    # Without a card: written off before it was taken.
    Column("card", String(16), ForeignKey("credentials.id"), unique=True),
    Column("account", String(16), nullable=False),
    Column("destruction", String(16), ForeignKey("blank_destructions.id")),
    Index("blanks_by_account", "account", "serial"),
    Index("blanks_by_destruction", "destruction"),
)

BLANK_ACCOUNTS = Table(
    "blank_accounts",
    METADATA,
    Column("account", String(16), primary_key=True),
    Column("balance", Integer, nullable=False),
)

BLANK_MOVEMENTS = Table(
    "blank_movements",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(24), nullable=False),
    Column("actor", String(40), nullable=False),
    Column("at", String(32), nullable=False),
    # The range, card, serial or destruction that it was for.
    Column("reference", String(16), nullable=False),
)

BLANK_POSTINGS = Table(
    "blank_postings",
    METADATA,
    Column("movement", Integer, ForeignKey("blank_movements.number"), primary_key=True),
    Column("account", String(16), ForeignKey("blank_accounts.account"), primary_key=True),
    Column("amount", Integer, nullable=False),
)

BLANK_DESTRUCTIONS = Table(
    "blank_destructions",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("proposed_by", String(40), nullable=False),
    Column("proposed_at", String(32), nullable=False),
    Column("confirmed_by", String(40)),
    Column("confirmed_at", String(32)),
)

BLANK_COUNTS = Table(
    "blank_counts",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("counted", Integer, nullable=False),
    Column("booked", Integer, nullable=False),
    Column("officer", String(40), nullable=False),
    Column("at", String(32), nullable=False),
)
