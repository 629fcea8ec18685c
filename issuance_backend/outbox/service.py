"""The notice board: other programs ask what happened since they last looked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from issuance_backend.moments import Clock
from issuance_backend.outbox import repository
from issuance_backend.outbox.domain import Ask
from issuance_backend.refusals import EventPositionUnknown
from monitoring.database import Database
from verification.messages.event_feed import ConsumerPosition, EventFeed

LOOK_EVERY_SECONDS = 0.2
"""How soon somebody who waits sees what another process committed."""

MAX_WAITING = 4
"""Every waiting caller holds a thread of the server; whoever comes later is answered at once."""


class NoticeBoard:
    """Hands out notices in the order of the recorded events, at least once, from any position again."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._pause = pause
        self._ticks = ticks
        self._seats = threading.BoundedSemaphore(MAX_WAITING)

    def after(self, consumer: str, ask: Ask) -> EventFeed:
        """Notices after a position, or after the consumer's own confirmed one.

        Waits for the first one as long as asked. Raises EventPositionUnknown for a position that
        this office never reached, or reached by another history.
        """
        feed = self._look(consumer, ask)
        if feed.events or not ask.wait_seconds or not self._seats.acquire(blocking=False):
            return feed
        try:
            return self._wait(feed, ask)
        finally:
            self._seats.release()

    def confirm(self, consumer: str, reached: int) -> ConsumerPosition:
        """Record that a consumer has dealt with everything up to here; raises EventPositionUnknown."""
        with self._database.writing() as connection:
            newest = repository.newest(connection)
            if not 0 <= reached <= newest:
                raise EventPositionUnknown("no event has this number")
            position = repository.confirm(connection, consumer, reached, self._clock())
        return ConsumerPosition(consumer=consumer, position=position, newest=newest)

    def position(self, consumer: str) -> ConsumerPosition:
        """How far a consumer has confirmed, and how far the office is."""
        with self._database.reading() as connection:
            return ConsumerPosition(
                consumer=consumer,
                position=repository.position(connection, consumer),
                newest=repository.newest(connection),
            )

    def _look(self, consumer: str, ask: Ask) -> EventFeed:
        with self._database.reading() as connection:
            position = repository.position(connection, consumer) if ask.after is None else ask.after
            newest = repository.newest(connection)
            known = repository.mark(connection, position)
            if known is None or ask.mark not in {"", known}:
                # A subscriber ahead of us, or of another history, follows another database, or ours was
                # restored from an old copy: going on would hide from it what was told anew.
                raise EventPositionUnknown("this office never was at that position")
            events = tuple(repository.after(connection, position, ask)) if newest > position else ()
            # Behind a whole answer there may be more; behind a short one everything was seen, told or not.
            reached = events[-1].sequence if len(events) == ask.limit else newest
            mark = repository.mark(connection, reached) or ""
        return EventFeed(events=events, next=reached, newest=newest, mark=mark)

    def _wait(self, feed: EventFeed, ask: Ask) -> EventFeed:
        ends = self._ticks() + ask.wait_seconds
        while not feed.events and self._ticks() < ends:
            self._pause(LOOK_EVERY_SECONDS)
            with self._database.reading() as connection:
                newest = repository.newest(connection)
            if newest > feed.next:
                again = Ask(topics=ask.topics, after=feed.next, mark=feed.mark, limit=ask.limit)
                feed = self._look("", again)
        return feed
