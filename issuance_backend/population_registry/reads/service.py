"""The book of readings: nothing of a person's entry is answered that does not stand here before."""

from __future__ import annotations

from datetime import timedelta

from issuance_backend.moments import Clock
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.reads import repository
from monitoring.database import Database
from verification.messages.registry_access import PersonRead, ReadingFor

KEPT = timedelta(days=730)
MOST_TOLD = 500
"""Of the newest readings so many are told."""


class ReadBook:
    """Writes down who read whose entry, tells the person, and forgets after two years."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def note(self, citizen_number: str, reader: str, reading: ReadingFor) -> None:
        """Record that a program reads an entry, before it is answered."""
        with self._database.writing() as connection:
            number = people.reference_number(connection, citizen_number)
            repository.add(connection, number, reader, reading, self._clock())

    def of_person(self, citizen_number: str) -> tuple[PersonRead, ...]:
        """Who read a person's entry under any number it had, the newest first."""
        with self._database.reading() as connection:
            number = people.reference_number(connection, citizen_number)
            aliases = people.aliases_now(connection, number)
            return tuple(repository.newest(connection, {number, *aliases}, MOST_TOLD))

    def forget(self) -> int:
        """Forget what was read more than two years ago; how many readings that were."""
        with self._database.writing() as connection:
            return repository.forget(connection, self._clock() - KEPT)
