"""The life of one card, and what its state means to somebody who meets it.

ordered        production begins writing
personalising  an interruption here spoils the blank: it is never written twice
personalised   quality control reads it back
qa_passed      the office hands it over
qa_failed      spoiled; the order goes on with the next blank
active         in the citizen's hands
lost           reported lost by the citizen
replaced       a newer card of the same person became active
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum

from verification.errors import TransitionRefused
from verification.messages.credential_status import CredentialState


class CardState(StrEnum):
    """Where a card stands."""

    ORDERED = "ordered"
    PERSONALISING = "personalising"
    PERSONALISED = "personalised"
    QA_PASSED = "qa_passed"
    QA_FAILED = "qa_failed"
    SPOILED = "spoiled"
    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"


class CardEvent(StrEnum):
    """What can happen to a card."""

    ORDER = "order"
    BEGIN = "begin"
    WRITTEN = "written"
    PASS = "pass"  # noqa: S105 - quality control's verdict, no secret
    FAIL = "fail"
    SPOIL = "spoil"
    HAND_OVER = "hand_over"
    REPORT_LOST = "report_lost"
    REPLACE = "replace"


TRANSITIONS: Mapping[tuple[CardState | None, CardEvent], CardState] = {
    (None, CardEvent.ORDER): CardState.ORDERED,
    (CardState.ORDERED, CardEvent.BEGIN): CardState.PERSONALISING,
    (CardState.PERSONALISING, CardEvent.WRITTEN): CardState.PERSONALISED,
    (CardState.PERSONALISING, CardEvent.SPOIL): CardState.SPOILED,
    (CardState.PERSONALISED, CardEvent.PASS): CardState.QA_PASSED,
    (CardState.PERSONALISED, CardEvent.FAIL): CardState.QA_FAILED,
    (CardState.PERSONALISED, CardEvent.SPOIL): CardState.SPOILED,
    (CardState.QA_FAILED, CardEvent.SPOIL): CardState.SPOILED,
    (CardState.QA_PASSED, CardEvent.HAND_OVER): CardState.ACTIVE,
    (CardState.ACTIVE, CardEvent.REPORT_LOST): CardState.LOST,
    (CardState.ACTIVE, CardEvent.REPLACE): CardState.REPLACED,
    (CardState.LOST, CardEvent.REPLACE): CardState.REPLACED,
}

_MEANINGS: Mapping[CardState, CredentialState] = {
    CardState.ACTIVE: CredentialState.ACTIVE,
    CardState.LOST: CredentialState.LOST,
    CardState.REPLACED: CredentialState.REPLACED,
    # A spoiled blank that turns up somewhere was stolen from the office.
    CardState.QA_FAILED: CredentialState.REVOKED,
    CardState.SPOILED: CredentialState.REVOKED,
}

_EXCHANGE_AGES = (25, 40, 60)
_EARLY = 2


def advance(state: CardState | None, event: CardEvent) -> CardState:
    """The state after an event; a pair that is not in the table raises TransitionRefused."""
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible in {state or 'no state'}") from None


def fold(events: Iterable[CardEvent]) -> CardState | None:
    """The state that recorded events add up to."""
    state: CardState | None = None
    for event in events:
        state = advance(state, event)
    return state


def meaning(state: CardState, expires_on: date | None, today: date) -> CredentialState:
    """What a relying party is told; a card is good through its last day, and only while active."""
    if state is CardState.ACTIVE and expires_on is not None and today > expires_on:
        return CredentialState.EXPIRED
    return _MEANINGS.get(state, CredentialState.ISSUED)


def expiry(date_of_birth: date, issued_on: date) -> date | None:
    """The birthday on which the card must be exchanged: 25, 40 or 60; ``None`` for good after 60.

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
