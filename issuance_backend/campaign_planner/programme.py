"""A campaign as a linear programme, and its solution by HiGHS with a bound that is checked here.

The variables of an area are: officers at stations, officers in teams and hours of overtime on each day,
officers lent in each week, and the people left without a card (remote ones, and all). First as few people as
possible are left; then, among the plans that leave so few, the one of least means is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from issuance_backend.campaign_planner.domain import (
    month_of,
    station_places,
    team_places,
    week_of,
)
from issuance_backend.refusals import PlanNotFound
from verification.messages.campaign_plan import Area, FatigueRules, PlanRequest

Vector = NDArray[np.float64]

SOLVER_SECONDS = 20.0
# What means weigh: lending an officer for a week, an hour of overtime, a shift.
_LENT, _OVERTIME, _SHIFT = 2.0, 0.1, 0.01
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True)
class AreaColumns:
    """Where an area's variables stand."""

    at_stations: Mapping[date, int]
    in_teams: Mapping[date, int]
    overtime: Mapping[date, int]
    lent: Mapping[str, int]
    short: int
    short_remote: int


@dataclass(slots=True)
class Programme:
    """Rows ``rows @ x <= limits`` over variables ``0 <= x <= most``, and what each variable's unit costs.

    The rows lie one after the other in ``places`` and ``factors``, each from its place in ``row_starts``.
    """

    cost: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    row_starts: list[int] = field(default_factory=lambda: [0])
    places: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def variable(self, cost: float, most: float) -> int:
        """Add a variable and return where it stands."""
        self.cost.append(cost)
        self.most.append(most)
        return len(self.cost) - 1

    def at_most(self, terms: Mapping[int, float], limit: float) -> None:
        """Add a row: the terms' sum is at most the limit."""
        self.limits.append(limit)
        self.places.extend(terms)
        self.factors.extend(terms.values())
        self.row_starts.append(len(self.places))


@dataclass(frozen=True, slots=True)
class Solution:
    """The variables' values, and the least number of people that any plan leaves without a card."""

    values: Vector
    least_shortfall: float


def stated(request: PlanRequest, rules: FatigueRules) -> tuple[Programme, list[AreaColumns]]:
    """The request as a programme, and where each area's variables stand."""
    programme = Programme()
    columns = [_area(programme, area, request, rules) for area in request.areas]
    for week in columns[0].lent:
        programme.at_most({area.lent[week]: 1.0 for area in columns}, request.reserve)
    return programme, columns


def solved(programme: Programme, columns: Sequence[AreaColumns]) -> Solution:
    """The best solution and its proof; raises PlanNotFound where the solver ends without one in its time."""
    short = {area.short: 1.0 for area in columns}
    least = np.zeros(len(programme.cost))
    least[list(short)] = 1.0
    first = _minimum(programme, least)
    programme.at_most(short, float(least @ first.values) + _ROUNDING)
    second = _minimum(programme, np.array(programme.cost))
    return Solution(second.values, first.bound)


class _Minimum(NamedTuple):
    values: Vector
    bound: float


def _minimum(programme: Programme, cost: Vector) -> _Minimum:
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(programme.limits)
    model.col_cost_ = cost
    model.col_lower_, model.col_upper_ = np.zeros(len(cost)), np.array(programme.most)
    model.row_lower_, model.row_upper_ = np.full(model.num_row_, -np.inf), np.array(programme.limits)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array(programme.row_starts)
    model.a_matrix_.index_ = np.array(programme.places)
    model.a_matrix_.value_ = np.array(programme.factors)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", SOLVER_SECONDS)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise PlanNotFound("the solver ended without a solution")
    found = solver.getSolution()
    return _Minimum(np.array(found.col_value), _dual_bound(programme, cost, np.array(found.row_dual)))


def _dual_bound(programme: Programme, cost: Vector, duals: Vector) -> float:
    """What every solution costs at least, from any prices of the rows that are not positive.

    Weak duality: for such prices y, cost @ x >= y @ limits + the least of (cost - y @ rows) @ x within the
    bounds of x. It holds whoever found the prices: a solver that errs can only make it smaller.
    """
    prices = np.minimum(duals, 0.0)
    in_rows = np.diff(np.array(programme.row_starts))
    priced = np.repeat(prices, in_rows) * np.array(programme.factors)
    reduced = cost - np.bincount(np.array(programme.places), weights=priced, minlength=len(cost))
    falling = np.minimum(reduced, 0.0)
    return float(prices @ np.array(programme.limits) + falling @ np.array(programme.most))


def _area(programme: Programme, area: Area, request: PlanRequest, rules: FatigueRules) -> AreaColumns:
    days = request.days
    weeks = sorted({week_of(day) for day in days})
    # No area needs more lent officers than it has places for.
    places = station_places(area, request) + team_places(area, request)
    columns = AreaColumns(
        at_stations={day: programme.variable(_SHIFT, station_places(area, request)) for day in days},
        in_teams={day: programme.variable(_SHIFT, team_places(area, request)) for day in days},
        overtime={
            day: programme.variable(_OVERTIME, station_places(area, request) * rules.overtime_hours_a_day)
            for day in days
        },
        lent={week: programme.variable(_LENT, min(request.reserve, places)) for week in weeks},
        short=programme.variable(0.0, area.target),
        short_remote=programme.variable(0.0, area.remote),
    )
    _limit_work(programme, columns, area, rules)
    _reach_target(programme, columns, area, request, rules)
    return columns


def _limit_work(programme: Programme, columns: AreaColumns, area: Area, rules: FatigueRules) -> None:
    weeks: dict[str, dict[int, float]] = {}
    months: dict[str, dict[int, float]] = {}
    for day, station in columns.at_stations.items():
        team, overtime, lent = columns.in_teams[day], columns.overtime[day], columns.lent[week_of(day)]
        programme.at_most({station: 1.0, team: 1.0, lent: -1.0}, area.officers)
        programme.at_most({overtime: 1.0, station: -float(rules.overtime_hours_a_day)}, 0.0)
        weeks.setdefault(week_of(day), {}).update({station: 1.0, team: 1.0})
        months.setdefault(month_of(day), {})[overtime] = 1.0
    for week, terms in weeks.items():
        terms[columns.lent[week]] = -float(rules.shifts_a_week)
        programme.at_most(terms, rules.shifts_a_week * area.officers)
    for terms in months.values():
        programme.at_most(terms, rules.overtime_hours_a_month * area.officers)


def _reach_target(
    programme: Programme, columns: AreaColumns, area: Area, request: PlanRequest, rules: FatigueRules
) -> None:
    shift = rules.shift_hours * 60 / request.times.officer_minutes
    team = rules.shift_hours * 60 / request.times.mobile_officer_minutes
    hour = 60 / request.times.officer_minutes
    remote = dict.fromkeys(columns.in_teams.values(), -team)
    programme.at_most({**remote, columns.short_remote: -1.0}, -area.remote)
    everybody = dict.fromkeys(columns.at_stations.values(), -shift)
    everybody |= dict.fromkeys(columns.overtime.values(), -hour)
    # Remote people who are left count among all who are left.
    programme.at_most({**remote, **everybody, columns.short: -1.0}, -area.target)
    programme.at_most({columns.short_remote: 1.0, columns.short: -1.0}, 0.0)
