"""What the slip of a sealed capture says of its fee and of the older card; nothing in it is of a person."""

from __future__ import annotations

import msgspec
from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, insert, select

from enrollment_admin.station.kit_store import METADATA
from verification.messages.capture_terms import CaptureTerms, OldCard

SEALED_TERMS = Table(
    "sealed_terms",
    METADATA,
    Column("draft", ForeignKey("drafts.number"), primary_key=True),
    Column("amount", Integer, nullable=False),
    Column("old_card", String, nullable=False),
    Column("receipt", String),
)


class SlipTerms(msgspec.Struct, frozen=True):
    """The fee (VND) with its receipt, and what became of the older card."""

    amount: int
    old_card: OldCard
    receipt: str | None


def keep(connection: Connection, draft: int, terms: CaptureTerms) -> None:
    """Remember the terms that a capture was sealed with."""
    values = {"amount": terms.amount, "old_card": terms.old_card.value, "receipt": terms.receipt}
    connection.execute(insert(SEALED_TERMS).values(draft=draft, **values))


def terms_of(connection: Connection, draft: int) -> SlipTerms | None:
    """The terms of a sealed capture; None for what answers a return, and for kits before there were any."""
    row = connection.execute(select(SEALED_TERMS).where(SEALED_TERMS.c.draft == draft)).one_or_none()
    return SlipTerms(row.amount, OldCard(row.old_card), row.receipt) if row else None
