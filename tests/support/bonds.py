"""Marriages in a registry under test: what happens, and who is bound to whom."""

from __future__ import annotations

from datetime import date

from tests.support.registry_office import RegistryWorld
from verification.messages.life_event import LifeEvent


def happens(registry: RegistryWorld, event: LifeEvent, day: date) -> None:
    """Report an event of a day, a second after what came before and a second before what follows."""
    registry.pass_time(seconds=1)
    registry.report(event, day)
    registry.pass_time(seconds=1)


def bond(registry: RegistryWorld, number: str) -> tuple[str, str | None]:
    """Somebody's marital status, and their spouse's name."""
    person = registry.person(number)
    return person.marital_status, person.spouse


def name(registry: RegistryWorld, number: str) -> str:
    """Somebody's full name."""
    return registry.person(number).full_name
