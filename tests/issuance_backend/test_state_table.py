"""A life cycle is a table: what it does not say is refused, and events add up to a state."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.state_table import StateTable
from verification.errors import TransitionRefused


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"


class Event(StrEnum):
    HANG = "hang"
    SWITCH = "switch"
    BREAK = "break"


TABLE = StateTable[Lamp, Event](
    {(None, Event.HANG): Lamp.OFF, (Lamp.OFF, Event.SWITCH): Lamp.ON, (Lamp.ON, Event.SWITCH): Lamp.OFF}
)


@pytest.mark.parametrize("state", [None, *Lamp])
@pytest.mark.parametrize("event", Event)
def test_what_is_not_in_the_table_is_refused(state: Lamp | None, event: Event) -> None:
    if (state, event) in TABLE.transitions:
        assert TABLE.advance(state, event) is TABLE.transitions[state, event]
        return
    with pytest.raises(TransitionRefused, match=f"{event} is not possible in {state or 'no state'}"):
        TABLE.advance(state, event)


@given(st.integers(0, 50))
def test_events_add_up_to_a_state(switched: int) -> None:
    assert TABLE.fold([Event.HANG] + [Event.SWITCH] * switched) is (Lamp.ON if switched % 2 else Lamp.OFF)


def test_nothing_adds_up_to_no_state_and_an_impossible_history_to_none() -> None:
    assert TABLE.fold([]) is None
    with pytest.raises(TransitionRefused):
        TABLE.fold([Event.HANG, Event.BREAK])
