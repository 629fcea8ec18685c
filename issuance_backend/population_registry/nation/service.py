"""Fills an empty stand's registry with an invented nation, and tells what happened to its people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from issuance_backend import store_profile
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.population_registry.matching import repository as matching
from issuance_backend.population_registry.matching.domain import Claim
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.matching.tables import MATCH_ENTRIES
from issuance_backend.population_registry.nation import repository
from issuance_backend.population_registry.nation.events import events_of
from issuance_backend.population_registry.nation.old_records import OldRecord, old_records
from issuance_backend.population_registry.nation.people import NationPerson, NationPlan, make_nation
from issuance_backend.population_registry.tables import PERSONS
from monitoring.bulk_load import indexes_made_afterwards
from monitoring.database import Database

MAX_PEOPLE = 100_000_000
_AT_ONCE = 20_000
_EVENT_YEARS = 2
_CLAIM_FIELDS = tuple(Claim.__dataclass_fields__)
_values_of_claim = attrgetter(*_CLAIM_FIELDS)

Write = Callable[[Iterable[NationPerson]], None]


class NationOffice:
    """Makes people, their events and the faulty papers about them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seed(self, plan: NationPlan, write: Write | None = None) -> int:
        """Add the plan's invented citizens; ``write`` sees each portion too. ``index`` lets them be found.

        The nation stands wholly or not at all. Raises ValueError for a count that is none,
        ConfigurationFault for a registry of real people.
        """
        if not 0 < plan.people <= MAX_PEOPLE:
            raise ValueError(f"--people is 1 to {MAX_PEOPLE}")
        recorded_at = rfc3339(self._clock())
        with self._database.writing() as connection:
            store_profile.claim(connection, store_profile.DEMO)
            made = make_nation(plan, repository.numbers_taken(connection))
            with indexes_made_afterwards(connection, PERSONS):
                while portion := list(islice(made, _AT_ONCE)):
                    repository.load_persons(connection, [person.entry for person in portion], recorded_at)
                    if write is not None:
                        write(portion)
        return plan.people

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


def writer(events: Path | None, papers: Path | None, plan: NationPlan) -> Write:
    """Writes JSON lines: what happened in the last years, and what old papers say with their mistakes."""
    for path in filter(None, (events, papers)):
        path.write_bytes(b"")
    since = plan.today - timedelta(days=_EVENT_YEARS * 365)

    def write(portion: Iterable[NationPerson]) -> None:
        people = list(portion)
        if events:
            _append(events, events_of(people, since))
        if papers:
            _append(papers, map(_paper, old_records(people, plan.seed)))

    return write


def _append(path: Path, items: Iterable[object]) -> None:
    with path.open("ab") as file:
        file.write(msgspec.json.Encoder().encode_lines(list(items)))


def _paper(record: OldRecord) -> dict[str, Any]:
    return {
        "about": record.about,
        "mistakes": record.mistakes,
        "claim": _said(record.claim),
    }


def _said(claim: Claim) -> dict[str, Any]:
    said = dict(zip(_CLAIM_FIELDS, _values_of_claim(claim), strict=True))
    return {**said, "date_of_birth": claim.date_of_birth and claim.date_of_birth.text}
