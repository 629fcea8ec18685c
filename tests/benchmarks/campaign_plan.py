"""A plan of the whole campaign: 63 provinces over 90 days, with officers lent between them."""

from __future__ import annotations

import time
from datetime import date, timedelta

from issuance_backend.campaign_planner.planning import plan
from tests.benchmarks.figure import Figure, at_most
from verification.identity.administrative_units import provinces
from verification.messages.campaign_plan import Area, CycleTimes, PlanRequest

DAYS = 90
GOAL_SECONDS = 5.0
_START = date(2021, 4, 6)


def provinces_with_means() -> tuple[Area, ...]:
    """Every province of 2021 with people to capture, officers, stations and teams."""
    return tuple(
        Area(
            unit=code,
            target=200_000 + 10_000 * number,
            remote=500 * number,
            officers=300 + 9 * number,
            stations=200,
            mobile_teams=5 + number % 20,
        )
        for number, code in enumerate(provinces())
    )


def run() -> list[Figure]:
    """CPU seconds from the request to the plan that was checked against every rule."""
    every = (_START + timedelta(days=number) for number in range(DAYS))
    request = PlanRequest(
        starts_on=_START,
        ends_on=_START + timedelta(days=DAYS - 1),
        areas=provinces_with_means(),
        times=CycleTimes(officer_minutes=38, mobile_officer_minutes=60),
        reserve=2_000,
        rest_days=tuple(day for day in every if day.weekday() >= 5),
    )
    began = time.process_time()
    plan(request)
    return [at_most("campaign_plan.nation", time.process_time() - began, "s", goal=GOAL_SECONDS)]
