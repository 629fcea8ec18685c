"""A campaign to be planned, and its plan: what planning page and issuance office say to each other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec

MAX_AREAS = 200
MAX_DAYS = 366

Amount = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Few = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class FatigueRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much one officer may work; ``basis`` is the law that says so."""

    id: str
    version: int
    valid_from: str
    basis: str
    shift_hours: int
    shifts_a_week: int
    overtime_hours_a_day: int
    overtime_hours_a_month: int


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A province, or whatever else is planned as one: its people still to be captured, and its means.

    ``remote`` of the ``target`` live where only a mobile team comes. A station is one set of equipment.
    """

    unit: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    target: Amount
    remote: Amount = 0
    officers: Few
    stations: Few
    mobile_teams: Few = 0


class CycleTimes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Measured times: minutes of an officer's work for one dossier, at a station and in a mobile team."""

    officer_minutes: Annotated[float, msgspec.Meta(gt=0, le=480)]
    mobile_officer_minutes: Annotated[float, msgspec.Meta(gt=0, le=480)]
    officers_a_station: Annotated[int, msgspec.Meta(ge=1, le=20)] = 2
    officers_a_team: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


class PlanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be planned; another number in it is another what-if.

    ``reserve`` officers of other forces can be lent to areas by the week. ``shifts_a_day`` is how often a
    station changes hands; without ``allows_overtime`` a shift ends with its hours. On ``rest_days``
    (weekends, holidays) nobody works unless ``works_rest_days``.
    """

    starts_on: date
    ends_on: date
    areas: Annotated[tuple[Area, ...], msgspec.Meta(min_length=1, max_length=MAX_AREAS)]
    times: CycleTimes
    reserve: Few = 0
    shifts_a_day: Annotated[int, msgspec.Meta(ge=1, le=3)] = 1
    rest_days: Annotated[tuple[date, ...], msgspec.Meta(max_length=MAX_DAYS)] = ()
    works_rest_days: bool = False
    allows_overtime: bool = True

    @property
    def days(self) -> tuple[date, ...]:
        """Every day on which somebody may work."""
        count = (self.ends_on - self.starts_on).days + 1
        every = (self.starts_on + timedelta(days=number) for number in range(count))
        resting = frozenset() if self.works_rest_days else frozenset(self.rest_days)
        return tuple(day for day in every if day not in resting)


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One area on one day: officers at stations and in mobile teams, and hours of overtime among them."""

    day: date
    at_stations: int
    in_teams: int
    overtime_hours: int


class AreaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An area's days, the officers lent to it in each week, and what comes of it."""

    unit: str
    target: int
    captured: int
    shortfall: int
    pace_needed: float
    pace_planned: float
    lent: dict[str, int]
    days: tuple[DayPlan, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, and the proof of what no plan can beat.

    ``least_shortfall`` is a bound that follows from the rules by weak duality and was checked apart from
    the solver: with these means, at least so many people stay without a card, however one plans.
    ``pace_*`` are dossiers for each officer and day on which he works.
    """

    target: int
    captured: int
    shortfall: int
    least_shortfall: int
    is_feasible: bool
    rules: FatigueRules
    areas: tuple[AreaPlan, ...]
