"""The book of readings: nothing of a person's entry is answered that does not stand here before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from issuance_backend.moments import Clock
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.reads import repository
from monitoring.database import Database
from verification.messages.registry_access import ReadingFor

KEPT = timedelta(days=730)
ONE_EXTRACT = timedelta(hours=1)
"""Pages of a commune's people that are asked for within it, in the same words, are one extract."""


class ReadBook:
    """Writes down who read whose entry, and forgets after two years."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def note(self, citizen_number: str, reader: str, reading: ReadingFor) -> None:
        """Record that a program reads an entry, before it is answered."""
        self.note_all((citizen_number,), reader, reading)

    def note_form(self, form: str, reader: str, reading: ReadingFor) -> None:
        """Record that the picture of a form is looked at, before it is shown."""
        with self._database.writing() as connection:
            repository.add_of_form(connection, form, reader, reading, self._clock())

    def note_all(self, citizen_numbers: Collection[str], reader: str, reading: ReadingFor) -> None:
        """Record that a program reads several entries; of none nothing is written."""
        if not citizen_numbers:
            return
        with self._database.writing() as connection:
            numbers = dict.fromkeys(people.reference_number(connection, each) for each in citizen_numbers)
            repository.add(connection, tuple(numbers), reader, reading, self._clock())

    def note_commune(self, commune: str, reader: str, reading: ReadingFor) -> None:
        """Record that a program reads the entries of a commune's people: once, in however many pages."""
        moment = self._clock()
        with self._database.writing() as connection:
            if not repository.reads_commune(connection, commune, reader, reading, moment - ONE_EXTRACT):
                repository.add_commune(connection, commune, reader, reading, moment)

    def forget(self) -> int:
        """Forget what was read more than two years ago; how many readings that were."""
        with self._database.writing() as connection:
            return repository.forget(connection, self._clock() - KEPT)
