"""Life cycles as tables: which event leads from which state to which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from verification.errors import TransitionRefused

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class StateTable(Generic[State, Event]):
    """A life cycle; what is not in the table is not possible. ``None`` is before the first event."""

    def __init__(self, transitions: Mapping[tuple[State | None, Event], State]) -> None:
        self.transitions = transitions

    def advance(self, state: State | None, event: Event) -> State:
        """The state after an event; a pair that is not in the table raises TransitionRefused."""
        try:
            return self.transitions[(state, event)]
        except KeyError:
            raise TransitionRefused(f"{event} is not possible in {state or 'no state'}") from None

    def fold(self, events: Iterable[Event]) -> State | None:
        """The state that recorded events add up to (invariant I5)."""
        state: State | None = None
        for event in events:
            state = self.advance(state, event)
        return state
