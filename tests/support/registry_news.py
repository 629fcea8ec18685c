"""The registry's news of lives, told from a list."""

from __future__ import annotations

from dataclasses import dataclass, field

from issuance_backend.moments import rfc3339
from tests.support.issuance_office import NOW, citizens
from verification.errors import RegistryUnavailable
from verification.messages.event_feed import EventFeed, PublishedEvent
from verification.messages.life_event import LifeEventView


@dataclass
class News:
    """The registry's feed, as a list."""

    told: list[LifeEventView] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    remembered: int = 0
    is_up: bool = True

    def happen(self, kind: str, number: str = citizens()[0].citizen_number, status: str = "deceased") -> None:
        self.told.append(
            LifeEventView(f"{len(self.told):016x}", kind, number, NOW.date(), rfc3339(NOW), status)
        )

    def after(self, position: int, wait_seconds: int) -> EventFeed:
        self.asked.append(position)
        if not self.is_up:
            raise RegistryUnavailable("off")
        events = tuple(
            PublishedEvent(number, "life-event", life.id, life.registered_at, {"kind": life.kind})
            for number, life in enumerate(self.told, start=1)
            if number > position
        )[:2]
        return EventFeed(events, events[-1].sequence if events else position, len(self.told))

    def confirmed(self) -> int:
        return self.remembered

    def confirm(self, position: int) -> None:
        self.remembered = max(self.remembered, position)

    def event(self, event: str) -> LifeEventView:
        return self.told[int(event, 16)]
