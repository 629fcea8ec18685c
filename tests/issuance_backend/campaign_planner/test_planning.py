"""Plans of a campaign: what Hanoi needed, rules that no plan may break, and bounds that no plan can beat."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date, timedelta
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.campaign_planner.domain import broken_rules, captures, fatigue_rules, month_of, week_of
from issuance_backend.campaign_planner.planning import plan
from tests.benchmarks.campaign_plan import DAYS, provinces_with_means
from tests.support.stopwatch import within
from verification.errors import FieldsRefused
from verification.messages.campaign_plan import Area, CycleTimes, DayPlan, PlanRequest

START = date(2021, 1, 4)
MEASURED_IN_HANOI = CycleTimes(officer_minutes=480 / 12.6, mobile_officer_minutes=60)


def weekends(start: date, days: int) -> tuple[date, ...]:
    every = (start + timedelta(days=number) for number in range(days))
    return tuple(day for day in every if day.weekday() >= 5)


def request(*areas: Area, days: int = 14, **changes: object) -> PlanRequest:
    asked = PlanRequest(
        starts_on=START,
        ends_on=START + timedelta(days=days - 1),
        areas=areas,
        times=MEASURED_IN_HANOI,
        rest_days=weekends(START, days),
    )
    return msgspec.structs.replace(asked, **changes)


def hanoi(**changes: object) -> Area:
    return msgspec.structs.replace(
        Area(unit="001", target=6_000_000, officers=1_500, stations=750), **changes
    )


def test_hanoi_cannot_reach_six_million_with_fifteen_hundred_officers() -> None:
    made = plan(request(hanoi(), days=178, ends_on=date(2021, 6, 30), rest_days=(), allows_overtime=False))
    (area,) = made.areas
    assert area.pace_planned == 12.6  # measured: 18,950 a day by 1,500 officers
    shifts = sum(day.at_stations for day in area.days)
    assert shifts == 1_500 * (178 - 25)  # one day of rest in each of 25 whole weeks
    assert made.captured == int(shifts * 12.6)
    assert not made.is_feasible
    assert made.shortfall == 6_000_000 - made.captured
    assert 0 <= made.shortfall - made.least_shortfall <= 2
    assert area.pace_needed == pytest.approx(6_000_000 / 178 / 1_500, abs=0.06)


def test_what_would_be_enough_is_found_by_asking_again() -> None:
    more = plan(request(hanoi(target=400_000, officers=2_600, stations=1_300)))
    assert more.is_feasible
    assert (more.captured, more.shortfall, more.least_shortfall) == (400_000, 0, 0)
    fewer = plan(request(hanoi(target=400_000)))
    assert fewer.shortfall > 0
    lent = plan(request(hanoi(target=400_000, stations=1_300), reserve=1_100))
    assert lent.is_feasible
    assert max(lent.areas[0].lent.values()) <= 1_100


def test_overtime_is_used_before_people_are_left_and_only_as_far_as_the_law_goes() -> None:
    tight = request(hanoi(target=240_000))
    assert not plan(msgspec.structs.replace(tight, allows_overtime=False)).is_feasible
    made = plan(tight)
    assert made.is_feasible
    hours = sum(day.overtime_hours for day in made.areas[0].days)
    assert 0 < hours <= made.rules.overtime_hours_a_month * 1_500


def test_remote_people_are_captured_by_teams_only() -> None:
    area = hanoi(target=10_000, remote=4_000)
    without = plan(request(area))
    assert without.captured == 6_000
    assert without.least_shortfall == 4_000
    with_teams = plan(request(msgspec.structs.replace(area, mobile_teams=20)))
    assert with_teams.is_feasible
    assert sum(day.in_teams for day in with_teams.areas[0].days) * 480 / 60 >= 4_000


def test_nobody_works_seven_days_a_week() -> None:
    made = plan(request(hanoi(), works_rest_days=True))
    weeks = Counter[str]()
    for day in made.areas[0].days:
        weeks[week_of(day.day)] += day.at_stations + day.in_teams
    assert set(weeks.values()) == {6 * 1_500}


def test_a_plan_that_breaks_a_rule_is_told() -> None:
    asked = request(hanoi())
    rules = fatigue_rules(asked)
    monday, saturday = START, START + timedelta(days=5)

    def faults(*days: DayPlan) -> list[str]:
        return list(broken_rules(asked.areas[0], days, {}, asked, rules))

    def day(on: date = monday, at_stations: int = 1, in_teams: int = 0, overtime: int = 0) -> DayPlan:
        return DayPlan(day=on, at_stations=at_stations, in_teams=in_teams, overtime_hours=overtime)

    assert faults(day()) == []
    assert faults(day(saturday)) == [f"{saturday}: not a working day"]
    assert faults(day(at_stations=1_501)) == [
        f"{monday}: more officers than there are",
        f"{monday}: more officers than places",
    ]
    assert faults(day(in_teams=1)) == [f"{monday}: more officers than places"]
    assert faults(day(overtime=5)) == [f"{monday}: too much overtime in a day"]
    assert faults(*[day(at_stations=1_500)] * 7) == ["2021-W01: no day of rest"]
    assert (
        faults(*[day(at_stations=1_500, overtime=6_000)] * 11)[-1] == "2021-01: too much overtime in a month"
    )


@settings(max_examples=25, deadline=None)
@given(
    targets=st.lists(st.integers(0, 400), min_size=1, max_size=3),
    officers=st.integers(0, 4),
    stations=st.integers(0, 2),
    reserve=st.integers(0, 3),
    remote=st.integers(0, 60),
)
def test_whatever_is_asked_the_plan_keeps_its_rules_and_its_bound(
    targets: list[int], officers: int, stations: int, reserve: int, remote: int
) -> None:
    areas = tuple(
        Area(
            unit=str(number),
            target=target,
            remote=min(remote, target),
            officers=officers,
            stations=stations,
            mobile_teams=1,
        )
        for number, target in enumerate(targets)
    )
    asked = request(*areas, days=9, reserve=reserve)
    made = plan(asked)
    for area, planned in zip(areas, made.areas, strict=True):
        assert list(broken_rules(area, planned.days, planned.lent, asked, made.rules)) == []
        assert planned.captured == captures(area, planned.days, asked, made.rules)
    for week in {week_of(day) for day in asked.days}:
        assert sum(planned.lent.get(week, 0) for planned in made.areas) <= reserve
    assert made.least_shortfall <= made.shortfall
    # Rounding to whole officers costs at most some dossiers of a shift in an area.
    assert made.shortfall - made.least_shortfall <= 30 * len(areas)


def test_no_plan_by_hand_beats_the_bound() -> None:
    """Every plan of a tiny campaign, tried one by one."""
    asked = request(hanoi(target=60, officers=2, stations=1), days=2, allows_overtime=False)
    best = max(
        captures(
            asked.areas[0],
            [
                DayPlan(day=day, at_stations=count, in_teams=0, overtime_hours=0)
                for day, count in zip(asked.days, counts, strict=True)
            ],
            asked,
            fatigue_rules(asked),
        )
        for counts in product(range(3), repeat=2)
    )
    made = plan(asked)
    assert made.captured == best
    assert 60 - best >= made.least_shortfall


@pytest.mark.timed
def test_the_nation_is_planned_anew_within_five_seconds() -> None:
    asked = request(*provinces_with_means(), days=DAYS, reserve=2_000)
    with within(5, time.thread_time):
        made = plan(asked)
    assert len(made.areas) == 63
    assert made.shortfall - made.least_shortfall <= 63 * 30


def test_what_is_no_campaign_is_refused() -> None:
    with pytest.raises(FieldsRefused) as refused:
        plan(request(hanoi(), hanoi(remote=6_000_001), days=-3))
    assert set(refused.value.fields) == {"ends_on", "areas", "remote"}
    with pytest.raises(FieldsRefused):
        plan(msgspec.structs.replace(request(hanoi()), starts_on=date(2020, 12, 31)))


def test_months_and_weeks_are_those_of_the_law() -> None:
    assert month_of(date(2021, 2, 28)) == "2021-02"
    assert week_of(date(2021, 1, 3)) == "2020-W53"
