"""What a plan comes to, drawn and beside the plan before it. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from verification.messages.campaign_plan import (
    MAX_AREAS,
    MAX_DAYS,
    Amount,
    Area,
    AreaPlan,
    DayPlan,
    Plan,
    PlanRequest,
)

WIDTH, HEIGHT = 1000, 300
"""Of the drawings, in their own units; the page gives them the room that it has."""

MAX_FORMER_CHARACTERS = 40_000
_MINUTES = 60


class AreaOutlook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One area of an earlier plan."""

    unit: str
    captured: Amount


class Outlook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a plan on the page, so that the next one can be seen beside it.

    ``by_day`` is how many people were captured up to each day, the first day first.
    """

    target: Amount
    captured: Amount
    officer_days: Amount
    overtime_hours: Amount
    lent_weeks: Amount
    areas: tuple[AreaOutlook, ...]
    by_day: tuple[Amount, ...]

    @property
    def shortfall(self) -> int:
        """People without a card."""
        return max(0, self.target - self.captured)


@dataclass(frozen=True, slots=True)
class WeekLine:
    """One area in one week: the most officers on a day, and hours of overtime in all."""

    week: str
    at_stations: int
    in_teams: int
    overtime_hours: int
    lent: int


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One area of a plan, with how full its means are and what the plan before made of it."""

    plan: AreaPlan
    percent: float
    officers_used: float
    places_used: float
    weeks: tuple[WeekLine, ...]
    former: AreaOutlook | None


def outlook(request: PlanRequest, plan: Plan) -> Outlook:
    """What is kept of a plan."""
    days = [day for area in plan.areas for day in area.days]
    return Outlook(
        target=plan.target,
        captured=plan.captured,
        officer_days=sum(day.at_stations + day.in_teams for day in days),
        overtime_hours=sum(day.overtime_hours for day in days),
        lent_weeks=sum(sum(area.lent.values()) for area in plan.areas),
        areas=tuple(AreaOutlook(area.unit, area.captured) for area in plan.areas),
        by_day=_by_day(request, plan),
    )


def former_outlook(text: str) -> Outlook | None:
    """The plan before, as the page carried it; None of what is none."""
    if not text or len(text) > MAX_FORMER_CHARACTERS:
        return None
    try:
        found = msgspec.json.decode(text, type=Outlook)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return found if len(found.by_day) <= MAX_DAYS and len(found.areas) <= MAX_AREAS else None


def lines(request: PlanRequest, plan: Plan, former: Outlook | None) -> tuple[AreaLine, ...]:
    """The areas, those that fall short most first."""
    before = {each.unit: each for each in former.areas} if former else {}
    asked = {area.unit: area for area in request.areas}
    drawn = (
        AreaLine(
            area,
            _percent(area.captured, area.target),
            _officers_used(asked[area.unit], area, request, plan),
            _places_used(asked[area.unit], area, request),
            _weeks(area),
            before.get(area.unit),
        )
        for area in plan.areas
    )
    return tuple(sorted(drawn, key=lambda line: (-line.plan.shortfall, line.plan.unit)))


def scale(*plans: Outlook | None) -> int:
    """The number of people at the top of the drawing."""
    return max((most for each in plans if each for most in (each.target, each.captured)), default=1) or 1


def curve(by_day: Sequence[int], days: int, top: int) -> str:
    """People captured by day as the points of a line, within the drawing."""
    step = WIDTH / max(1, days)
    points = [(0.0, float(HEIGHT))]
    points += [(step * (place + 1), HEIGHT * (1 - min(1.0, done / top))) for place, done in enumerate(by_day)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points if x <= WIDTH + 0.1)


def _by_day(request: PlanRequest, plan: Plan) -> tuple[int, ...]:
    count = (request.ends_on - request.starts_on).days + 1
    sums = [0] * count
    for area in plan.areas:
        done = 0.0
        work = {day.day: _work(day, request, plan) for day in area.days}
        for place in range(count):
            done = min(float(area.captured), done + work.get(request.starts_on + timedelta(place), 0.0))
            sums[place] += math.floor(done + 1e-6)
    return tuple(sums)


def _work(day: DayPlan, request: PlanRequest, plan: Plan) -> float:
    """How many people a day's officers can capture in their hours."""
    hours = plan.rules.shift_hours
    at_stations = (day.at_stations * hours + day.overtime_hours) * _MINUTES / request.times.officer_minutes
    return at_stations + day.in_teams * hours * _MINUTES / request.times.mobile_officer_minutes


def _officers_used(area: Area, made: AreaPlan, request: PlanRequest, plan: Plan) -> float:
    """Shifts that are worked, of those that the rules allow the area's own and lent officers."""
    weeks: dict[str, int] = defaultdict(int)
    for day in request.days:
        weeks[_week(day)] += 1
    most = sum(
        min(days, plan.rules.shifts_a_week) * (area.officers + made.lent.get(week, 0))
        for week, days in weeks.items()
    )
    return _percent(sum(day.at_stations + day.in_teams for day in made.days), most)


def _places_used(area: Area, made: AreaPlan, request: PlanRequest) -> float:
    """Officers' places at stations that are taken, of those that there are on all days."""
    most = area.stations * request.times.officers_a_station * request.shifts_a_day * len(request.days)
    return _percent(sum(day.at_stations for day in made.days), most)


def _weeks(area: AreaPlan) -> tuple[WeekLine, ...]:
    found: dict[str, list[DayPlan]] = defaultdict(list)
    for day in area.days:
        found[_week(day.day)].append(day)
    return tuple(
        WeekLine(
            week,
            max(day.at_stations for day in days),
            max(day.in_teams for day in days),
            sum(day.overtime_hours for day in days),
            area.lent.get(week, 0),
        )
        for week, days in sorted(found.items())
    )


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _percent(part: int, whole: int) -> float:
    return min(100.0, round(100 * part / whole, 1)) if whole else 0.0
