"""A box of cards for one office: sealed with a count and a digest, carried, opened against a scan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from enum import StrEnum

from issuance_backend.state_table import StateTable
from verification.errors import FieldsRefused

MAX_BOX = 500
CARD_ID = re.compile(r"[0-9a-f]{16}")


class BoxState(StrEnum):
    """Where a box stands."""

    SEALED = "sealed"  # a courier takes it
    DISPATCHED = "dispatched"  # the office opens it and scans every card
    RECEIVED = "received"
    RECEIVED_SHORT = "received_short"  # cards were missing; they are revoked


class BoxEvent(StrEnum):
    """What can happen to a box."""

    SEAL = "seal"
    DISPATCH = "dispatch"
    MISCOUNT = "miscount"
    RECEIVE = "receive"
    RECEIVE_SHORT = "receive_short"


BOXES: StateTable[BoxState, BoxEvent] = StateTable(
    {
        (None, BoxEvent.SEAL): BoxState.SEALED,
        (BoxState.SEALED, BoxEvent.DISPATCH): BoxState.DISPATCHED,
        # Gone before a courier had it: no card of it can be received.
        (BoxState.SEALED, BoxEvent.RECEIVE_SHORT): BoxState.RECEIVED_SHORT,
        (BoxState.DISPATCHED, BoxEvent.MISCOUNT): BoxState.DISPATCHED,
        (BoxState.DISPATCHED, BoxEvent.RECEIVE): BoxState.RECEIVED,
        (BoxState.DISPATCHED, BoxEvent.RECEIVE_SHORT): BoxState.RECEIVED_SHORT,
    }
)


def seal(unit: str, cards: Collection[str]) -> str:
    """What is printed on a sealed box: a digest over the office and the cards in it, in any order."""
    return hashlib.sha256("\n".join([unit, *sorted(cards)]).encode()).hexdigest()


def require_scan(cards: Collection[str], *, at_least: int = 1) -> frozenset[str]:
    """The cards of one scan, each once; raises FieldsRefused."""
    scanned = frozenset(cards)
    if len(scanned) != len(cards) or not at_least <= len(cards) <= MAX_BOX:
        raise FieldsRefused({"cards": "FIELD_CHARACTERS" if cards else "FIELD_MISSING"})
    if not all(CARD_ID.fullmatch(card) for card in scanned):
        raise FieldsRefused({"cards": "FIELD_CHARACTERS"})
    return scanned


def differences(packed: Collection[str], scanned: Collection[str]) -> dict[str, str]:
    """By card, what is wrong: packed and not scanned, or scanned and never packed into this box."""
    missing = dict.fromkeys(sorted(set(packed) - set(scanned)), "CARD_MISSING_FROM_BOX")
    return missing | dict.fromkeys(sorted(set(scanned) - set(packed)), "CARD_NOT_OF_BOX")
