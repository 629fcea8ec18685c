"""Fills an empty stand's registry with an invented nation."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from issuance_backend import store_profile
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.matching.tables import MATCH_ENTRIES
from issuance_backend.population_registry.nation import repository
from issuance_backend.population_registry.nation.paper_mill import Write
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.tables import PERSONS
from monitoring.bulk_load import indexes_made_afterwards
from monitoring.database import Database

MAX_PEOPLE = 100_000_000
_AT_ONCE = 4_000


class NationOffice:
    """Makes people, and the index by which they are found."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seed(self, plan: NationPlan, write: Write | None = None) -> int:
        """Add the plan's invented citizens; ``write`` sees each portion too. They are found after ``index``.

        The nation stands wholly or not at all. Raises ValueError for a count that is none,
        ConfigurationFault for a registry of real people.
        """
        if not 0 < plan.people <= MAX_PEOPLE:
            raise ValueError(f"--people is 1 to {MAX_PEOPLE}")
        recorded_at = rfc3339(self._clock())
        with self._database.writing() as connection:
            store_profile.claim(connection, store_profile.DEMO)
            made = make_nation(plan, repository.numbers_taken(connection))
            with indexes_made_afterwards(connection, PERSONS), _uncollected():
                while portion := list(islice(made, _AT_ONCE)):
                    repository.load_persons(connection, [person.entry for person in portion], recorded_at)
                    if write is not None:
                        write(portion)
            if write is not None:
                write(())
        return plan.people

    def is_indexed(self) -> bool:
        """Whether there is an index, which is to stay whole."""
        with self._database.reading() as connection:
            return not matching.is_empty(connection)

    def index(self) -> int:
        """Index whoever is not indexed for matching yet; how many. The first index is loaded at once."""
        words: Counter[str] = Counter()
        done, after = 0, ""
        with self._database.writing() as connection:
            is_first = matching.is_empty(connection)
            with indexes_made_afterwards(connection, MATCH_ENTRIES):
                while is_first and (persons := matching.persons(connection, after, _AT_ONCE)):
                    rows = matching.index_rows(persons)
                    done += matching.load(connection, rows)
                    words += matching.people_by_word(rows)
                    after = persons[-1].citizen_number
            if is_first:
                matching.write_frequencies(connection, words)
        return done or MatchingDesk(self._database, self._clock).refresh()


@contextmanager
def _uncollected() -> Iterator[None]:
    """People refer to no one in a circle: looking through very many of them for circles costs a tenth."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
