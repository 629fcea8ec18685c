"""The matching desk: who in the registry may be meant, and keeping its index as new as the registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from issuance_backend.moments import Clock
from issuance_backend.population_registry import journal
from issuance_backend.population_registry.birth import read_birth_date
from issuance_backend.population_registry.matching import repository
from issuance_backend.population_registry.matching.domain import Candidate, Claim, prepare_claim
from issuance_backend.population_registry.matching.name import name_of_canonical
from issuance_backend.population_registry.matching.scoring import Scorer
from issuance_backend.population_registry.people import repository as people
from monitoring.database import Database
from verification.messages.person_match import (
    LIKELY,
    MatchAnswer,
    MatchCandidate,
    MatchEvidence,
    MatchQuery,
)

MAX_BLOCK = 20_000
"""Persons compared for one question; more share a key only for the commonest name without a whole date."""

_BATCH = 500
_SHARES_HOLD_FOR = timedelta(minutes=10)


class MatchingDesk:
    """Answers with candidates; it decides nothing and changes no entry."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counted: tuple[Scorer, datetime] | None = None

    def find(self, query: MatchQuery) -> MatchAnswer:
        """The candidates for a query; raises MalformedDocument for a date that is none."""
        asked = prepare_claim(_claim(query))
        scorer = self._scorer()
        with self._database.reading() as connection:
            block = repository.block(connection, asked, MAX_BLOCK + 1)
            was_indexed = repository.was_indexed(connection)
            ranked = scorer.candidates(asked, block[:MAX_BLOCK], query.limit)
            found = [_shown(candidate, scorer) for candidate in ranked]
            if query.others_than is not None:
                found = _others(connection, found, query.others_than)
        return MatchAnswer(candidates=tuple(found), complete=was_indexed and len(block) <= MAX_BLOCK)

    def refresh(self) -> int:
        """Index every entry that changed since it was indexed, and count name words anew; how many were."""
        done, after = 0, ""
        while True:
            # On SQLite whoever writes keeps readers of entries waiting, who write it down: where nothing
            # changed nothing is held, and what changed is looked at again by whoever holds it.
            with self._database.reading() as connection:
                stale, following = repository.not_indexed(connection, after, _BATCH)
            if stale:
                with self._database.writing() as connection:
                    # Whoever writes an entry indexes it: one after the other.
                    journal.begin(connection, self._clock())
                    stale, following = repository.not_indexed(connection, after, _BATCH)
                    done += repository.put(connection, stale)
            after = following
            if not after:
                break
            if stale:
                self._database.give_way()
        if done or not self._was_indexed():
            self._count_words()
        return done

    def begin(self) -> None:
        """Make an index that was never made; housekeeping keeps one as new as the entries."""
        if not self._was_indexed():
            self.refresh()

    def _was_indexed(self) -> bool:
        with self._database.reading() as connection:
            return repository.was_indexed(connection)

    def _count_words(self) -> None:
        counts: Counter[str] = Counter()
        # Read before the write: of two that count at once the later one stands, and both are near enough.
        with self._database.reading() as connection:
            for name in repository.names(connection):
                counts.update(set(name_of_canonical(name).bare))
        with self._database.writing() as connection:
            repository.write_frequencies(connection, counts)
        self._counted = None

    def _scorer(self) -> Scorer:
        moment = self._clock()
        if self._counted is None or moment - self._counted[1] > _SHARES_HOLD_FOR:
            with self._database.reading() as connection:
                self._counted = Scorer(repository.frequencies(connection)), moment
        return self._counted[0]


def _claim(query: MatchQuery) -> Claim:
    return Claim(
        full_name=query.full_name,
        date_of_birth=read_birth_date(query.date_of_birth) if query.date_of_birth else None,
        sex=query.sex,
        number=query.number,
        place_of_origin=query.place_of_origin,
        residence=query.residence,
        father=query.father,
        mother=query.mother,
    )


def _others(
    connection: Connection, found: Iterable[MatchCandidate], citizen_number: str
) -> list[MatchCandidate]:
    """The likely ones who are not this number's person, each person once, best first."""
    own = people.reference_number(connection, citizen_number)
    others: dict[str, MatchCandidate] = {}
    for each in found:
        reference = people.reference_number(connection, each.citizen_number)
        if each.likeness == LIKELY and reference != own:
            others.setdefault(reference, msgspec.structs.replace(each, citizen_number=reference))
    return list(others.values())


def _shown(candidate: Candidate, scorer: Scorer) -> MatchCandidate:
    return MatchCandidate(
        citizen_number=candidate.citizen_number,
        likeness=scorer.likeness(candidate.bits),
        bits=candidate.bits,
        evidence=tuple(
            MatchEvidence(item.field, item.level, round(item.bits, 2)) for item in candidate.evidence
        ),
    )
