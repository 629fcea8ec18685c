"""Tables of states under every order of events: a pair that is not in the table never moves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.credentials import domain as cards
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.dossiers import domain as dossiers
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from verification.errors import TransitionRefused
from verification.messages.credential_status import CredentialState

LIVES: list[Any] = [(dossiers, DossierState, DossierEvent), (cards, CardState, CardEvent)]


@pytest.mark.parametrize(("life", "states", "events"), LIVES, ids=["dossier", "card"])
@given(data=st.data())
def test_the_state_is_the_fold_of_the_events_that_were_taken(
    life: Any, states: Any, events: Any, data: st.DataObject
) -> None:
    state, taken = None, []
    for event in data.draw(st.lists(st.sampled_from(list(events)), max_size=25)):
        try:
            state = life.advance(state, event)
        except TransitionRefused:
            assert (state, event) not in life.TRANSITIONS
        else:
            taken.append(event)
    assert life.fold(taken) == state


@pytest.mark.parametrize(("life", "states", "events"), LIVES, ids=["dossier", "card"])
def test_every_state_can_be_reached_and_named(life: Any, states: Any, events: Any) -> None:
    assert set(life.TRANSITIONS.values()) == set(states)
    assert {event for _, event in life.TRANSITIONS} == set(events)


@given(st.lists(st.sampled_from(list(CardEvent)), max_size=30))
def test_no_card_is_active_that_quality_control_did_not_pass(events: list[CardEvent]) -> None:
    state, passed = None, False
    for event in events:
        try:
            state = cards.advance(state, event)
        except TransitionRefused:
            continue
        passed = passed or event is CardEvent.PASS
        assert passed or state is not CardState.ACTIVE


@given(st.lists(st.sampled_from(list(DossierEvent)), max_size=30))
def test_no_dossier_is_approved_that_was_not_validated_since_its_last_capture(
    events: list[DossierEvent],
) -> None:
    state, validated = None, False
    for event in events:
        try:
            state = dossiers.advance(state, event)
        except TransitionRefused:
            continue
        if event in {DossierEvent.CAPTURE, DossierEvent.VALIDATE}:
            validated = event is DossierEvent.VALIDATE
        assert state is not DossierState.APPROVED or validated


@pytest.mark.parametrize("final", [CardState.SPOILED, CardState.REPLACED])
def test_a_dead_card_stays_dead(final: CardState) -> None:
    assert not [event for event in CardEvent if (final, event) in cards.TRANSITIONS]


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
    assert cards.expiry(born, issued) == expected


def test_what_a_relying_party_is_told() -> None:
    last = date(2030, 1, 1)
    assert cards.meaning(CardState.ACTIVE, last, last) is CredentialState.ACTIVE
    assert cards.meaning(CardState.ACTIVE, last, date(2030, 1, 2)) is CredentialState.EXPIRED
    assert cards.meaning(CardState.ACTIVE, None, date(2099, 1, 1)) is CredentialState.ACTIVE
    assert cards.meaning(CardState.LOST, last, date(2030, 1, 2)) is CredentialState.LOST
    assert cards.meaning(CardState.SPOILED, last, last) is CredentialState.REVOKED
    assert cards.meaning(CardState.QA_PASSED, last, last) is CredentialState.ISSUED
