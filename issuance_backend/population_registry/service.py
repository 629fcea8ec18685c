"""The registry's counter: answers questions and hands out extracts."""

from __future__ import annotations

from issuance_backend.population_registry import domain, repository
from issuance_backend.population_registry.people import repository as people
from issuance_backend.refusals import RegistryPersonUnknown
from monitoring.database import Database
from verification.messages.enrollment import PersonExtract
from verification.messages.person_query import PersonAnswer, PersonQuery


class RegistryDesk:
    """Serves other programs out of the registry's database; an alias leads to its reference."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(self, query: PersonQuery) -> PersonAnswer:
        """Compare the attributes asked about with the entry."""
        with self._database.reading() as connection:
            number = people.reference_number(connection, query.citizen_number)
            person = repository.person(connection, number)
        return domain.answer(query, person)

    def extract(self, citizen_number: str) -> PersonExtract:
        """The whole entry for a capture; raises RegistryPersonUnknown."""
        with self._database.reading() as connection:
            number = people.reference_number(connection, citizen_number)
            person = repository.person(connection, number)
        if person is None:
            raise RegistryPersonUnknown("no entry for the number asked for")
        return domain.extract(person)
