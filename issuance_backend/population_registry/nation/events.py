"""What happened in the lives of invented people: dated events, each of one person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum

import msgspec

from issuance_backend.population_registry.nation.people import NationPerson


class LifeEventKind(StrEnum):
    """The events that keep a registry alive."""

    BIRTH = "birth"
    MARRIAGE = "marriage"
    MOVE = "move"
    DEATH = "death"


class NationEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event as the commune's register has it; ``others`` are further numbers it concerns."""

    kind: LifeEventKind
    on: date
    citizen_number: str
    others: tuple[str, ...] = ()
    place: str | None = None


def events_of(people: Iterable[NationPerson], since: date) -> Iterator[NationEvent]:
    """Everything that happened since a day, person by person in the order of time."""
    for person in people:
        happened = sorted(_of(person), key=lambda event: event.on)
        yield from (event for event in happened if event.on >= since)


def _of(person: NationPerson) -> Iterator[NationEvent]:
    entry = person.entry
    number = entry.citizen_number
    parents = tuple(filter(None, (person.father_number, person.mother_number)))
    yield NationEvent(
        LifeEventKind.BIRTH, entry.date_of_birth, number, parents, entry.birth_registration_place
    )
    # A marriage stands once, with the partner of the smaller number.
    if person.married_on and person.spouse_number and number < person.spouse_number:
        yield NationEvent(LifeEventKind.MARRIAGE, person.married_on, number, (person.spouse_number,))
    if person.moved_on:
        yield NationEvent(LifeEventKind.MOVE, person.moved_on, number, (), entry.current_residence)
    if entry.life_status_since:
        yield NationEvent(LifeEventKind.DEATH, entry.life_status_since, number)
