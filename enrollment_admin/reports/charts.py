"""Lengths of drawn bars, in per cent of the room they have; the pages write the amounts beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from verification.messages.statistics import (
    CauseFigure,
    ClockFigure,
    PartFigure,
    Report,
    TargetFigure,
    TurnaroundFigure,
    UnitLine,
)

CLOCK_PARTS = ("on_time", "late", "inside", "overdue", "paused", "ended")
"""Every started time limit is in exactly one of them."""

NOWHERE = "000"
"""The line of steps that were recorded without a unit: it is shown, but nobody plans or leads it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount, as a length."""

    name: str
    amount: int
    percent: float


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a whole, where it begins and how long it is."""

    part: str
    amount: int
    start: float
    percent: float


@dataclass(frozen=True, slots=True)
class Progress:
    """A target: how much of it is done, and how much the present pace will make of it."""

    target: TargetFigure
    done: float
    projected: float


def bars(amounts: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    """Bars against the largest of them."""
    largest = max((amount for _, amount in amounts), default=0)
    return tuple(Bar(name, amount, _percent(amount, largest)) for name, amount in amounts)


def funnel(report: Report, counters: Sequence[str]) -> tuple[Bar, ...]:
    """Counters in the order of the work."""
    return bars([(name, report.total.to_date.get(name, 0)) for name in counters])


def causes(report: Report) -> tuple[tuple[str, tuple[tuple[CauseFigure, Bar], ...]], ...]:
    """The codes that were named, by what they are codes of."""
    drawn = []
    for definition, found in groupby(report.causes, attrgetter("definition")):
        figures = tuple(found)
        lengths = bars([(each.code, each.to_date) for each in figures])
        drawn.append((definition, tuple(zip(figures, lengths, strict=True))))
    return tuple(drawn)


def by_unit(units: Sequence[UnitLine], counter: str) -> tuple[tuple[UnitLine, Bar], ...]:
    """The units, the one that did most first."""
    ordered = sorted(units, key=lambda line: -line.to_date.get(counter, 0))
    drawn = bars([(line.name, line.to_date.get(counter, 0)) for line in ordered])
    return tuple(zip(ordered, drawn, strict=True))


def slices(clock: ClockFigure) -> tuple[Slice, ...]:
    """One time limit in its parts, beside each other; what is nothing is left out."""
    amounts: Mapping[str, int] = {part: getattr(clock, part) for part in CLOCK_PARTS}
    drawn, start = [], 0.0
    for part, amount in amounts.items():
        if amount:
            percent = _percent(amount, clock.started)
            drawn.append(Slice(part, amount, round(start, 2), percent))
            start += percent
    return tuple(drawn)


def fingers(parts: Sequence[PartFigure]) -> tuple[tuple[PartFigure, tuple[Slice, ...]], ...]:
    """The bands of every part beside each other, the worst first; what is nothing is left out."""
    drawn = []
    for part in parts:
        found, start = [], 0.0
        for each in part.bands:
            percent = _percent(each.to_date, part.whole)
            if each.to_date:
                found.append(Slice(each.band, each.to_date, round(start, 2), percent))
            start += percent
        drawn.append((part, tuple(found)))
    return tuple(drawn)


def stays(turnarounds: Sequence[TurnaroundFigure]) -> tuple[tuple[TurnaroundFigure, Bar], ...]:
    """How long states took on average, against the longest of them; those that took no time are left out."""
    timed = [each for each in turnarounds if each.average_minutes not in {None, "0.0"}]
    minutes = bars([(each.state, each.seconds // each.left) for each in timed])
    return tuple(zip(timed, minutes, strict=True))


def in_words(minutes: str | None) -> tuple[str, str] | None:
    """A time as people say it: the number, and which unit it is of."""
    if minutes is None:
        return None
    value = Decimal(minutes)
    for unit, length in (("days", 24 * 60), ("hours", 60)):
        if value >= 2 * length:
            return str((value / length).quantize(Decimal("0.1"))), unit
    return minutes, "minutes"


def progress(targets: Sequence[TargetFigure]) -> tuple[Progress, ...]:
    """Targets, by rank; a bar that is full has reached its target."""
    ordered = sorted(targets, key=lambda each: (each.definition, each.rank, each.unit))
    return tuple(
        Progress(
            each,
            min(100.0, _percent(each.done, each.target)),
            min(100.0, _percent(each.projected, each.target)),
        )
        for each in ordered
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
