"""The registry's news of lives, as the card office follows them: a port, and its HTTP side."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from issuance_backend.registry_http import RegistryHttp
from verification.messages.event_feed import ConsumerPosition, EventFeed, PositionReached
from verification.messages.life_event import LifeEventView

TOPIC = "life-event"
_POSITION = "/v1/events/position"

LONGEST_WAIT = 5
"""Seconds that one question waits for news: whoever is told to stop meanwhile stops after it."""


class LifeEvents(Protocol):
    """What the registry tells."""

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        """The events behind a position, waiting for the first; raises RegistryUnavailable."""

    def event(self, event: str) -> LifeEventView:
        """Whom an event is about; raises RegistryUnavailable."""

    def confirmed(self) -> int:
        """How far the registry remembers that it was followed; raises RegistryUnavailable."""

    def confirm(self, position: int) -> None:
        """Tell the registry how far it was followed; raises RegistryUnavailable."""


class LifeEventsOverHttp:
    """Asks the registry's own program; its token has the roles events.life-event and registry.read."""

    def __init__(self, url: str, token: str) -> None:
        self._registry = RegistryHttp(url, token, seconds=LONGEST_WAIT + 5.0)

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        """The events behind a position, waiting for the first; raises RegistryUnavailable."""
        path = f"/v1/events?topic={TOPIC}&after={position}&wait={wait_seconds}"
        return self._registry.ask("GET", path, EventFeed)

    def event(self, event: str) -> LifeEventView:
        """Whom an event is about; raises RegistryUnavailable."""
        return self._registry.ask("GET", f"/v1/life-events/{quote(event, safe='')}", LifeEventView)

    def confirmed(self) -> int:
        """How far the registry remembers that it was followed; raises RegistryUnavailable."""
        return self._registry.ask("GET", _POSITION, ConsumerPosition).position

    def confirm(self, position: int) -> None:
        """Tell the registry how far it was followed; raises RegistryUnavailable."""
        self._registry.ask("PUT", _POSITION, ConsumerPosition, PositionReached(position))
