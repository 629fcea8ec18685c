"""One recorded step, and what it changes in every figure. Pure: the same steps give the same figures.

A subject comes into a state and leaves the one it was in; the first time it reaches a counter it is
counted. A subject may stand for a lot of ``size`` things that move together (what older systems
counted, a delivery): everything it changes, it changes by its size.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType

from issuance_backend.moments import rfc3339
from issuance_backend.statistics.clocks import Arrival, ClockRun, ClockWork, Due, stop_by
from issuance_backend.statistics.clocks import advance as advance_clocks
from issuance_backend.statistics.definitions import Measure, Vocabulary
from issuance_backend.statistics.units import UNKNOWN
from issuance_backend.statistics.working_days import WorkingDays
from issuance_backend.unit_codes import is_unit
from verification.messages.national_time import vietnam_date

COUNTING = 3
"""Counted up with every change of this code that makes another figure of the same steps."""

MAX_SIZE = 1_000_000_000
_OWNER = "dossier"
_OUT, _SPENT, _MEASURED, _SUM = "out.", "spent.", "measured.", "sum."
_MAX_NAME = 24
_MAX_DIGITS = 10
_FIRST_BUCKET = 60
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
Mark = tuple[str, str]
"""A figure of a unit: (unit, figure)."""

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
        return kind_of(self.subject)


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
    """A step with the position it led to, and the figures it changed: (unit, figure), each by the size.

    ``spent`` are the seconds in the state that it ended, ``measured`` is what it measured.
    """

    happening: Happening
    position: Position
    marks: tuple[Mark, ...]
    dues: tuple[Due, ...]
    spent: int = 0
    measured: int = 0

    @property
    def amounts(self) -> Iterator[tuple[Mark, int]]:
        """Every figure it changed, and by how much."""
        size = self.position.size
        return weighed(self.marks, size, size * self.spent, size * self.measured)


@dataclass(frozen=True)
class Rules:
    """What figures are made by."""

    vocabulary: Vocabulary
    calendar: WorkingDays

    @cached_property
    def fingerprint(self) -> str:
        """Changes with whatever makes another figure of the same steps: definitions, calendar, this code."""
        counting = (str(COUNTING).encode(), self.vocabulary.counting, self.calendar.counting)
        return hashlib.sha256(b"\n".join(counting)).hexdigest()


def move(rules: Rules, former: Position | None, happening: Happening) -> Move:
    """What a step changes, given where its subject stood before it."""
    unit = happening.unit or (former.unit if former else UNKNOWN)
    size = former.size if former else happening.size
    kind, state = happening.kind, state_of(happening.state)
    marks: list[Mark] = []
    spent = 0
    if former is not None:
        spent = max(0, int((happening.at - former.at).total_seconds()))
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
    marks.extend((unit, name) for name in _bands(rules.vocabulary, kind, happening.detail))
    measure = rules.vocabulary.measure_of.get(kind)
    measured = _measured(measure, happening.detail) if measure else None
    if measure and measured is not None:
        marks.append((unit, measured_of(measure.id)))
    today = vietnam_date(happening.at)
    work = ClockWork(rules.calendar, marks, dues=[])
    started = min(happening.started or today, today)
    arrival = Arrival(state, unit, today, started, former is None, happening.detail)
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
    return Move(
        happening=happening,
        position=position,
        marks=tuple(marks),
        dues=tuple(work.dues),
        spent=spent,
        measured=measured or 0,
    )


def told_to(rules: Rules, owner: Position, made: Move, former: Position | None) -> tuple[Move, Position]:
    """A step of something that belongs to a dossier: what it changes besides, and where the dossier stands.

    The figures are the step's own, each by its size: a lot of another size is not what the dossier waits for.
    """
    counted = made.position.counted.difference(former.counted if former else ())
    if made.position.size != owner.size or not counted:
        return made, owner
    work = ClockWork(rules.calendar, marks=list(made.marks), dues=list(made.dues))
    clocks = rules.vocabulary.clocks_of[_OWNER]
    runs = stop_by(clocks, owner.clocks, counted, work, vietnam_date(made.happening.at))
    after = owner if runs == owner.clocks else replace(owner, clocks=runs)
    return replace(made, marks=tuple(work.marks), dues=tuple(work.dues)), after


def weighed(marks: Iterable[Mark], size: int, spent: int, measured: int) -> Iterator[tuple[Mark, int]]:
    """Every figure that steps with these marks change, by how much: sums go along with what they are of."""
    for unit, figure in marks:
        yield (unit, figure), size
        if figure.startswith(_OUT):
            yield (unit, figure.replace(_OUT, _SPENT, 1)), spent
        elif figure.startswith(_MEASURED):
            yield (unit, figure.replace(_MEASURED, _SUM, 1)), measured


def kind_of(subject: str) -> str:
    """What a subject's name says before the stroke."""
    kind, stroke, _ = subject.partition("/")
    return kind[:_MAX_NAME] if stroke else "other"


def state_of(state: str) -> str:
    """A recorded state as figures name it."""
    return state[:_MAX_NAME] or "none"


def into(kind: str, state: str) -> str:
    """The figure of what came into a state."""
    return f"in.{kind}.{state}"


def out_of(kind: str, state: str) -> str:
    """The figure of what left a state."""
    return f"{_OUT}{kind}.{state}"


def spent_in(kind: str, state: str) -> str:
    """The figure of the seconds that what left a state had been there."""
    return f"{_SPENT}{kind}.{state}"


def measured_of(measure: str) -> str:
    """The figure of how often a measure was taken."""
    return f"{_MEASURED}{measure}"


def sum_of(measure: str) -> str:
    """The figure of what was measured in all."""
    return f"{_SUM}{measure}"


def band_of(distribution: str, part: str, band: str) -> str:
    """The figure of one band of one part of a distribution."""
    return f"band.{distribution}.{part}.{band}"


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
    return Happening(
        sequence=sequence,
        subject=subject,
        state=state,
        at=at,
        unit=unit if unit is not None and is_unit(unit) else None,
        size=min(max(_whole(size) or 1, 1), MAX_SIZE),
        started=_day(started),
        detail=detail,
    )


def stands_where(position: Position, happening: Happening) -> Happening:
    """A first step that belongs to another subject: a card is where its dossier was taken."""
    return replace(happening, unit=happening.unit or position.unit)


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


def _bands(words: Vocabulary, kind: str, detail: Mapping[str, str]) -> Iterator[str]:
    """The figures of the bands that a step names, each part once; what is not defined is no figure."""
    for each in words.distributions_of.get(kind, ()):
        told = dict(word.split(":", 1) for word in detail.get(each.detail, "").split() if ":" in word)
        for part, band in told.items():
            if part in each.parts and band in each.bands:
                yield band_of(each.id, part, band)


def _measured(measure: Measure, detail: Mapping[str, str]) -> int | None:
    """The amount that a step names plainly and that can be believed."""
    amount = _whole(detail.get(measure.detail, ""))
    return amount if amount is not None and amount <= measure.most else None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def _day(text: str) -> date | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return vietnam_date(moment) if moment.tzinfo else None
