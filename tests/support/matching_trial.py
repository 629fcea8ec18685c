"""A labelled trial of demographic matching: who is asked for, who is found, and two plain methods beside it.

Half of the questions are about people of the registry, out of papers with labelled mistakes. The other half
are about people who are not in it: strangers, namesakes, brothers and sisters of registered people, twins.
"""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, median

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.matching.domain import Claim, prepare_claim, prepare_person
from issuance_backend.population_registry.matching.scoring import Likeness
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.matching.word_distance import edit_distance
from issuance_backend.population_registry.nation.old_records import OldRecord, old_records, spoiled
from issuance_backend.population_registry.nation.people import NationPerson, NationPlan, make_nation
from issuance_backend.population_registry.nation.repository import load_persons
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.nation.tables_of_names import Names
from monitoring.database import Database
from tests.support.lookalikes import namesake_of, sibling_of
from tests.support.memory_index import MemoryIndex
from verification.messages.person_match import MatchQuery

TODAY = date(2026, 11, 21)
_NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
# Of twenty who are not registered: 12 strangers, 3 brothers or sisters, 1 twin, 4 namesakes.
_STRANGERS, _SIBLINGS, _TWINS = 12, 15, 16
_DATE_SLACK = 5
_MOST_LETTERS = 4


@dataclass(frozen=True)
class Trial:
    """The registry's people and the questions."""

    people: Sequence[NationPerson]
    questions: Sequence[OldRecord]


@dataclass(frozen=True)
class Outcome:
    """``found`` and ``missed`` of the registered, ``wrong`` pairs that were declared the same person.

    ``milliseconds`` is the time of half of the questions at most, ``slowest`` of 99 in 100, ``mean`` of one.
    """

    found: int
    missed: int
    wrong: int
    milliseconds: float = 0.0
    slowest: float = 0.0
    mean: float = 0.0

    @property
    def times(self) -> str:
        """How long questions took, in words."""
        return f"median {self.milliseconds:.2f} ms, mean {self.mean:.2f}, 99 of 100 within {self.slowest:.2f}"

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed)

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.wrong)

    @property
    def error(self) -> float:
        """One minus the harmonic mean of recall and precision."""
        return 1 - 2 * self.found / (2 * self.found + self.missed + self.wrong)


