"""Making a plan: the best solution in whole officers, checked again against every rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from issuance_backend.campaign_planner import programme
from issuance_backend.campaign_planner.domain import (
    ROUNDING,
    broken_rules,
    captures,
    fatigue_rules,
    month_of,
    require_plannable,
    week_of,
)
from issuance_backend.campaign_planner.programme import AreaColumns, Vector
from issuance_backend.refusals import PlanNotFound
from verification.messages.campaign_plan import Area, AreaPlan, DayPlan, FatigueRules, Plan, PlanRequest


def plan(request: PlanRequest) -> Plan:
    """The plan that leaves the fewest people without a card; raises FieldsRefused or PlanNotFound."""
    require_plannable(request)
    rules = fatigue_rules(request)
    stated, columns = programme.stated(request, rules)
    solution = programme.solved(stated, columns)
    lent = _lent(columns, solution.values, request.reserve)
    areas = tuple(
        _area_plan(area, _days(area, where, solution.values, lends, rules), lends, request, rules)
        for area, where, lends in zip(request.areas, columns, lent, strict=True)
    )
    target, captured = sum(area.target for area in areas), sum(area.captured for area in areas)
    return Plan(
        target=target,
        captured=captured,
        shortfall=target - captured,
        least_shortfall=max(0, math.ceil(solution.least_shortfall - ROUNDING)),
        is_feasible=captured == target,
        rules=rules,
        areas=areas,
    )


def _lent(columns: Sequence[AreaColumns], values: Vector, reserve: int) -> list[dict[str, int]]:
    """Whole officers lent by area and week: the largest remainders round up while the reserve lasts."""
    lent: list[dict[str, int]] = [{} for _ in columns]
    for week in columns[0].lent:
        wanted = [max(0.0, float(values[area.lent[week]])) for area in columns]
        whole = [math.floor(each + ROUNDING) for each in wanted]
        left = reserve - sum(whole)
        by_remainder = sorted(range(len(wanted)), key=lambda place: whole[place] - wanted[place])
        for place in by_remainder[: max(0, left)]:
            whole[place] += wanted[place] > whole[place] + ROUNDING
        for area, count in zip(lent, whole, strict=True):
            if count:
                area[week] = count
    return lent


def _days(
    area: Area, columns: AreaColumns, values: Vector, lent: Mapping[str, int], rules: FatigueRules
) -> tuple[DayPlan, ...]:
    """The solution's days in whole officers and hours, each rounded up where the rules leave room."""
    days: list[DayPlan] = []
    shifts: dict[str, int] = {}
    overtime: dict[str, int] = {}
    for day in columns.at_stations:
        here = area.officers + lent.get(week_of(day), 0)
        left = min(here, rules.shifts_a_week * here - shifts.get(week_of(day), 0))
        in_teams = min(_up(values[columns.in_teams[day]]), left)
        at_stations = min(_up(values[columns.at_stations[day]]), left - in_teams)
        hours = min(
            _up(values[columns.overtime[day]]),
            at_stations * rules.overtime_hours_a_day,
            rules.overtime_hours_a_month * area.officers - overtime.get(month_of(day), 0),
        )
        shifts[week_of(day)] = shifts.get(week_of(day), 0) + in_teams + at_stations
        overtime[month_of(day)] = overtime.get(month_of(day), 0) + hours
        if in_teams + at_stations:
            days.append(DayPlan(day=day, at_stations=at_stations, in_teams=in_teams, overtime_hours=hours))
    return tuple(days)


def _up(value: float) -> int:
    return math.ceil(value - ROUNDING) if value > ROUNDING else 0


def _area_plan(
    area: Area, days: tuple[DayPlan, ...], lent: dict[str, int], request: PlanRequest, rules: FatigueRules
) -> AreaPlan:
    broken = next(broken_rules(area, days, lent, request, rules), None)
    if broken is not None:
        raise PlanNotFound(f"a plan was found that breaks a rule ({broken})")
    captured = captures(area, days, request, rules)
    officer_days = sum(day.at_stations + day.in_teams for day in days)
    return AreaPlan(
        unit=area.unit,
        target=area.target,
        captured=captured,
        shortfall=area.target - captured,
        pace_needed=_pace(area.target, len(request.days) * area.officers),
        pace_planned=_pace(captured, officer_days),
        lent=lent,
        days=days,
    )


def _pace(dossiers: int, officer_days: int) -> float:
    return round(dossiers / officer_days, 1) if officer_days else 0.0
