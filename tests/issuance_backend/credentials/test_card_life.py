"""The table of cards under every order of events, and where a card is."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.credentials import domain
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from verification.errors import TransitionRefused
from verification.messages.credential_status import CredentialState

PLACES = {
    CardState.ORDERED: {None},
    CardState.PERSONALISING: {"centre"},
    CardState.PERSONALISED: {"centre"},
    CardState.QA_PASSED: {"centre"},
    CardState.QA_FAILED: {"centre"},
    CardState.SPOILED: {"centre"},
    CardState.PACKED: {"box"},
    CardState.DISPATCHED: {"courier"},
    CardState.AT_OFFICE: {"office"},
    CardState.UNDELIVERED: {"office"},
    CardState.RETURNED_TO_CENTRE: {"centre"},
    CardState.ACTIVE: {"holder"},
    CardState.SUSPENDED: {"holder"},
    CardState.REPLACED: {"holder"},
    # Nowhere is one that was never begun.
    CardState.REVOKED: {None, "holder", "box", "courier", "office", "missing"},
    CardState.DESTROYED: {"destroyed"},
}
# What the desks say; every other place follows from the event.
SAID = {CardEvent.PACK: "box:1", CardEvent.DISPATCH: "courier:x", CardEvent.RECEIVE: "office:001"}


@given(st.lists(st.sampled_from(list(CardEvent)), max_size=40))
def test_a_card_is_at_one_place_that_fits_its_state(events: list[CardEvent]) -> None:
    state, place, is_begun = None, None, False
    for event in events:
        try:
            state = domain.advance(state, event)
        except TransitionRefused:
            continue
        is_begun = is_begun or event is CardEvent.BEGIN
        place = domain.place_after(SAID.get(event, place), event)
        assert (place.partition(":")[0] if place else None) in PLACES[state]
        assert (place is not None) == is_begun


@given(st.lists(st.sampled_from(list(CardEvent)), max_size=40))
def test_no_card_is_active_that_was_not_packed_received_and_handed_over(events: list[CardEvent]) -> None:
    state, taken = None, []
    for event in events:
        try:
            state = domain.advance(state, event)
        except TransitionRefused:
            continue
        taken.append(event)
    if state in {CardState.ACTIVE, CardState.SUSPENDED, CardState.REPLACED}:
        needed = [CardEvent.PASS, CardEvent.PACK, CardEvent.DISPATCH, CardEvent.RECEIVE, CardEvent.HAND_OVER]
        assert [event for event in taken if event in needed] == needed


@pytest.mark.parametrize(
    ("final", "only"),
    [
        (CardState.DESTROYED, []),
        (CardState.REPLACED, [CardEvent.DESTROY]),
        (CardState.REVOKED, [CardEvent.DESTROY]),
    ],
)
def test_what_is_over_stays_over(final: CardState, only: list[CardEvent]) -> None:
    assert [event for event in CardEvent if (final, event) in domain.TRANSITIONS] == only


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        (CardState.AT_OFFICE, None, CredentialState.ISSUED),
        (CardState.UNDELIVERED, None, CredentialState.ISSUED),
        (CardState.RETURNED_TO_CENTRE, None, CredentialState.REVOKED),
        (CardState.DESTROYED, None, CredentialState.REVOKED),
        (CardState.SUSPENDED, Reason.LOSS, CredentialState.LOST),
        (CardState.SUSPENDED, Reason.DEATH, CredentialState.SUSPENDED),
        (CardState.SUSPENDED, Reason.INVESTIGATION, CredentialState.SUSPENDED),
        (CardState.REVOKED, Reason.FRAUD, CredentialState.REVOKED),
        (CardState.ACTIVE, None, CredentialState.ACTIVE),
    ],
)
def test_what_a_relying_party_is_told(state: CardState, reason: Reason | None, told: CredentialState) -> None:
    today = date(2026, 11, 22)
    assert domain.meaning(state, reason, today, today) is told


def test_no_state_but_active_is_ever_told_as_good() -> None:
    today = date(2026, 11, 22)
    good = {state for state in CardState if domain.meaning(state, None, None, today) == "active"}
    assert good == {CardState.ACTIVE}


@given(st.lists(st.sampled_from(list(CardEvent)), max_size=40))
def test_the_state_is_the_fold_of_the_events_that_were_taken(events: list[CardEvent]) -> None:
    state, taken = None, []
    for event in events:
        try:
            state = domain.advance(state, event)
        except TransitionRefused:
            assert (state, event) not in domain.TRANSITIONS
        else:
            taken.append(event)
    assert domain.fold(taken) == state


def test_every_state_and_event_is_in_the_table() -> None:
    assert set(domain.TRANSITIONS.values()) == set(CardState)
    assert {event for _, event in domain.TRANSITIONS} == set(CardEvent)


@pytest.mark.parametrize(
    ("born", "issued", "expected"),
    [
        (date(2000, 3, 1), date(2021, 1, 1), date(2025, 3, 1)),
        (date(2000, 3, 1), date(2023, 2, 28), date(2025, 3, 1)),
        (date(2000, 3, 1), date(2023, 3, 1), date(2040, 3, 1)),  # two years before 25: valid to 40
        (date(1990, 3, 1), date(2021, 1, 1), date(2030, 3, 1)),
        (date(1984, 2, 29), date(2021, 1, 1), date(2024, 2, 29)),
        (date(1996, 2, 29), date(2018, 1, 1), date(2021, 3, 1)),
        (date(1970, 3, 1), date(2021, 1, 1), date(2030, 3, 1)),
        (date(1962, 3, 1), date(2021, 1, 1), None),
        (date(1950, 3, 1), date(2021, 1, 1), None),
    ],
)
def test_a_card_is_exchanged_at_25_40_and_60(born: date, issued: date, expected: date | None) -> None:
    assert domain.expiry(born, issued) == expected


def test_a_card_is_good_through_its_last_day() -> None:
    last, after = date(2030, 1, 1), date(2030, 1, 2)
    assert domain.meaning(CardState.ACTIVE, None, last, last) is CredentialState.ACTIVE
    assert domain.meaning(CardState.ACTIVE, None, last, after) is CredentialState.EXPIRED
    assert domain.meaning(CardState.ACTIVE, None, None, date(2099, 1, 1)) is CredentialState.ACTIVE
    assert domain.meaning(CardState.SUSPENDED, Reason.LOSS, last, after) is CredentialState.LOST
    assert domain.meaning(CardState.SPOILED, None, last, last) is CredentialState.REVOKED
