"""One recorded step, and what it changes in every figure. Pure: the same steps give the same figures.

A subject comes into a state and leaves the one it was in; the first time it reaches a counter it is
counted. A subject may stand for a lot of ``size`` things that move together (what older systems
counted, a delivery): everything it changes, it changes by its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from issuance_backend.moments import rfc3339
from issuance_backend.statistics.clocks import Arrival, ClockRun, ClockWork, Due
from issuance_backend.statistics.clocks import advance as advance_clocks
from issuance_backend.statistics.definitions import Vocabulary
from issuance_backend.statistics.units import UNKNOWN
from issuance_backend.statistics.working_days import WorkingDays
from issuance_backend.unit_codes import is_unit
from verification.messages.national_time import vietnam_date

MAX_SIZE = 1_000_000_000
_MAX_NAME = 24
_FIRST_BUCKET = 60
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
BUCKETS = 24
"""Time spent in a state is counted in buckets that double, from a minute to sixteen years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A recorded step as figures see it; ``at`` is the moment of recording."""

    sequence: int
    subject: str
    state: str
    at: datetime
    unit: str | None = None
    size: int = 1
    started: date | None = None
    detail: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def kind(self) -> str:
        """What kind of subject this is: what its name says before the stroke."""
        kind, stroke, _ = self.subject.partition("/")
        return kind[:_MAX_NAME] if stroke else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a subject stands."""

    state: str
    unit: str
    at: datetime
    size: int
    counted: frozenset[str] = frozenset()
    clocks: Mapping[str, ClockRun] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A step with the position it led to, and the figures it changed: (unit, figure), each by the size."""

    happening: Happening
    position: Position
    marks: tuple[tuple[str, str], ...]
    dues: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What figures are made by."""

    vocabulary: Vocabulary
    calendar: WorkingDays


def move(rules: Rules, former: Position | None, happening: Happening) -> Move:
    """What a step changes, given where its subject stood before it."""
    unit = happening.unit or (former.unit if former else UNKNOWN)
    size = former.size if former else happening.size
    kind, state = happening.kind, happening.state[:_MAX_NAME] or "none"
    marks: list[tuple[str, str]] = []
    if former is not None:
        bucket = time_bucket(happening.at - former.at)
        marks.append((former.unit, out_of(kind, former.state)))
        marks.append((former.unit, f"time.{kind}.{former.state}.{bucket:02d}"))
    marks.append((unit, into(kind, state)))
    counted = former.counted if former else frozenset()
    reached = [
        counter.id for counter in rules.vocabulary.counters_of.get(kind, ()) if counter.counts(state, counted)
    ]
    marks.extend((unit, count_of(name)) for name in reached)
    marks.extend((unit, name) for name in _causes(rules.vocabulary, kind, happening.detail))
    today = vietnam_date(happening.at)
    work = ClockWork(rules.calendar, marks, dues=[])
    arrival = Arrival(state, unit, today, min(happening.started or today, today), former is None)
    runs = former.clocks if former else {}
    clocks = advance_clocks(rules.vocabulary.clocks_of.get(kind, ()), runs, arrival, work)
    work.dues.extend(_ages(rules.vocabulary, former, happening, unit))
    position = Position(
        state=state,
        unit=unit,
        at=happening.at,
        size=size,
        counted=counted.union(reached),
        clocks=clocks,
    )
    return Move(happening=happening, position=position, marks=tuple(marks), dues=tuple(work.dues))


def into(kind: str, state: str) -> str:
    """The figure of what came into a state."""
    return f"in.{kind}.{state}"


def out_of(kind: str, state: str) -> str:
    """The figure of what left a state."""
    return f"out.{kind}.{state}"


def count_of(counter: str) -> str:
    """The figure of a counter."""
    return f"count.{counter}"


def cause_of(cause: str, code: str) -> str:
    """The figure of one code of a cause."""
    return f"cause.{cause}.{code}"


def age_of(kind: str, state: str) -> str:
    """Under which name the days are summed on which what is in a state came into it."""
    return f"age.{kind}.{state}"


def time_bucket(spent: timedelta) -> int:
    """The bucket of a time spent in a state."""
    minutes = max(0, int(spent.total_seconds())) // _FIRST_BUCKET
    return min(BUCKETS - 1, minutes.bit_length())


def bucket_limit(bucket: int) -> timedelta:
    """The time that everything in this bucket stayed below."""
    return timedelta(seconds=_FIRST_BUCKET * 2**bucket)


def happening_of(
    sequence: int, subject: str, state: str, at: datetime, detail: Mapping[str, str]
) -> Happening:
    """A recorded step as figures see it; what its detail does not say plainly, it does not say."""
    unit, size, started = detail.get("unit"), detail.get("size", ""), detail.get("happened_at", "")
    whole = int(size) if size.isascii() and size.isdigit() and len(size) <= 10 else 1
    return Happening(
        sequence=sequence,
        subject=subject,
        state=state,
        at=at,
        unit=unit if unit is not None and is_unit(unit) else None,
        size=min(max(whole, 1), MAX_SIZE),
        started=_day(started),
        detail=detail,
    )


def stands_where(position: Position, started: date | None, happening: Happening) -> Happening:
    """A first step that belongs to another subject: a card is where its dossier was taken."""
    return replace(happening, unit=happening.unit or position.unit, started=happening.started or started)


def recorded_at(text: str, former: datetime | None) -> datetime:
    """The moment a step was recorded at: never before the step that was recorded before it."""
    moment = datetime.fromisoformat(text)
    return moment if former is None else max(moment, former)


def stored(moment: datetime) -> str:
    """A moment as tables keep it."""
    return rfc3339(moment)


def _ages(words: Vocabulary, former: Position | None, happening: Happening, unit: str) -> Iterator[Due]:
    """What comes into a state of ages is due on that day, and cleared on the same day when it leaves."""
    for ages in words.ages:
        if ages.kind == happening.kind:
            name = age_of(ages.kind, ages.state)
            if former is not None and former.state == ages.state:
                yield Due(name, former.unit, vietnam_date(former.at), cleared=1)
            if happening.state == ages.state:
                yield Due(name, unit, vietnam_date(happening.at), due=1)


def _causes(words: Vocabulary, kind: str, detail: Mapping[str, str]) -> Iterator[str]:
    """The figures of the codes that a step names, each once; what is no code is counted as ``other``."""
    for cause in words.causes_of.get(kind, ()):
        said = " ".join(detail.get(name, "") for name in cause.details)
        # A finding says "where:what"; the code is the last word.
        codes = (each.rpartition(":")[2] for each in said.replace(",", " ").split())
        yield from dict.fromkeys(
            cause_of(cause.id, code if _CODE.fullmatch(code) else "other") for code in codes
        )


def _day(text: str) -> date | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return vietnam_date(moment) if moment.tzinfo else None
