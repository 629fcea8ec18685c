"""Units compared by published criteria. Pure.

A unit has points for how much of its target is done, for how few of its dossiers were returned, and for how
many kept their time limit. Weights and bounds stand in ``leaderboard_criteria.json``; those of the report's
day count, so that a board of a past day stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib import resources

import msgspec

from enrollment_admin.reports.charts import NOWHERE
from verification.messages.statistics import ClockFigure, Report, TargetFigure

MEASURES = ("pace", "errors", "on_time")


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counters above and below the line."""

    part: str
    whole: str


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a unit must have reached, all of it, to be proposed for commendation."""

    done_percent: Decimal
    error_percent: Decimal
    on_time_percent: Decimal


class Criteria(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published version."""

    id: str
    version: int
    valid_from: date
    counter: str
    errors: Shares
    clock: str
    weights: dict[str, int]
    no_points_from_error_percent: Decimal
    commended: Bounds


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one unit; a share is None where nothing has been done yet."""

    unit: str
    name: str
    target: TargetFigure | None
    done_percent: Decimal | None
    error_percent: Decimal | None
    on_time_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Place:
    """A unit's place: its points by measure and in all; rank 0 is for a unit without a target."""

    standing: Standing
    points: Mapping[str, Decimal]
    total: Decimal
    rank: int
    is_commended: bool


@cache
def published() -> tuple[Criteria, ...]:
    """Every version, the oldest first."""
    content = resources.files(__package__).joinpath("leaderboard_criteria.json").read_bytes()
    return msgspec.json.decode(content, type=_File).criteria


def criteria_on(day: date, known: Iterable[Criteria] | None = None) -> Criteria:
    """The version in force on a day; before the first there is the first."""
    every = sorted(published() if known is None else known, key=lambda each: each.valid_from)
    return next((each for each in reversed(every) if each.valid_from <= day), every[0])


def contenders(report: Report, criteria: Criteria) -> tuple[str, ...]:
    """The units of a report, and whoever has a target: idle yet, or of a map before the report's."""
    aims = (each.unit for each in report.targets if each.definition == criteria.counter)
    units = dict.fromkeys((*(line.unit for line in report.units), *aims))
    return tuple(unit for unit in units if unit not in {report.unit, NOWHERE})


def standing(own: Report, targets: Iterable[TargetFigure], criteria: Criteria) -> Standing:
    """One unit by its own report, and by the targets of all."""
    target = _target(targets, own.unit, criteria.counter)
    counted = own.total.to_date
    clock = next((each for each in own.clocks if each.definition == criteria.clock), None)
    return Standing(
        unit=own.unit,
        name=own.unit_name,
        target=target,
        done_percent=_percent(target.done, target.target) if target else None,
        error_percent=_percent(counted.get(criteria.errors.part, 0), counted.get(criteria.errors.whole, 0)),
        on_time_percent=_on_time(clock),
    )


def board(standings: Iterable[Standing], criteria: Criteria) -> tuple[Place, ...]:
    """The places, the first first; equal points are equal ranks, units without a target stand at the end."""
    scored = [(each, _points(each, criteria)) for each in standings]
    totals = [sum(points.values(), Decimal(0)) for each, points in scored if each.target]
    places = [
        Place(
            each,
            points,
            total := sum(points.values(), Decimal(0)),
            1 + sum(other > total for other in totals) if each.target else 0,
            _is_commended(each, criteria.commended),
        )
        for each, points in scored
    ]
    return tuple(sorted(places, key=lambda place: (place.rank == 0, -place.total, place.standing.unit)))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    criteria: tuple[Criteria, ...]


def _points(each: Standing, criteria: Criteria) -> dict[str, Decimal]:
    limit = criteria.no_points_from_error_percent
    # Who has captured nothing has made no errors, and no points from that.
    errors = limit if each.error_percent is None else min(limit, each.error_percent)
    shares = {
        "pace": min(Decimal(100), each.done_percent or Decimal(0)) / 100,
        "errors": 1 - errors / limit,
        "on_time": (each.on_time_percent or Decimal(0)) / 100,
    }
    return {name: _rounded(shares[name] * criteria.weights[name]) for name in MEASURES}


def _is_commended(each: Standing, bounds: Bounds) -> bool:
    if each.done_percent is None or each.error_percent is None or each.on_time_percent is None:
        return False
    return (
        each.done_percent >= bounds.done_percent
        and each.error_percent <= bounds.error_percent
        and each.on_time_percent >= bounds.on_time_percent
    )


def _target(targets: Iterable[TargetFigure], unit: str, counter: str) -> TargetFigure | None:
    """The target of a unit that ends last."""
    own = [each for each in targets if each.unit == unit and each.definition == counter and each.target]
    return max(own, key=lambda each: each.ends_on, default=None)


def _on_time(clock: ClockFigure | None) -> Decimal | None:
    """Of what is due: a dossier that is overdue counts as late before it is finished."""
    return None if clock is None else _percent(clock.on_time, clock.on_time + clock.late + clock.overdue)


def _percent(part: int, whole: int) -> Decimal | None:
    # Not rounded: 1,999 of 2,000 are less than the whole, and no reason to commend anybody.
    return Decimal(100) * part / whole if whole else None


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)
