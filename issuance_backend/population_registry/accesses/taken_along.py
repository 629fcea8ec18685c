"""What of a person went out unasked: with their commune to a kit, published to a receiver.

Neither is written down by person when it happens. Where somebody lived at the moment of an extract says
whether they were in it; what receivers were sent stands in their deliveries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, time

from sqlalchemy import Connection

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry import repository as entries
from issuance_backend.population_registry.extracts.domain import communes_of
from issuance_backend.population_registry.identities import facts, timeline
from issuance_backend.population_registry.identities.domain import ROOT
from issuance_backend.population_registry.identities.recording import entry_origin, loaded_fact
from issuance_backend.population_registry.identities.timeline import Fact
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication import repository as publications
from issuance_backend.population_registry.reads import repository
from issuance_backend.population_registry.units.domain import UnitRegister
from verification.messages.national_time import VIETNAM
from verification.messages.registry_access import PersonRead, Purpose

RESIDENCE = "current_residence"


def kits_extracts(
    connection: Connection, register: UnitRegister, numbers: Collection[str], limit: int
) -> list[PersonRead]:
    """The extracts that held one of these numbers' entries, each once, as its residence was known then."""
    found: dict[str, PersonRead] = {}
    for number in numbers:
        for lived in _residences(connection, number):
            communes = communes_of(register, lived.value or "")
            since = max(lived.recorded_at, _moment(lived.valid_from))
            before = min(lived.superseded_at, _moment(lived.valid_to))
            for read in repository.of_communes(connection, communes, since, before, limit):
                # Whoever had been merged by then was in no extract under the number of before.
                if people.reference_number_at(connection, number, read.read_at) == number:
                    found[read.id] = read
    return list(found.values())


def deliveries(connection: Connection, numbers: Collection[str], since: str) -> list[PersonRead]:
    """Who was sent which attributes of these entries, together what was sent at once."""
    together: dict[tuple[str, str], list[publications.Sent]] = {}
    for sent in publications.sent_since(connection, numbers, since):
        together.setdefault((sent.receiver, sent.sent_at), []).append(sent)
    return [
        PersonRead(
            id=f"delivery-{at_once[0].id}",
            read_at=sent_at,
            reader=receiver,
            purpose=Purpose.PUBLICATION,
            attributes=tuple(sorted({sent.attribute for sent in at_once})),
        )
        for (receiver, sent_at), at_once in together.items()
    ]


def _residences(connection: Connection, number: str) -> Iterator[Fact]:
    person = people.person(connection, number)
    if person is not None:
        held = facts.about(connection, person.subject, RESIDENCE, layer=ROOT)
        if held:
            yield from (fact for _, _, fact in held)
            return
    entry, recorded_at = entries.person(connection, number), entries.recorded_at(connection, number)
    if entry is not None and recorded_at is not None:
        yield loaded_fact(entry, RESIDENCE, recorded_at, entry_origin(connection, entry, recorded_at))


def _moment(day: date) -> str:
    """When a day began in Viet Nam; the ends of time as they stand."""
    if day in {timeline.BEGINNING, timeline.OPEN_END}:
        return day.isoformat()
    return rfc3339(datetime.combine(day, time(), VIETNAM))
