"""The rules that a plan keeps, and what comes of a plan. Pure; whole numbers throughout.

An officer's shift is the unit of planning: one officer at a station or in a mobile team for one shift.
What an officer does in a shift comes from measured times (``officer_minutes``), never from wishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources

import msgspec

from verification.errors import FieldsRefused
from verification.messages.campaign_plan import MAX_DAYS, Area, DayPlan, FatigueRules, PlanRequest

ROUNDING = 1e-3
"""What binary fractions may lack of a whole number."""

_MINUTES = 60


@cache
def _all_rules() -> tuple[FatigueRules, ...]:
    content = resources.files(__package__).joinpath("fatigue_rules.json").read_bytes()
    return tuple(msgspec.json.decode(content, type=dict[str, tuple[FatigueRules, ...]])["rules"])


def fatigue_rules(request: PlanRequest) -> FatigueRules:
    """The rules in force when the campaign begins; raises FieldsRefused before there were any."""
    valid = [each for each in _all_rules() if date.fromisoformat(each.valid_from) <= request.starts_on]
    if not valid:
        raise FieldsRefused({"starts_on": "FIELD_DATE"})
    rules = max(valid, key=lambda each: each.valid_from)
    return rules if request.allows_overtime else msgspec.structs.replace(rules, overtime_hours_a_day=0)


def require_plannable(request: PlanRequest) -> None:
    """Raise FieldsRefused: a period that is none, an area named twice, more remote people than people."""
    faults: dict[str, str] = {}
    if not 0 <= (request.ends_on - request.starts_on).days < MAX_DAYS:
        faults["ends_on"] = "FIELD_DATE"
    units = [area.unit for area in request.areas]
    if len(set(units)) < len(units):
        faults["areas"] = "FIELD_CHARACTERS"
    if any(area.remote > area.target for area in request.areas):
        faults["remote"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def week_of(day: date) -> str:
    """The ISO week in which nobody may work more than the rules allow."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def month_of(day: date) -> str:
    """The month in which overtime is counted."""
    return f"{day:%Y-%m}"


def station_places(area: Area, request: PlanRequest) -> int:
    """How many officers' shifts an area's stations hold in a day."""
    return area.stations * request.times.officers_a_station * request.shifts_a_day


def team_places(area: Area, request: PlanRequest) -> int:
    """How many officers its mobile teams hold in a day."""
    return area.mobile_teams * request.times.officers_a_team


def captures(area: Area, days: Sequence[DayPlan], request: PlanRequest, rules: FatigueRules) -> int:
    """How many people these days capture: remote ones by teams only, never more than there are."""
    hours = rules.shift_hours
    teams = sum(day.in_teams for day in days) * hours * _MINUTES / request.times.mobile_officer_minutes
    minutes = sum(day.at_stations * hours + day.overtime_hours for day in days) * _MINUTES
    stations = minutes / request.times.officer_minutes
    remote = min(int(teams + ROUNDING), area.remote)
    return remote + min(int(stations + teams - remote + ROUNDING), area.target - area.remote)


def broken_rules(
    area: Area, days: Sequence[DayPlan], lent: Mapping[str, int], request: PlanRequest, rules: FatigueRules
) -> Iterator[str]:
    """What an area's days do that they may not; nothing for a plan that can be carried out."""
    open_days = set(request.days)
    for day in days:
        if day.day not in open_days:
            yield f"{day.day}: not a working day"
        if day.at_stations + day.in_teams > area.officers + lent.get(week_of(day.day), 0):
            yield f"{day.day}: more officers than there are"
        if day.at_stations > station_places(area, request) or day.in_teams > team_places(area, request):
            yield f"{day.day}: more officers than places"
        if day.overtime_hours > day.at_stations * rules.overtime_hours_a_day:
            yield f"{day.day}: too much overtime in a day"
    yield from _tiring_weeks(area, days, lent, rules)


def _tiring_weeks(
    area: Area, days: Sequence[DayPlan], lent: Mapping[str, int], rules: FatigueRules
) -> Iterator[str]:
    shifts, overtime = Counter[str](), Counter[str]()
    for day in days:
        shifts[week_of(day.day)] += day.at_stations + day.in_teams
        overtime[month_of(day.day)] += day.overtime_hours
    for week, worked in shifts.items():
        if worked > rules.shifts_a_week * (area.officers + lent.get(week, 0)):
            yield f"{week}: no day of rest"
    for month, hours in overtime.items():
        if hours > rules.overtime_hours_a_month * area.officers:
            yield f"{month}: too much overtime in a month"
