"""How sure it is that two records speak of one person: bits for and against, field by field.

Each field gives the logarithm of how much likelier its agreement is for one person than for two
(Fellegi and Sunter, 1969). A name's share is what its words tell: Nguyễn Thị says little, Niê much.
To be taken for the same, a person must outweigh everybody else in the registry, so the limits grow
with the number of people. Nothing is merged by a score: it orders a list that an officer reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

from issuance_backend.population_registry.birth import BirthDate, BirthLevel, compare_births
from issuance_backend.population_registry.matching.domain import Candidate, Comparable, Evidence
from issuance_backend.population_registry.matching.name import (
    Name,
    NameLevel,
    WordFrequencies,
    compare_names,
)
from issuance_backend.population_registry.matching.place import Place, PlaceLevel, compare_places
from issuance_backend.population_registry.matching.word_distance import edit_distance


class Likeness(StrEnum):
    """What a score means for the officer who reads the list."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"


LIKELY_BITS = 8.0
"""Above the prior odds: what separates the likely, measured in tests/benchmarks/demographic_matching.py."""

POSSIBLE_BITS = -7.0

_NAME_LOSS = {
    NameLevel.SAME: -2.0,  # a gain: the marks agree too
    NameLevel.MARKS_MISSING: 0.0,
    NameLevel.TONE_CONFUSED: 1.0,
    NameLevel.MARKS_DIFFER: 4.0,
    NameLevel.OTHER_ORDER: 2.0,
    NameLevel.SPACES_DIFFER: 2.0,
    NameLevel.WORD_MISSPELT: 3.0,
    NameLevel.WORD_MISSING: 3.0,
    NameLevel.OTHER_ORDER_MISSPELT: 6.0,
    NameLevel.TWO_MISTAKES: 6.0,
    NameLevel.MIDDLE_OTHER: 10.0,
    NameLevel.SURNAME_OTHER: 12.0,
    # Brothers and sisters agree in everything else; twins even in the day.
    NameLevel.GIVEN_NEARLY: 14.0,
    NameLevel.GIVEN_OTHER: 60.0,
    NameLevel.OTHER: 60.0,
}
# Words of one name go together: what they tell alone must not be added up without end.
_MOST_OF_A_NAME = 20.0
_MOST_OF_A_PARENT = 12.0
_PARENT_OTHER = -9.0
_PARENT_LOSS = 4.0
_BIRTH = {
    BirthLevel.SAME: 14.5,  # 80 years of 365 days
    BirthLevel.SAME_MONTH: 9.5,
    BirthLevel.SAME_YEAR: 6.0,
    BirthLevel.DAY_AND_MONTH_SWAPPED: 8.5,
    BirthLevel.ONE_DIGIT_OTHER: 7.5,
    BirthLevel.YEAR_FOR_DATE: 5.5,
    BirthLevel.SAME_YEAR_OTHER_DAY: -4.0,
    BirthLevel.OTHER: -12.0,
}
_ORIGIN = {
    PlaceLevel.SAME_COMMUNE: 9.0,
    PlaceLevel.SAME_DISTRICT: 6.5,
    PlaceLevel.SAME_PROVINCE: 4.5,
    PlaceLevel.SAME_UNIT_SINCE_2025: 3.5,
    PlaceLevel.OTHER: -3.0,
    PlaceLevel.UNKNOWN: 0.0,
}
# People move, and a household shares its address: less for, and hardly anything against.
_RESIDENCE = {
    PlaceLevel.SAME_COMMUNE: 4.0,
    PlaceLevel.SAME_DISTRICT: 3.0,
    PlaceLevel.SAME_PROVINCE: 2.0,
    PlaceLevel.SAME_UNIT_SINCE_2025: 1.5,
    PlaceLevel.OTHER: -1.0,
    PlaceLevel.UNKNOWN: 0.0,
}
_SEX_SAME, _SEX_OTHER = Evidence("sex", "same", 1.0), Evidence("sex", "other", -7.0)
_NUMBERS = frozenset({"citizen_number", "old_id"})
_NUMBER_SAME, _NUMBER_NEAR, _NUMBER_OTHER = 26.0, 12.0, -12.0
_MOST_TO_COME = 2 * _MOST_OF_A_PARENT + _ORIGIN[PlaceLevel.SAME_COMMUNE] + _RESIDENCE[PlaceLevel.SAME_COMMUNE]


