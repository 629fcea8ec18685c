"""What recorded figures say about a campaign before it is planned. Pure.

The pace of an area with a target is that of its last seven days, as the report states it; that of any other
area is the mean of the days of the report's period.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from enrollment_admin.reports.charts import NOWHERE
from verification.messages.statistics import Report, TargetFigure, UnitLine

CAPTURED = "captured"

WEEK_MINUTES = 48 * 60
"""What an officer works in a week of six shifts (Labour Code 45/2019/QH14, article 105)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One area: people still to be captured, dossiers captured in a day, and the last day of its target."""

    unit: str
    left: int
    pace_a_day: float
    ends_on: date | None = None


def measured(report: Report, today: date) -> tuple[Measured, ...]:
    """Every area of a nation's report, those that have a target still to be reached first."""
    targets = _open_targets(report.targets, today)
    days = (date.fromisoformat(report.period_to) - date.fromisoformat(report.period_from)).days + 1
    aimed = tuple(
        Measured(
            each.unit,
            max(0, each.target - each.done),
            float(each.pace_a_day),
            date.fromisoformat(each.ends_on),
        )
        for each in targets.values()
    )
    others = tuple(
        Measured(line.unit, 0, _captured(line) / days)
        for line in report.units
        if line.unit not in targets and line.unit != NOWHERE
    )
    return aimed + others


def minutes_for_one(areas: Iterable[Measured], officers: Mapping[str, int]) -> float | None:
    """Minutes of an officer's work for one dossier, from measured paces; None where nothing was measured.

    A week of work of the officers of every area whose pace is known, divided by what it captures in a week.
    """
    known = [(each, officers.get(each.unit, 0)) for each in areas]
    known = [(each, count) for each, count in known if count and each.pace_a_day]
    if not known:
        return None
    dossiers = sum(each.pace_a_day * 7 for each, _ in known)
    return round(sum(count for _, count in known) * WEEK_MINUTES / dossiers, 1)


def _open_targets(targets: Iterable[TargetFigure], today: date) -> dict[str, TargetFigure]:
    """The target of each area that ends last; the nation's is the sum of its areas and none of its own."""
    is_open = [
        each
        for each in targets
        if each.unit and each.definition == CAPTURED and date.fromisoformat(each.ends_on) > today
    ]
    return {each.unit: each for each in sorted(is_open, key=lambda each: (each.unit, each.ends_on))}


def _captured(line: UnitLine) -> int:
    return line.in_period.get(CAPTURED, 0)
