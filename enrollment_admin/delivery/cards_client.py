"""What the pages about cards ask of the backend."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.delivery import (
    BoxPacking,
    BoxScan,
    BoxSeal,
    BoxSummary,
    BoxView,
    DestructionView,
    WaitingCard,
    WaitingOffice,
)
from verification.messages.enrollment import CardSummary

_CARDS, _BOXES = "/v1/credentials", "/v1/boxes"


def of_number(backend: BackendClient, citizen_number: str, cursor: str | None) -> Listed[CardSummary]:
    """The cards of a number, the newest first."""
    return backend.listed(_CARDS, {"citizen_number": citizen_number}, cursor, CardSummary)


def in_state(backend: BackendClient, state: str, cursor: str | None) -> Listed[CardSummary]:
    """The cards of the officer's unit in one state."""
    return backend.listed(f"{_CARDS}/work-list", {"state": state}, cursor, CardSummary)


def waiting_offices(backend: BackendClient) -> list[WaitingOffice]:
    """The offices for which cards wait to be packed."""
    return backend.ask("GET", f"{_BOXES}/waiting-offices", list[WaitingOffice])


def waiting_cards(backend: BackendClient, unit: str, cursor: str | None) -> Listed[WaitingCard]:
    """The cards that wait for a box to one office, the oldest first."""
    return backend.listed(f"{_BOXES}/waiting-cards", {"unit": unit}, cursor, WaitingCard)


def card_step(
    backend: BackendClient, card: str, step: str, message: msgspec.Struct | None = None
) -> CardSummary:
    """Something that happens to a card, by the address that the contract gives it."""
    return backend.ask("POST", f"{_CARDS}/{quote(card, safe='')}/{step}", CardSummary, message)


def sign_destruction(backend: BackendClient, card: str) -> DestructionView:
    """One of the two signatures that destroy a card."""
    return backend.ask("POST", f"{_CARDS}/{quote(card, safe='')}/destruction", DestructionView)


def boxes(backend: BackendClient, state: str, cursor: str | None) -> Listed[BoxSummary]:
    """Boxes in one state."""
    return backend.listed(_BOXES, {"state": state}, cursor, BoxSummary)


def box(backend: BackendClient, box_id: str) -> BoxView:
    """A box and what was packed into it."""
    return backend.ask("GET", f"{_BOXES}/{quote(box_id, safe='')}", BoxView)


def pack(backend: BackendClient, packing: BoxPacking) -> BoxView:
    """Seal cards into a box."""
    return backend.ask("POST", _BOXES, BoxView, packing)


def dispatch(backend: BackendClient, box_id: str, seal: BoxSeal) -> BoxView:
    """Give a box to the courier who read its seal."""
    return backend.ask("POST", f"{_BOXES}/{quote(box_id, safe='')}/dispatch", BoxView, seal)


def receive(backend: BackendClient, box_id: str, scan: BoxScan) -> BoxView:
    """Take in a box whose cards were scanned."""
    return backend.ask("POST", f"{_BOXES}/{quote(box_id, safe='')}/receipt", BoxView, scan)
