"""The table of states under every order of events: a pair that is not in the table never moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.dossiers import domain
from issuance_backend.dossiers.domain import CLOSED, TABLE, DossierEvent, DossierState, Search
from issuance_backend.refusals import HitStillOpen
from issuance_backend.statistics.definitions import ANY_STATE, vocabulary
from verification.errors import TransitionRefused

EVENTS = st.lists(st.sampled_from(list(DossierEvent)), max_size=40)


def walk(events: list[DossierEvent]) -> list[tuple[DossierState | None, DossierEvent, DossierState]]:
    """The events that were possible, each with the state before and after."""
    state: DossierState | None = None
    held_in: DossierState | None = None
    walked = []
    for event in events:
        try:
            after = domain.advance(state, event, held_in)
        except TransitionRefused:
            continue
        walked.append((state, event, after))
        held_in = state if event is DossierEvent.SUSPEND else held_in
        state = after
    return walked


@given(EVENTS)
def test_the_state_is_the_fold_of_the_events_that_were_taken(events: list[DossierEvent]) -> None:
    walked = walk(events)
    assert domain.fold(event for _, event, _ in walked) == (walked[-1][2] if walked else None)
    for before, event, _ in walked:
        assert (before, event) in TABLE.transitions or event is DossierEvent.RESUME


def test_every_state_can_be_reached_and_named() -> None:
    assert set(TABLE.transitions.values()) == set(DossierState)
    assert {event for _, event in TABLE.transitions} | {DossierEvent.RESUME} == set(DossierEvent)


@given(EVENTS)
def test_no_dossier_is_approved_that_was_not_validated_and_searched_since_its_last_capture(
    events: list[DossierEvent],
) -> None:
    since: set[DossierEvent] = set()
    for _, event, after in walk(events):
        if event in {DossierEvent.CAPTURE, DossierEvent.RECEIVE}:
            since = set()
        since.add(event)
        if after is DossierState.CENTRAL_APPROVED:
            assert {DossierEvent.VALIDATE, DossierEvent.APPROVE_LOCALLY} <= since
            assert since & {DossierEvent.SEARCH, DossierEvent.SKIP_SEARCH}


@given(EVENTS)
def test_a_suspended_dossier_goes_on_where_it_stood_and_nowhere_else(events: list[DossierEvent]) -> None:
    held_in: DossierState | None = None
    for before, event, after in walk(events):
        if before is DossierState.SUSPENDED:
            assert (event, after) == (DossierEvent.RESUME, held_in)
        if event is DossierEvent.SUSPEND:
            held_in = before


@given(EVENTS)
def test_what_is_known_of_duplicates_is_forgotten_with_the_capture(events: list[DossierEvent]) -> None:
    search: Search | None = None
    for _, event, after in walk(events):
        search = domain.search_after(search, event)
        if after in {DossierState.RETURNED, DossierState.CAPTURED, DossierState.VALIDATED}:
            assert search is None
        if after is DossierState.ADJUDICATION:
            assert search in {Search.HIT, Search.CONFIRMED}
        if after is DossierState.DEDUP_1N:
            assert search not in {None, Search.HIT, Search.CONFIRMED}


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_what_is_closed_stays_closed(state: DossierState) -> None:
    possible = {event for event in DossierEvent if (state, event) in TABLE.transitions}
    assert possible <= {DossierEvent.ERASE}, "in the end it holds less than before, and stays what it is"
    assert all(TABLE.advance(state, event) is state for event in possible)
    assert bool(possible) is (state is not DossierState.COMPLETED)


@pytest.mark.parametrize("search", [None, Search.WAITING, Search.HIT, Search.CONFIRMED])
def test_a_hit_that_is_open_stops_the_approval(search: Search | None) -> None:
    with pytest.raises(HitStillOpen):
        domain.require_no_open_hit(search)


@pytest.mark.parametrize("clock", ["local", "total"])
def test_every_state_is_in_exactly_one_class_of_every_clock_of_dossiers(clock: str) -> None:
    """Invariant I10: a clock runs, is paused, has stopped or ended without a verdict."""
    (defined,) = (each for each in vocabulary().clocks if each.id == clock)
    assert defined.starts == (ANY_STATE,)
    stopped, paused, ended = map(set, (defined.stops, defined.pauses, defined.ends))
    for state in DossierState:
        assert sum((state in stopped, state in paused, state in ended)) <= 1, state
    assert paused == {DossierState.RETURNED, DossierState.SUSPENDED}
    assert ended == {DossierState.REJECTED, DossierState.WITHDRAWN}
    assert {DossierState.COMPLETED} <= stopped


def test_a_dossier_waits_for_somebody_unless_it_is_closed() -> None:
    for state in DossierState:
        assert vocabulary().is_waiting("dossier", state) == (state not in CLOSED)
