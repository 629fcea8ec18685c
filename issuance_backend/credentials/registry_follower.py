"""Follows the population registry: what it says of a holder's death reaches cards and accounts at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from issuance_backend.credentials import hold_repository, holds
from issuance_backend.credentials.registry_feed import TOPIC, LifeEvents
from issuance_backend.moments import Clock
from monitoring.database import Database
from verification.messages.event_feed import EventFeed, PublishedEvent
from verification.messages.life_event import LifeEventView
from verification.messages.person_query import LifeStatus

_KINDS = frozenset({"death", "death_annulled"})
"""A missing person's card stays: whoever is found again would stand there without one."""

logger = logging.getLogger(__name__)


class RegistryFollower:
    """Handles every event in its order; the position moves in the transaction of the effects.

    The registry is told how far it was followed and forgets that when it is put back from a copy, as we
    forget ours: going on from the smaller of the two, nobody misses what was recorded anew. What is
    handled again changes nothing.
    """

    def __init__(self, database: Database, feed: LifeEvents, clock: Clock) -> None:
        self._database = database
        self._feed = feed
        self._clock = clock

    def run_once(self, wait_seconds: int = 0) -> int:
        """Handle what is new and return how many events that was; raises RegistryUnavailable."""
        with self._database.writing() as connection:
            position = hold_repository.position(connection, TOPIC)
        confirmed = self._feed.confirmed()
        feed = self._feed.after(min(position, confirmed), wait_seconds)
        # Asked before the transaction: nobody waits for the registry while a lock is held.
        about = {event.key: self._feed.event(event.key) for event in feed.events if _matters(event)}
        moment = self._clock()
        with self._database.writing() as connection:
            if hold_repository.position(connection, TOPIC) != position:
                return 0  # another follower was quicker
            changed = 0
            for life in _last_words(feed, about):
                act = holds.put if _is_death(life) else holds.lift
                # A merged person has cards under each of the numbers.
                for number in (life.citizen_number, *life.aliases):
                    changed += act(connection, number, life.id, moment)
            if feed.next != position:
                hold_repository.reach(connection, TOPIC, feed.next, moment)
        if feed.next != confirmed:
            self._feed.confirm(feed.next)
        if about:
            logger.info("registry followed", extra={"count": changed})
        return len(feed.events)


def _last_words(feed: EventFeed, about: Mapping[str, LifeEventView]) -> Iterable[LifeEventView]:
    """The last event about each person: a death annulled since is none, also where both are heard again."""
    told = [about[event.key] for event in feed.events if event.key in about]
    return {life.citizen_number: life for life in told}.values()


def _matters(event: PublishedEvent) -> bool:
    return event.topic == TOPIC and event.data.get("kind") in _KINDS


def _is_death(life: LifeEventView) -> bool:
    return life.kind == "death" or life.life_status == LifeStatus.DECEASED.value
