"""One attribute in two times: when it was so, and when the registry held that it was so.

Nothing that was once recorded is changed. A new statement ends the standing of what it contradicts and
records again, with their old origin, the parts it does not touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

BEGINNING = date(1, 1, 1)
"""From the first day."""

OPEN_END = date(9999, 12, 31)
"""Until further notice."""

STANDING = "9999-12-31T23:59:59.999999Z"
"""Not superseded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who says so, on what evidence, and how sure that is (0 to 100)."""

    source: str
    evidence: str
    confidence: int
    reported_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A value over a period, as it was held from one moment to another; ``id`` is 0 before it is kept."""

    value: str | None
    valid_from: date
    valid_to: date
    recorded_at: str
    origin: Origin
    superseded_at: str = STANDING
    id: int = 0

    def holds(self, valid_on: date, known_at: str) -> bool:
        """Whether it was in force on a day, as known at a moment."""
        return self.valid_from <= valid_on < self.valid_to and (
            self.recorded_at <= known_at < self.superseded_at
        )

    @property
    def stands(self) -> bool:
        """Whether the registry holds it still."""
        return self.superseded_at == STANDING


@dataclass(frozen=True, slots=True)
class Revision:
    """What a statement does to a timeline."""

    superseded: tuple[Fact, ...]
    added: tuple[Fact, ...]


def state(standing: Sequence[Fact], statement: Fact) -> Revision:
    """Hold a statement over its own period against what stands."""
    touched = [fact for fact in standing if _overlap(fact, statement)]
    added = [part for fact in touched for part in _rest(fact, statement)]
    return Revision(tuple(touched), (*added, statement))


def change(standing: Sequence[Fact], statement: Fact) -> Revision:
    """Hold a value from a day on, until the next change that is known already."""
    later = [fact.valid_from for fact in standing if fact.valid_from > statement.valid_from]
    return state(standing, replace(statement, valid_to=min(later, default=OPEN_END)))


def correct(standing: Sequence[Fact], statement: Fact) -> Revision:
    """Put another value in place of the one in force on ``valid_from``, for as long as that was in force."""
    wrong = next((fact for fact in standing if fact.valid_from <= statement.valid_from < fact.valid_to), None)
    if wrong is None:
        return change(standing, statement)
    return state(standing, replace(statement, valid_from=wrong.valid_from, valid_to=wrong.valid_to))


def in_force(facts: Iterable[Fact], valid_on: date, known_at: str) -> Fact | None:
    """The fact in force on a day as known at a moment; there is at most one."""
    return next((fact for fact in facts if fact.holds(valid_on, known_at)), None)


def _overlap(one: Fact, other: Fact) -> bool:
    return one.valid_from < other.valid_to and other.valid_from < one.valid_to


def _rest(fact: Fact, statement: Fact) -> list[Fact]:
    again = replace(fact, id=0, recorded_at=statement.recorded_at)
    parts = []
    if fact.valid_from < statement.valid_from:
        parts.append(replace(again, valid_to=statement.valid_from))
    if statement.valid_to < fact.valid_to:
        parts.append(replace(again, valid_from=statement.valid_to))
    return parts
