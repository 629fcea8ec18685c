"""The figures of the five documents come out of histories that lead to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from issuance_backend.statistics.definitions import rounded, vocabulary
from issuance_backend.statistics.service import Asked, Period, StatisticsOffice, end_of_day
from issuance_backend.statistics.target_desk import TargetDesk
from monitoring.database import Database
from tests.support.figure_history import Told, count, record
from verification.messages.statistics import NewTarget, Report

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "seed_figures.json").read_text("utf-8"))[
    "documents"
]
PROVINCES = ("001", "006", "036", "038", "048", "079", "092")
RETURNABLE = {"dossier": ("captured",), "request": ("received", "accepted")}
"""What may be sent back from where, and comes there again."""


def told(case: dict[str, Any], seed: int) -> list[Told]:
    """A generated history: every lot in pieces, over days, units and hours, some of them sent back once.

    The same seed makes the same steps. "late" is a week in which nothing happens.
    """
    random = Random(f"{case['id']} {seed}")  # noqa: S311
    steps: list[Told] = []
    for number, (day, unit, kind, states, size, *more) in enumerate(case["lots"]):
        for piece, part in enumerate(_pieces(size, random)):
            moment = datetime.fromisoformat(f"{day}T01:00:00Z")
            moment -= timedelta(days=random.randrange(9), minutes=-random.randrange(480))
            detail = {"size": str(part), "unit": _place(unit, random)} | dict(*more)
            for state in _with_returns(kind, states, random):
                moment += timedelta(days=7) if state == "late" else timedelta(minutes=1)
                if state != "late":
                    steps.append(Told(moment, f"{kind}/{number}-{piece}", state, detail))
                    detail = {}
    random.shuffle(steps)
    return sorted(steps, key=lambda step: step.at)


def _pieces(size: int, random: Random) -> list[int]:
    cuts = sorted({0, size, *(random.randrange(1, size + 1) for _ in range(random.randrange(2, 5)))})
    return [end - start for start, end in pairwise(cuts)]


def _place(unit: str, random: Random) -> str:
    province = unit or random.choice(PROVINCES)
    return random.choice([province, f"{province}.{random.randrange(1, 30):02d}"])


def _with_returns(kind: str, states: list[str], random: Random) -> list[str]:
    """The states, of which one that can be sent back is sometimes come to again."""
    again = [place for place, state in enumerate(states) if state in RETURNABLE.get(kind, ())]
    if not again or random.random() < 0.5:
        return states
    place = random.choice(again)
    return [*states[: place + 1], "returned", *states[place:]]


def read(report: Report, name: str) -> object:
    """What a report says of a figure, by the name that the data use."""
    kind, _, rest = name.partition(" ")
    if kind in READ:
        return READ[kind](report, rest)
    shares = {each.definition: each.percent for each in report.shares}
    return shares.get(name, report.total.to_date.get(name))


def _clock(report: Report, name: str) -> object:
    clock, _, part = name.partition(" ")
    return next(getattr(each, part) for each in report.clocks if each.definition == clock)


def _ratio(report: Report, name: str) -> str:
    share = vocabulary().share(name)
    part, whole = (Decimal(report.total.to_date[each]) for each in (share.part, share.whole))
    return str(rounded(part / whole, 2))


READ: dict[str, Callable[[Report, str], object]] = {
    "stock": lambda report, name: next(
        each.stock for each in report.stocks if f"{each.kind}.{each.state}" == name
    ),
    "clock": _clock,
    "cause": lambda report, name: next(
        each.to_date for each in report.causes if f"{each.definition} {each.code}" == name
    ),
    "year": lambda report, name: report.total.in_period[name],
    "target": lambda report, _: next(each.percent for each in report.targets if each.unit == report.unit),
    "ratio": _ratio,
}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_generated_history_gives_the_figures_of_its_document(
    database: Database, case: dict[str, Any]
) -> None:
    steps = told(case, seed=1)
    assert steps == told(case, seed=1) != told(case, seed=2)
    record(database, steps)
    as_of = end_of_day(date.fromisoformat(case["as_of"]))
    office = StatisticsOffice(database, lambda: as_of)
    if "targets" in case:
        targets = tuple(NewTarget(*target, basis="Plan of the Ministry") for target in case["targets"])
        set_ = TargetDesk(database, lambda: as_of).set_by_program(targets, "planning")
        assert set_.count == len(targets)
    for unit, name, value in case["figures"]:
        assert read(office.report(Asked(unit=unit, period=Period.YEAR)), name) == value, (unit, name)
    report = office.report(Asked())
    recounted = count(steps, as_of)
    for line in (report.total, *report.units):
        assert line.to_date == +recounted.within("counters", line.unit), line.unit
    stocks = {f"{each.kind}.{each.state}": each.stock for each in report.stocks if each.stock}
    assert stocks == +recounted.within("stocks", "")
    assert not [check for check in report.identities if check.broken]
    over = sorted(target.unit_name for target in report.targets if target.is_over_target)
    assert over == sorted(case.get("over_target", []))


def test_the_pace_that_35_million_in_86_days_need(database: Database) -> None:
    """50 million cards by 1 July 2021, 15 million done on 6 April: 407,000 a day for 86 days."""
    record(
        database,
        [Told(datetime.fromisoformat("2021-04-01T02:00:00Z"), "dossier/1", "captured", {"size": "15000000"})],
    )
    office = StatisticsOffice(database, lambda: end_of_day(date(2021, 4, 6)))
    TargetDesk(database, lambda: end_of_day(date(2021, 4, 6))).set_by_program(
        (NewTarget("captured", "", "2021-01-01", "2021-07-01", 50_000_000, "Plan"),), "planning"
    )
    target = office.report(Asked()).targets[0]
    assert (target.days_left, target.needed_a_day) == (86, "406976.7")
    assert target.pace_a_day == "2142857.1"
    assert target.reached_on == "2021-04-23"
