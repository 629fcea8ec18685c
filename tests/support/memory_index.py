"""The matching index in memory: for trials with very many questions, and to hold the database's against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from issuance_backend.population_registry.matching.domain import Candidate, Comparable
from issuance_backend.population_registry.matching.keys import Keys, index_keys, sought_keys, whole_date
from issuance_backend.population_registry.matching.name import WordFrequencies
from issuance_backend.population_registry.matching.scoring import Scorer


class MemoryIndex:
    """Persons and, for each kind of key, its values in order with the rows they stand for."""

    def __init__(self, persons: Sequence[Comparable]) -> None:
        self._persons = persons
        keys = np.zeros((6, len(persons)), dtype=np.int64)
        for row, person in enumerate(persons):
            keys[:, row] = (person.born, *index_keys(person))
        self._columns = [_Sorted(column) for column in keys]
        self._by_number = {person.citizen_number: row for row, person in enumerate(persons)}
        self._by_old_id = {person.old_id: row for row, person in enumerate(persons) if person.old_id}
        self.scorer = Scorer(word_frequencies(persons))

    def find(self, asked: Comparable, limit: int = 10) -> list[Candidate]:
        """Who may be meant, best first."""
        return self.scorer.candidates(asked, self.block(asked), limit)

    def block(self, asked: Comparable) -> list[Comparable]:
        """The persons who share a key with the one asked for."""
        rows: set[int] = set()
        for numbers, number in ((self._by_number, asked.citizen_number), (self._by_old_id, asked.old_id)):
            if number in numbers:
                rows.add(numbers[number])
        sought = {"born": (whole_date(asked),), **sought_keys(asked)}
        for column, name in zip(self._columns, ("born", *Keys._fields), strict=True):
            for key in filter(None, sought[name]):
                rows.update(column.rows(key))
        return [self._persons[row] for row in rows]


class _Sorted:
    def __init__(self, values: npt.NDArray[np.int64]) -> None:
        self._order = np.argsort(values, kind="stable").astype(np.int32)
        self._values = values[self._order]

    def rows(self, key: int) -> list[int]:
        start = int(self._values.searchsorted(key, "left"))
        end = int(self._values.searchsorted(key, "right"))
        found: list[int] = self._order[start:end].tolist()
        return found


def word_frequencies(persons: Iterable[Comparable]) -> WordFrequencies:
    """How many of these people bear each word in their name."""
    people = 0
    counts: Counter[str] = Counter()
    for words in _words(persons):
        people += 1
        counts.update(words)
    return WordFrequencies(counts, people)


def _words(persons: Iterable[Comparable]) -> Iterator[set[str]]:
    return (set(person.name.bare) for person in persons)
