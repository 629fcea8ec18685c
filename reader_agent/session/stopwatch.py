"""Named times of one visit, people's time apart from the machine's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from reader_agent.session.counter_session import CounterSession

PEOPLES_TIME = frozenset({"head_turn", "by_eye"})
"""Measured, and not counted in the seconds from the card to the verdict."""


class Stopwatch:
    """Starts with the session; ``card_placed`` starts it anew when the agent had to wait for the card."""

    def __init__(self, session: CounterSession) -> None:
        self._session = session
        self._started = session.began

    def card_placed(self) -> None:
        """The card has just come: what was before is not the customer's wait."""
        self._started = time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._session.add_time(name, time.monotonic() - began)

    def seconds(self) -> float:
        """From the card on the reader until now, without people's time."""
        spent = time.monotonic() - self._started
        timings = self._session.timings_ms
        return max(0.0, spent - sum(timings.get(name, 0) for name in PEOPLES_TIME) / 1000)
