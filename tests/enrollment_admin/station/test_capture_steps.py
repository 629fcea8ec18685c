"""The life of a capture on a kit is one table; what is not in it is refused."""

from __future__ import annotations

from itertools import product

import pytest

from enrollment_admin.station.capture_steps import (
    AT_THE_DESK,
    ON_THE_WAY,
    TRANSITIONS,
    DraftEvent,
    DraftState,
    advance,
)
from verification.errors import TransitionRefused


def reachable_from(start: DraftState | None) -> set[DraftState]:
    """Every state that some events lead to."""
    found: set[DraftState] = set()
    wave: set[DraftState | None] = {start}
    while wave:
        wave = {end for (state, _), end in TRANSITIONS.items() if state in wave} - found
        found |= {state for state in wave if state is not None}
    return found


def test_every_state_is_reached_and_two_are_the_end() -> None:
    assert reachable_from(None) == set(DraftState)
    ends = {state for state in DraftState if not reachable_from(state)}
    assert ends == {DraftState.RECEIPTED, DraftState.WITHDRAWN}
    assert {*AT_THE_DESK, *ON_THE_WAY} == set(DraftState) - ends


def test_what_was_sealed_leads_to_a_receipt_and_nowhere_else() -> None:
    for state in ON_THE_WAY:
        assert reachable_from(state) <= {DraftState.IN_TRANSIT, DraftState.RECEIPTED}


def test_only_a_printed_form_is_sealed_and_only_what_left_has_a_receipt() -> None:
    before = {event: {state for state, it in TRANSITIONS if it is event} for event in DraftEvent}
    assert before[DraftEvent.SEAL] == {DraftState.FORM_CHECKED}
    assert before[DraftEvent.RECEIPT] == {DraftState.IN_TRANSIT}


def test_what_is_not_in_the_table_is_refused() -> None:
    for state, event in set(product([None, *DraftState], DraftEvent)) - TRANSITIONS.keys():
        with pytest.raises(TransitionRefused):
            advance(state, event)
