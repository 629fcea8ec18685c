"""Listening to the issuer: what it says of a card is known to every worker of this gateway at once.

Of all workers of a gateway one listens; what it hears goes into the database that all of them read. It
asks with a wait, so the issuer answers as soon as there is something, and says "nothing" every second
otherwise: how long ago that was is how old an answer about a card may be.
"""

from __future__ import annotations

import logging
import threading

from gateway.domain.refusals import CardEventsRestarted, CardEventsUnavailable
from gateway.ports import CardEvents, CardStates, Clock
from monitoring import metrics
from verification.errors import Unavailable

WATCH_SECONDS = 1.0
"""How often a worker that does not listen looks whether it should."""

RETRY_SECONDS = 0.5
PAUSE_SECONDS = 0.25
"""Between two questions that the issuer, having too many who wait, answers at once."""

logger = logging.getLogger(__name__)


class CardFollower:
    """One worker's part in listening; ``worker`` is its name among all workers of this database."""

    def __init__(self, events: CardEvents, states: CardStates, clock: Clock, worker: str) -> None:
        self._events = events
        self._states = states
        self._clock = clock
        self._worker = worker
        self._deaf = False

    def run(self, stop: threading.Event) -> None:
        """Listen, or stand by to, until told to stop."""
        while not stop.is_set():
            stop.wait(self.step())

    def step(self) -> float:
        """Listen once; the seconds until it should be done again."""
        try:
            if not self._states.lead(self._worker, self._clock()):
                return WATCH_SECONDS
            return self._listen()
        except CardEventsRestarted:
            logger.error("issuer's events restarted", extra={"code": CardEventsRestarted.code})  # noqa: TRY400
            self._states.begin_again(self._worker)
            return RETRY_SECONDS
        except Unavailable as fault:
            self._say(deaf=True, code=fault.code)
            return RETRY_SECONDS

    def _listen(self) -> float:
        asked_at = self._clock()
        feed = self._events.after(self._states.place())
        if not self._states.take_in(self._worker, feed, asked_at):
            return WATCH_SECONDS
        metrics.CARD_EVENTS.inc(len(feed.events))
        metrics.CARD_EVENTS_HEARD.set(asked_at.timestamp())
        self._say(deaf=False, code=CardEventsUnavailable.code)
        waited = (self._clock() - asked_at).total_seconds() > PAUSE_SECONDS
        return 0.0 if feed.events or waited else PAUSE_SECONDS

    def _say(self, *, deaf: bool, code: str) -> None:
        """Once for each change: an issuer that is down for a day is one line, not a hundred thousand."""
        if deaf and not self._deaf:
            logger.warning("issuer not heard, cards are asked one by one", extra={"code": code})
        if self._deaf and not deaf:
            logger.info("issuer heard again")
        self._deaf = deaf
