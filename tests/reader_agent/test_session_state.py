"""The state table of a counter session under every event, likely or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_agent.session.state import FINAL, TRANSITIONS, Event, SessionState, advance
from verification.errors import TransitionRefused


@pytest.mark.parametrize("state", [state for state in SessionState if state not in FINAL])
def test_every_open_state_can_end_with_a_verdict_and_be_cancelled(state: SessionState) -> None:
    assert advance(state, Event.DECIDED) is SessionState.DECIDED
    assert advance(state, Event.CANCELLED) is SessionState.CANCELLED


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("event", list(Event))
def test_what_is_over_stays_over(state: SessionState, event: Event) -> None:
    with pytest.raises(TransitionRefused):
        advance(state, event)


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_evidence_never_comes_before_the_card_was_read(events: list[Event]) -> None:
    state, path = SessionState.OPENING, [SessionState.OPENING]
    for event in events:
        try:
            state = advance(state, event)
        except TransitionRefused:
            assert (state, event) not in TRANSITIONS
            continue
        path.append(state)
    if SessionState.DECIDING in path:
        assert path[:4] == [
            SessionState.OPENING,
            SessionState.WAITING_FOR_CARD,
            SessionState.READING,
            SessionState.INSPECTING,
        ]


def test_every_state_can_be_reached() -> None:
    reached = {SessionState.OPENING} | set(TRANSITIONS.values())
    assert reached == set(SessionState)
