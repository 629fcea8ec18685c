"""The tables of boxes, proofs of hand-over, destructions, holds on a holder, and electronic accounts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from issuance_backend.schema import METADATA

# Questions say it to the letter: SQLite uses a partial index for no other wording.
OPEN_ACCOUNT = "state != 'closed'"

CARD_BOXES = Table(
    "card_boxes",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("unit", String(20), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("packed_by", String(40), nullable=False),
    Column("courier", String(40)),
    Column("received_by", String(40)),
    Column("missing", Integer, nullable=False),
    Column("packed_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("boxes_by_state", "state", "updated_at", "id"),
)

HANDOVER_PROOFS = Table(
    "handover_proofs",
    METADATA,
    # The gateway's session, or a name of our own where an officer confirmed: each proves one hand-over.
    Column("id", String(80), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("card", String(16), ForeignKey("credentials.id"), nullable=False),
    Column("officer", String(40), nullable=False),
    Column("reason", String(32)),
    Column("made_at", String(32), nullable=False),
    Column("used_at", String(32)),
    Index("proofs_by_card", "card", "made_at"),
)

CARD_DESTRUCTIONS = Table(
    "card_destructions",
    METADATA,
    Column("card", String(16), ForeignKey("credentials.id"), primary_key=True),
    Column("first_officer", String(40), nullable=False),
    Column("first_at", String(32), nullable=False),
    Column("second_officer", String(40)),
    Column("second_at", String(32)),
)

HOLDER_HOLDS = Table(
    "holder_holds",
    METADATA,
    Column("citizen_number", String(12), primary_key=True),
    # The registry's event that says so.
    Column("event", String(40), nullable=False),
    Column("since", String(32), nullable=False),
)
"""Holders whom the registry holds to be dead: nothing is handed over to them, nothing is activated."""

FOLLOWED = Table(
    "followed_feeds",
    METADATA,
    Column("feed", String(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("updated_at", String(32), nullable=False),
)

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("citizen_number", String(12), nullable=False),
    # The dossier whose card it was ordered with; none where it was ordered alone.
    Column("dossier", String(16), ForeignKey("dossiers.id")),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("ordered_by", String(40), nullable=False),
    Column("approved_by", String(40)),
    Column("reason", String(24)),
    # Where a suspended account goes on.
    Column("held_in", String(16)),
    Column("unit", String(20)),
    Column("since", String(32), nullable=False),
    Index(
        "one_open_account",
        "citizen_number",
        unique=True,
        sqlite_where=text(OPEN_ACCOUNT),
        postgresql_where=text(OPEN_ACCOUNT),
    ),
    Index("accounts_by_dossier", "dossier"),
    Index("accounts_by_number", "citizen_number", "since"),
    Index("accounts_by_state", "state", "since", "id"),
)
