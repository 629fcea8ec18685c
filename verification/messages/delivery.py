"""What an enrolment page and the issuance office say about cards on their way and in citizens' hands."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from verification.messages.capture_terms import OldCard


class ConfirmationReason(StrEnum):
    """Why an officer, and not the gateway, confirms that the holder stands there."""

    CHIP_UNREADABLE = "chip_unreadable"
    FACE_NOT_COMPARABLE = "face_not_comparable"
    GATEWAY_UNAVAILABLE = "gateway_unavailable"
    HOLDER_VISITED = "holder_visited"


class HolderConfirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second officer has seen that the card's holder stands there, and why no reader could say so."""

    reason: ConfirmationReason


class HandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway's receipt for this card and its holder; without one a second officer has confirmed.

    ``old_card`` is what became of an older card that the citizen had kept: ``taken``, or ``lost`` with the
    number of the report.
    """

    receipt: str | None = None
    old_card: OldCard | None = None
    loss_report: str | None = None


class CardSuspension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a card is good no longer, for now or for ever; ``case`` where an investigation asks for it."""

    reason: str
    case: str | None = None


class WaitingOffice(msgspec.Struct, frozen=True):
    """How many cards wait to be packed for an office; without ``unit``, for any office."""

    unit: str | None
    cards: int


class WaitingCard(msgspec.Struct, frozen=True):
    """A card that waits to be packed, and since when."""

    id: str
    since: str


class BoxPacking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cards that go into one box for one office."""

    unit: str
    cards: tuple[str, ...]


class BoxSeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The digest that a courier reads off the box."""

    digest: str


class BoxScan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cards that lay in the box; ``close_short`` gives up those that did not."""

    cards: tuple[str, ...]
    close_short: bool = False


class BoxSummary(msgspec.Struct, frozen=True):
    """One box."""

    id: str
    unit: str
    state: str
    amount: int
    digest: str
    packed_by: str
    courier: str | None
    received_by: str | None
    missing: int
    packed_at: str
    updated_at: str


class BoxView(msgspec.Struct, frozen=True):
    """A box with the cards that were packed into it."""

    box: BoxSummary
    cards: tuple[str, ...]


class DestructionView(msgspec.Struct, frozen=True):
    """Who signed for a card's destruction; the second signature destroys it."""

    card: str
    state: str
    first_officer: str
    second_officer: str | None


class AccountOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An electronic account for a number, along with the card of a dossier or alone."""

    citizen_number: str
    dossier: str | None = None


class AccountSuspension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an account is held or closed."""

    reason: str


class AccountView(msgspec.Struct, frozen=True):
    """One electronic account."""

    id: str
    citizen_number: str
    dossier: str | None
    state: str
    reason: str | None
    ordered_by: str
    approved_by: str | None
    since: str
    unit: str | None
