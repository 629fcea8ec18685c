"""Whose number no longer agrees with what the registry holds of its person."""

from __future__ import annotations

from collections.abc import Iterator

from issuance_backend.population_registry.matching import repository as entries
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication.domain import number_faults
from monitoring.database import Database

AT_ONCE = 500


class NumberCheck:
    """Walks every entry; numbers that lead to another person since a merge are not corrected any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def disagreeing(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Citizen number and codes of what differs, in the order of the numbers: year of birth with its
        century (``CITIZEN_NUMBER_BIRTH_YEAR_DIFFERS``), sex (``CITIZEN_NUMBER_SEX_DIFFERS``), its form.
        """
        after = ""
        while True:
            with self._database.reading() as connection:
                found = entries.persons(connection, after, AT_ONCE)
                wrong = [(each.citizen_number, faults) for each in found if (faults := number_faults(each))]
                own = [each for each in wrong if people.reference_number(connection, each[0]) == each[0]]
            yield from own
            if len(found) < AT_ONCE:
                return
            after = found[-1].citizen_number
