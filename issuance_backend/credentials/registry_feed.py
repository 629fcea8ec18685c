"""The registry's news of lives, as the card office follows them: a port, and its HTTP side."""

from __future__ import annotations

from typing import Protocol, TypeVar
from urllib.parse import quote

import msgspec
import urllib3

from verification.errors import RegistryUnavailable
from verification.messages.event_feed import EventFeed
from verification.messages.life_event import LifeEventView

Answer = TypeVar("Answer", bound=msgspec.Struct)

TOPIC = "life-event"
LONGEST_WAIT = 5
"""Seconds that one question waits for news: whoever is told to stop meanwhile stops after it."""


class LifeEvents(Protocol):
    """What the registry tells."""

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        """The events behind a position, waiting for the first; raises RegistryUnavailable."""

    def event(self, event: str) -> LifeEventView:
        """Whom an event is about; raises RegistryUnavailable."""


class LifeEventsOverHttp:
    """Asks the registry's own program; its token has the roles events.life-event and registry.read."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        timeout = urllib3.Timeout(connect=1.0, read=LONGEST_WAIT + 5.0)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(1, redirect=0))

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        """The events behind a position, waiting for the first; raises RegistryUnavailable."""
        return self._get(f"/v1/events?topic={TOPIC}&after={position}&wait={wait_seconds}", EventFeed)

    def event(self, event: str) -> LifeEventView:
        """Whom an event is about; raises RegistryUnavailable."""
        return self._get(f"/v1/life-events/{quote(event, safe='')}", LifeEventView)

    def _get(self, path: str, kind: type[Answer]) -> Answer:
        try:
            response = self._pool.request("GET", self._url + path, headers=self._headers)
        except urllib3.exceptions.HTTPError as fault:
            raise RegistryUnavailable(type(fault).__name__) from None
        if response.status != 200:
            raise RegistryUnavailable(f"status {response.status}")
        try:
            return msgspec.json.decode(response.data, type=kind)
        except msgspec.DecodeError:
            raise RegistryUnavailable(f"the answer is no {kind.__name__}") from None
