"""What a program that follows the issuance office is told, and how far it says it has come.

Events come at least once and in one order; whoever handled number N asks for what is after N.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Mark = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{16})?$")]
"""Names everything that was recorded up to a number; empty where it is not known."""


class PublishedEvent(msgspec.Struct, frozen=True):
    """One thing that happened. ``key`` names the thing within its topic; no event names a person."""

    sequence: int
    topic: str
    key: str
    at: str
    data: dict[str, str]


class FeedPlace(msgspec.Struct, frozen=True):
    """How far a follower came, and in which history: an office put back from a copy goes on in another."""

    position: int = 0
    mark: Mark = ""


class EventFeed(msgspec.Struct, frozen=True):
    """Events after a position. ``next`` is where to go on, ``newest`` how far the office itself is."""

    events: tuple[PublishedEvent, ...]
    next: int
    newest: int
    mark: Mark = ""

    @property
    def place(self) -> FeedPlace:
        """Where to go on."""
        return FeedPlace(self.next, self.mark)


class PositionReached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consumer has dealt with everything up to and including this number."""

    position: int


class ConsumerPosition(msgspec.Struct, frozen=True):
    """How far a consumer has confirmed, and how far the office is."""

    consumer: str
    position: int
    newest: int
