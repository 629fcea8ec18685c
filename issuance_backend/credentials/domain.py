"""The life of one card, and what its state means to somebody who meets it.

ordered             production begins writing
personalising       an interruption here spoils the blank: it is never written twice
personalised        quality control reads it back
qa_passed           the centre packs it for the office that hands it over
qa_failed           spoiled; the order goes on with the next blank
spoiled             two officers destroy it
packed              in a sealed box; a courier takes it
dispatched          the office scans it, or lists it as missing
at_office           handed over against a proof of who stands there
undelivered         waited too long: still handed over, or sent back
returned_to_centre  two officers destroy it
active              in the citizen's hands
suspended           lost, or held for a reason: resumes, is replaced or is revoked
revoked             never good again; as above
replaced            a newer card of the same person became active; destroyed if it was given back
destroyed           by two officers

A card past its last day is *expired*: that is read from its date, never recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from issuance_backend.state_table import StateTable
from verification.messages.credential_status import CredentialState


class CardState(StrEnum):
    """Where a card stands."""

    ORDERED = "ordered"
    PERSONALISING = "personalising"
    PERSONALISED = "personalised"
    QA_PASSED = "qa_passed"
    QA_FAILED = "qa_failed"
    SPOILED = "spoiled"
    DESTROYED = "destroyed"
    PACKED = "packed"
    DISPATCHED = "dispatched"
    AT_OFFICE = "at_office"
    UNDELIVERED = "undelivered"
    RETURNED_TO_CENTRE = "returned_to_centre"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REPLACED = "replaced"


class CardEvent(StrEnum):
    """What can happen to a card."""

    ORDER = "order"
    BEGIN = "begin"
    WRITTEN = "written"
    PASS = "pass"  # noqa: S105 - quality control's verdict, no secret
    FAIL = "fail"
    SPOIL = "spoil"
    DESTROY = "destroy"
    PACK = "pack"
    DISPATCH = "dispatch"
    RECEIVE = "receive"
    HAND_OVER = "hand_over"
    AGE = "age"
    RETURN_TO_CENTRE = "return_to_centre"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    REPLACE = "replace"


class Reason(StrEnum):
    """Why a card is suspended or revoked, or why it was destroyed."""

    LOSS = "loss"
    DEATH = "death"
    INVESTIGATION = "investigation"
    DATA_ERROR = "data_error"
    FRAUD = "fraud"
    NATIONALITY_ENDED = "nationality_ended"
    HANDED_IN = "handed_in"
    MISSING = "missing"  # on its way from the centre to the citizen: nobody has it who should
    REPLACED = "replaced"  # said of a card at its destruction alone: until then its state says so


SUSPENSION_REASONS = frozenset({Reason.LOSS, Reason.DEATH, Reason.INVESTIGATION, Reason.DATA_ERROR})
REVOCATION_REASONS = frozenset(
    {Reason.FRAUD, Reason.NATIONALITY_ENDED, Reason.HANDED_IN, Reason.DEATH, Reason.DATA_ERROR}
)
"""Of any card; one that is on its way may be missing as well."""

ON_THE_WAY = frozenset({CardState.PACKED, CardState.DISPATCHED, CardState.AT_OFFICE, CardState.UNDELIVERED})
"""Finished and not yet in anybody's hands."""

GONE = frozenset({CardState.SPOILED, CardState.DESTROYED, CardState.REVOKED})
"""Never good any more: the order of one that nobody ever held goes on with the next card, or is given up."""

CARDS: StateTable[CardState, CardEvent] = StateTable(
    {
        (None, CardEvent.ORDER): CardState.ORDERED,
        (CardState.ORDERED, CardEvent.BEGIN): CardState.PERSONALISING,
        # No machine can make it, and its dossier is rejected.
        (CardState.ORDERED, CardEvent.REVOKE): CardState.REVOKED,
        (CardState.PERSONALISING, CardEvent.WRITTEN): CardState.PERSONALISED,
        (CardState.PERSONALISING, CardEvent.SPOIL): CardState.SPOILED,
        (CardState.PERSONALISED, CardEvent.PASS): CardState.QA_PASSED,
        (CardState.PERSONALISED, CardEvent.FAIL): CardState.QA_FAILED,
        (CardState.PERSONALISED, CardEvent.SPOIL): CardState.SPOILED,
        (CardState.QA_FAILED, CardEvent.SPOIL): CardState.SPOILED,
        (CardState.SPOILED, CardEvent.DESTROY): CardState.DESTROYED,
        # A quality officer sees what no program saw.
        (CardState.QA_PASSED, CardEvent.FAIL): CardState.QA_FAILED,
        (CardState.QA_PASSED, CardEvent.PACK): CardState.PACKED,
        (CardState.PACKED, CardEvent.DISPATCH): CardState.DISPATCHED,
        (CardState.DISPATCHED, CardEvent.RECEIVE): CardState.AT_OFFICE,
        (CardState.AT_OFFICE, CardEvent.HAND_OVER): CardState.ACTIVE,
        (CardState.AT_OFFICE, CardEvent.AGE): CardState.UNDELIVERED,
        (CardState.UNDELIVERED, CardEvent.HAND_OVER): CardState.ACTIVE,
        (CardState.UNDELIVERED, CardEvent.RETURN_TO_CENTRE): CardState.RETURNED_TO_CENTRE,
        (CardState.RETURNED_TO_CENTRE, CardEvent.DESTROY): CardState.DESTROYED,
        # Only what its holder gave back.
        (CardState.REPLACED, CardEvent.DESTROY): CardState.DESTROYED,
        (CardState.REVOKED, CardEvent.DESTROY): CardState.DESTROYED,
        (CardState.ACTIVE, CardEvent.SUSPEND): CardState.SUSPENDED,
        (CardState.SUSPENDED, CardEvent.RESUME): CardState.ACTIVE,
        (CardState.ACTIVE, CardEvent.REPLACE): CardState.REPLACED,
        (CardState.SUSPENDED, CardEvent.REPLACE): CardState.REPLACED,
        (CardState.ACTIVE, CardEvent.REVOKE): CardState.REVOKED,
        (CardState.SUSPENDED, CardEvent.REVOKE): CardState.REVOKED,
        # Stolen or missing before anybody had it.
        **{(state, CardEvent.REVOKE): CardState.REVOKED for state in ON_THE_WAY},
    }
)
TRANSITIONS, advance, fold = CARDS.transitions, CARDS.advance, CARDS.fold

