"""The log of accesses: who read a person's entry, took it along or was handed of it, for the person."""

from __future__ import annotations

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry.accesses.taken_along import deliveries, kits_extracts
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.reads import repository
from issuance_backend.population_registry.reads.service import KEPT
from issuance_backend.population_registry.units.service import UnitOffice
from monitoring.database import Database
from verification.messages.registry_access import PersonRead

MOST_TOLD = 500
"""Of the newest accesses so many are told."""


class AccessLog:
    """Tells a person who had their data, under any number they ever had."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._units = UnitOffice(database, clock)

    def numbers(self, citizen_number: str) -> tuple[str, ...]:
        """Every number of a person, the one that stands first."""
        with self._database.reading() as connection:
            return _numbers(connection, citizen_number)

    def of_person(self, citizen_number: str) -> tuple[PersonRead, ...]:
        """Who read a person's entry, which kits took it along with those of its commune, and who was handed
        what is published of it; the newest first.
        """
        since = self._clock() - KEPT
        with self._database.reading() as connection:
            numbers = _numbers(connection, citizen_number)
            found = repository.newest(connection, numbers, MOST_TOLD)
            found += kits_extracts(connection, self._units.register_in(connection), numbers, MOST_TOLD)
            found += deliveries(connection, numbers, rfc3339(since))
        return tuple(sorted(found, key=lambda each: each.read_at, reverse=True)[:MOST_TOLD])


def _numbers(connection: Connection, citizen_number: str) -> tuple[str, ...]:
    number = people.reference_number(connection, citizen_number)
    return (number, *people.aliases_now(connection, number))