class Scorer:
    """Compares against a registry whose names are as frequent as ``frequencies`` says."""

    def __init__(self, frequencies: WordFrequencies) -> None:
        self._frequencies = frequencies
        self._prior = math.log2(max(frequencies.people, 2))
        self.possible_from = self._prior + POSSIBLE_BITS
        self.likely_from = self._prior + LIKELY_BITS

    def likeness(self, bits: float) -> Likeness:
        """What a score means among this many people."""
        if bits >= self.likely_from:
            return Likeness.LIKELY
        return Likeness.POSSIBLE if bits >= self.possible_from else Likeness.UNLIKELY

    def candidates(self, asked: Comparable, persons: Iterable[Comparable], limit: int) -> list[Candidate]:
        """Those who are at least possible, best first, at most ``limit``.

        Who has the very number asked for is always listed: another name under it needs an explanation.
        """
        found = []
        names: dict[tuple[str, ...], Evidence] = {}
        for person in persons:
            words = person.name.words
            if words not in names:
                names[words] = self._name_evidence(asked.name, person.name)
            evidence = [names[words], *_own_evidence(asked, person)]
            own = sum(item.bits for item in evidence)
            # Who cannot reach the list, whatever family and places would add, is not compared further.
            if own + _MOST_TO_COME < self.possible_from and not _have_same_number(evidence):
                continue
            evidence += self._surroundings(asked, person)
            bits = sum(item.bits for item in evidence)
            if _have_same_number(evidence):
                bits = max(bits, self.possible_from)
            if bits >= self.possible_from:
                found.append(Candidate(person.citizen_number, round(bits, 2), tuple(evidence)))
        found.sort(key=lambda candidate: (-candidate.bits, candidate.citizen_number))
        return found[:limit]

    def _name_evidence(self, one: Name, other: Name) -> Evidence:
        agreement = compare_names(one, other, self._frequencies.is_known)
        told = min(self._frequencies.bits(agreement.agreeing), _MOST_OF_A_NAME)
        return Evidence("full_name", agreement.level, told - _NAME_LOSS[agreement.level])

    def _surroundings(self, asked: Comparable, person: Comparable) -> Iterable[Evidence]:
        yield from _place_evidence("place_of_origin", asked.origin, person.origin, _ORIGIN)
        yield from _place_evidence("residence", asked.residence, person.residence, _RESIDENCE)
        yield from self._parent_evidence("father", asked.father, person.father)
        yield from self._parent_evidence("mother", asked.mother, person.mother)

    def _parent_evidence(self, field: str, one: Name, other: Name) -> Iterable[Evidence]:
        if not one.bare or not other.bare:
            return
        agreement = compare_names(one, other)
        loss = _NAME_LOSS[agreement.level]
        if loss > _PARENT_LOSS:
            yield Evidence(field, agreement.level, _PARENT_OTHER)
        else:
            told = min(self._frequencies.bits(agreement.agreeing), _MOST_OF_A_PARENT)
            yield Evidence(field, agreement.level, told - max(loss, 0.0))


def _own_evidence(asked: Comparable, person: Comparable) -> Iterable[Evidence]:
    if asked.born and person.born:
        level = _birth_level(asked.born, person.born)
        yield Evidence("date_of_birth", level, _BIRTH[level])
    if asked.sex and person.sex:
        yield _SEX_SAME if asked.sex == person.sex else _SEX_OTHER
    if (asked.citizen_number and person.citizen_number) or (asked.old_id and person.old_id):
        yield from _number_evidence(asked, person)


def _have_same_number(evidence: Iterable[Evidence]) -> bool:
    return any(item.field in _NUMBERS and item.level == "same" for item in evidence)


def _birth_level(one: int, other: int) -> BirthLevel:
    if one == other and one % 100:
        return BirthLevel.SAME
    return _compared_births(one, other)


def _compared_births(one: int, other: int) -> BirthLevel:
    asked, known = BirthDate.from_number(one), BirthDate.from_number(other)
    level = compare_births(asked, known)
    # Two that know only the year, or the month, agree in no more than that.
    if level is BirthLevel.SAME and not asked.day:
        return BirthLevel.SAME_MONTH if asked.month else BirthLevel.SAME_YEAR
    return level


def _number_evidence(asked: Comparable, person: Comparable) -> Iterable[Evidence]:
    # Nine and twelve digits are two numbers of one person: each is compared with its own kind.
    for field, one, other in (
        ("citizen_number", asked.citizen_number, person.citizen_number),
        ("old_id", asked.old_id, person.old_id),
    ):
        if one and other:
            if one == other:
                yield Evidence(field, "same", _NUMBER_SAME)
            elif edit_distance(one, other, 1) == 1:
                yield Evidence(field, "one-digit-other", _NUMBER_NEAR)
            else:
                yield Evidence(field, "other", _NUMBER_OTHER)


def _place_evidence(
    field: str, one: Place, other: Place, bits: dict[PlaceLevel, float]
) -> Iterable[Evidence]:
    level = compare_places(one, other)
    if level is not PlaceLevel.UNKNOWN:
        yield Evidence(field, level, bits[level])