_MEANINGS: Mapping[CardState, CredentialState] = {
    CardState.ACTIVE: CredentialState.ACTIVE,
    CardState.REPLACED: CredentialState.REPLACED,
    CardState.REVOKED: CredentialState.REVOKED,
    # A spoiled or destroyed blank that turns up somewhere was stolen from the office.
    CardState.QA_FAILED: CredentialState.REVOKED,
    CardState.SPOILED: CredentialState.REVOKED,
    CardState.DESTROYED: CredentialState.REVOKED,
    CardState.RETURNED_TO_CENTRE: CredentialState.REVOKED,
}

CENTRE, HOLDER, DESTROYED, MISSING = "centre", "holder", "destroyed", "missing"
"""Where a card can be, besides ``box:ID``, ``courier:OFFICER``, ``office:UNIT`` and ``withdrawn:UNIT``
(invariant I9)."""

WITHDRAWN = "withdrawn"
"""Where a card is that its holder gave back, and how the list of these is called."""

MOVING = frozenset(
    {
        CardEvent.BEGIN,
        CardEvent.PACK,
        CardEvent.DISPATCH,
        CardEvent.RECEIVE,
        CardEvent.HAND_OVER,
        CardEvent.RETURN_TO_CENTRE,
        CardEvent.DESTROY,
        CardEvent.REVOKE,
    }
)
"""Events that name in their detail where the card is from then on."""

_FIXED_PLACES: Mapping[CardEvent, str] = {
    CardEvent.BEGIN: CENTRE,
    CardEvent.HAND_OVER: HOLDER,
    CardEvent.RETURN_TO_CENTRE: CENTRE,
    CardEvent.DESTROY: DESTROYED,
}

_EXCHANGE_AGES = (14, 25, 40, 60)
_EARLY = 2


def meaning(state: CardState, reason: Reason | None, expires_on: date | None, today: date) -> CredentialState:
    """What a relying party is told; a card is good through its last day, and only while active."""
    if state is CardState.SUSPENDED:
        return CredentialState.LOST if reason is Reason.LOSS else CredentialState.SUSPENDED
    if state is CardState.ACTIVE and is_expired(expires_on, today):
        return CredentialState.EXPIRED
    if state is CardState.DESTROYED and reason is Reason.REPLACED:
        return CredentialState.REPLACED
    return _MEANINGS.get(state, CredentialState.ISSUED)


def is_expired(expires_on: date | None, today: date) -> bool:
    """Whether a card's last day is over."""
    return expires_on is not None and today > expires_on


def withdrawn_at(unit: str | None) -> str:
    """Where a card is that was given back at a unit."""
    return f"{WITHDRAWN}:{unit or ''}"


def place_after(place: str | None, event: CardEvent) -> str | None:
    """Where a card is after an event; ``place`` is what the event's own actor says, or where it was."""
    return _FIXED_PLACES.get(event, place)


def expiry(date_of_birth: date, issued_on: date) -> date | None:
    """The birthday on which the card must be exchanged: 14, 25, 40 or 60; ``None`` for good after 60.

    A card issued within two years before such an age is valid to the next one
    (Law 26/2023/QH15, article 21).
    """
    for age in _EXCHANGE_AGES:
        birthday = _birthday(date_of_birth, age)
        if issued_on < _birthday(date_of_birth, age - _EARLY):
            return birthday
    return None


def _birthday(date_of_birth: date, age: int) -> date:
    try:
        return date_of_birth.replace(year=date_of_birth.year + age)
    except ValueError:  # born on 29 February
        return date_of_birth.replace(year=date_of_birth.year + age, day=28) + timedelta(days=1)