def make_trial(people: int, questions: int, seed: int) -> Trial:
    """A nation, and as many questions about its people as about others."""
    plan = NationPlan(people=people + questions, seed=seed, today=TODAY)
    made = list(make_nation(plan))
    registered, others = made[:people], made[people:]
    draw = random.Random(seed)  # noqa: S311 - the same trial must come out again
    asked = draw.sample(registered, questions // 2)
    about = [*old_records(asked, seed), *_about_nobody(draw, asked, others)]
    return Trial(registered, about)


def _about_nobody(
    draw: random.Random, asked: Sequence[NationPerson], others: Sequence[NationPerson]
) -> Iterator[OldRecord]:
    names = Names()
    for position, (person, other) in enumerate(zip(asked, others, strict=False)):
        kind = position % 20
        if kind < _STRANGERS:
            entry, former = other.entry, other.former_residence
        elif kind < _TWINS:
            entry = sibling_of(draw.random, person, names, is_twin=kind >= _SIBLINGS)
            former = person.former_residence
        else:
            entry, former = namesake_of(draw.random, person.entry, other.entry), other.former_residence
        claim, mistakes = spoiled(draw.random, entry, former)
        yield OldRecord(claim, None, mistakes)


def ours(trial: Trial) -> Outcome:
    """The index in memory, in processor time; whoever is listed as likely is declared the same person."""
    index = MemoryIndex([prepare_person(person.entry) for person in trial.people])

    def likely(claim: Claim) -> set[str]:
        return {
            candidate.citizen_number
            for candidate in index.find(prepare_claim(claim))
            if index.scorer.likeness(candidate.bits) is Likeness.LIKELY
        }

    return _timed(trial, likely, time.thread_time)


def in_registry(trial: Trial, database: Database) -> Outcome:
    """The same people in an empty registry, asked for through its own desk and SQL, in time of the day."""
    with database.writing() as connection:
        load_persons(connection, (person.entry for person in trial.people), rfc3339(_NOW))
    NationOffice(database, lambda: _NOW).index()
    desk = MatchingDesk(database, lambda: _NOW)

    def likely(claim: Claim) -> set[str]:
        candidates = desk.find(_query(claim)).candidates
        return {each.citizen_number for each in candidates if each.likeness == Likeness.LIKELY}

    return _timed(trial, likely, time.perf_counter)


def _query(claim: Claim) -> MatchQuery:
    said = {name: getattr(claim, name) for name in Claim.__dataclass_fields__}
    return MatchQuery(**{**said, "date_of_birth": claim.date_of_birth and claim.date_of_birth.text})


def _timed(trial: Trial, likely: Callable[[Claim], set[str]], clock: Callable[[], float]) -> Outcome:
    answers, times = [], []
    for record in trial.questions:
        started = clock()
        answers.append(likely(record.claim))
        times.append((clock() - started) * 1000)
    times.sort()
    return replace(
        _judged(trial, answers),
        milliseconds=median(times),
        slowest=times[int(len(times) * 0.99)],
        mean=fmean(times),
    )


def exact_hash(trial: Trial) -> Outcome:
    """Name in capitals and NFC, whole date and sex, compared as one key."""
    index: dict[tuple[str, str, str | None], set[str]] = {}
    for person in trial.people:
        entry = person.entry
        key = (_plain(entry.full_name), entry.date_of_birth.isoformat(), entry.sex)
        index.setdefault(key, set()).add(entry.citizen_number)
    answers = []
    for record in trial.questions:
        claim = record.claim
        born = claim.date_of_birth.text if claim.date_of_birth else ""
        answers.append(index.get((_plain(claim.full_name), born, claim.sex), set()))
    return _judged(trial, answers)


def best_edit_distance(trial: Trial) -> Outcome:
    """Letters of the name that differ, born within five days (or in the year, where only it is known).

    Tried with up to four letters, with the mother's name and without: the best of them on this very trial.
    """
    by_day: dict[date, list[int]] = {}
    by_year: dict[int, list[int]] = {}
    names = [(_plain(person.entry.full_name), _plain(person.entry.mother)) for person in trial.people]
    for row, person in enumerate(trial.people):
        by_day.setdefault(person.entry.date_of_birth, []).append(row)
        by_year.setdefault(person.entry.date_of_birth.year, []).append(row)
    distances = [
        list(_near_names(record.claim, names, _near_in_time(record.claim, by_day, by_year)))
        for record in trial.questions
    ]
    outcomes = []
    for most in range(_MOST_LETTERS + 1):
        for with_mother in (True, False):
            answers = [
                {
                    trial.people[row].entry.citizen_number
                    for row, name, mother in near
                    if name <= most and (mother <= most or not with_mother)
                }
                for near in distances
            ]
            outcomes.append(_judged(trial, answers))
    return min(outcomes, key=lambda outcome: outcome.error)


def _near_names(
    claim: Claim, names: Sequence[tuple[str, str]], rows: Iterable[int]
) -> Iterator[tuple[int, int, int]]:
    """Row, letters that differ in the name, and in the mother's name where it is known."""
    name, mother = _plain(claim.full_name), _plain(claim.mother)
    for row in rows:
        distance = edit_distance(name, names[row][0], _MOST_LETTERS)
        if distance <= _MOST_LETTERS:
            yield row, distance, edit_distance(mother, names[row][1], _MOST_LETTERS) if mother else 0


def _near_in_time(
    claim: Claim, by_day: dict[date, list[int]], by_year: dict[int, list[int]]
) -> Iterator[int]:
    born = claim.date_of_birth
    if born is None or not born.day:
        yield from by_year.get(born.year if born else 0, [])
        return
    day = date(born.year, born.month, born.day)
    for days in range(-_DATE_SLACK, _DATE_SLACK + 1):
        yield from by_day.get(day + timedelta(days=days), [])


def _judged(trial: Trial, answers: Sequence[set[str]]) -> Outcome:
    found = missed = wrong = 0
    for record, answer in zip(trial.questions, answers, strict=True):
        found += record.about in answer
        missed += record.about is not None and record.about not in answer
        wrong += len(answer - {record.about})
    return Outcome(found, missed, wrong)


def _plain(text: str | None) -> str:
    return " ".join(unicodedata.normalize("NFC", text or "").casefold().split())
