"""Whatever happens in whatever order, every figure of every moment is what counting one by one gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from issuance_backend import read_models
from issuance_backend.paging import PageAsked
from issuance_backend.recorded_events import append, newest
from issuance_backend.statistics import repository, roll_up
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.recount import Recount
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.steps import Step
from monitoring.database import Database
from tests.support.figure_history import FIGURES, START, Counted, Told, count, record, wipe
from verification.messages.statistics import Report

DOSSIER_STATES = ["captured", "validated", "returned", "suspended", "local_approved", "approved", "completed", "withdrawn"]  # fmt: skip # noqa: E501
CARD_STATES = [
    "ordered",
    "personalised",
    "qa_passed",
    "qa_failed",
    "spoiled",
    "at_office",
    "undelivered",
    "active",
]
DETAILS = {
    "dossier": [
        {"operator_seconds": "540"},
        {"operator_seconds": "14401"},
        {"operator_seconds": "-3"},
        {"finger_quality": "01:60 02:unreadable 11:20 03:61"},
        {"finger_quality": "02:0", "operator_seconds": "0"},
        {"captured_at": "centre"},
        {"captured_at": "centre", "operator_seconds": "60"},
        {"captured_at": "elsewhere"},
        {"items": "portrait,form"},
        {"exceptions": "finger_worn mother_unknown", "unsigned": "cannot_sign"},
    ],
    "card": [
        {"visits": "3"},
        {"visits": "2"},
        {"faults": "portrait:QC_PORTRAIT_BLURRED,chip:QC_FILE_MISSING,mrz:QC_FILE_MISSING"},
    ],
}
UNITS = ["001", "001.02", "001.02.00013", "036", "036.7"]


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """Steps of a few dossiers and cards in any order, also such as no life cycle allows."""
    moment, steps, known = START, [], set()
    for _ in range(draw(st.integers(1, 25))):
        moment += timedelta(minutes=draw(st.sampled_from([0, 1, 50, 600, 1500, 4000, 9000])))
        number = draw(st.integers(0, 3))
        kind = draw(st.sampled_from(["dossier", "card"]))
        subject = f"{kind}/{number}"
        detail: dict[str, str] = {}
        if draw(st.integers(0, 3)) == 0 or (subject not in known and draw(st.booleans())):
            detail["unit"] = draw(st.sampled_from(UNITS))
        if subject not in known:
            if draw(st.booleans()):
                detail["size"] = str(draw(st.integers(2, 2_000_000)))
            if kind == "card" and f"dossier/{number}" in known:
                detail["dossier"] = str(number)
            if draw(st.integers(0, 4)) == 0:
                detail["happened_at"] = (moment - timedelta(days=draw(st.integers(0, 9)))).isoformat()
        if draw(st.integers(0, 2)) == 0:
            detail |= draw(st.sampled_from(DETAILS[kind]))
        known.add(subject)
        states = DOSSIER_STATES if kind == "dossier" else CARD_STATES
        steps.append(Told(moment, subject, draw(st.sampled_from(states)), detail))
    return steps


def at(database: Database, moment: datetime, unit: str, now: datetime) -> Report:
    return StatisticsOffice(database, lambda: now).report(Asked(unit=unit, as_of=moment))


def require_averages(report: Report, counted: Counted, unit: str) -> None:
    """What was measured, how long every state took, and every band are as they were counted one by one."""
    measured = {each.definition: each.measured for each in report.averages}
    assert measured == +counted.within("measured", unit)
    totals = {each.definition: each.total for each in report.averages}
    assert totals == {name: counted.within("totals", unit)[name] for name in measured}
    left = {f"{each.kind}.{each.state}": each.left for each in report.turnarounds}
    assert left == +counted.within("left", unit)
    seconds = {f"{each.kind}.{each.state}": each.seconds for each in report.turnarounds}
    assert seconds == {name: counted.within("seconds", unit)[name] for name in left}
    bands = {
        f"{each.definition}.{each.part}.{band.band}": band.to_date
        for each in report.parts
        for band in each.bands
        if band.to_date
    }
    assert bands == +counted.within("bands", unit)
    assert all(each.whole == sum(band.to_date for band in each.bands) for each in report.parts)


def places(report: Report) -> dict[str, int]:
    return {
        f"{clock.definition}.{place}": amount
        for clock in report.clocks
        for place in ("inside", "overdue", "paused", "on_time", "late", "ended")
        if (amount := getattr(clock, place))
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_figure_of_every_moment_is_what_counting_gives(database: Database, data: st.DataObject) -> None:
    wipe(database)
    steps = data.draw(histories())
    record(database, steps)
    now = steps[-1].at + timedelta(days=30)
    moments = [steps[0].at - timedelta(hours=1), now]
    moments += data.draw(st.lists(st.sampled_from([step.at for step in steps]), max_size=3))
    moments += [moment + timedelta(days=data.draw(st.integers(0, 12))) for moment in moments[2:]]
    for moment in moments:
        counted = count(steps, moment)
        for unit in ("", "001", "001.02", "036"):
            report = at(database, moment, unit, now)
            assert report.total.to_date == +counted.within("counters", unit)
            assert {f"{s.kind}.{s.state}": s.stock for s in report.stocks if s.stock} == +counted.within(
                "stocks", unit
            )
            assert places(report) == +counted.within("clocks", unit)
            causes = {f"{each.definition}.{each.code}": each.to_date for each in report.causes}
            assert causes == +counted.within("causes", unit)
            require_averages(report, counted, unit)
            older = {f"{s.kind}.{s.state}.{o.days}": o.amount for s in report.stages for o in s.older}
            assert older == {name: counted.within("older", unit)[name] for name in older}
            assert all(stock.entered - stock.left == stock.stock for stock in report.stocks)
            assert not [check for check in report.identities if check.broken]
            for line in report.units:
                assert line.to_date == +counted.within("counters", line.unit)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=histories())
def test_the_records_behind_a_figure_are_exactly_those_it_counts(
    database: Database, steps: list[Told]
) -> None:
    wipe(database)
    record(database, steps)
    office = StatisticsOffice(database, lambda: steps[-1].at)
    middle = steps[len(steps) // 2].at
    for moment in (middle, steps[-1].at):
        counted = count(steps, moment)
        for unit in ("", "001.02"):
            asked = Asked(unit=unit, as_of=moment)
            report = office.report(asked)
            causes = {f"cause.{each.definition}.{each.code}": each.to_date for each in report.causes}
            measured = {f"measured.{each.definition}": each.measured for each in report.averages}
            left = {f"out.{each.kind}.{each.state}": each.left for each in report.turnarounds}
            for name, amount in (report.total.to_date | causes | measured | left).items():
                assert sum(line.size for line in every_page(office, asked, name)) == amount
            for stock in report.stocks:
                lines = every_page(office, asked, f"stock.{stock.kind}.{stock.state}")
                assert sum(line.size for line in lines) == stock.stock
                held = [
                    subjects
                    for (place, name), subjects in counted.held.items()
                    if name == f"{stock.kind}.{stock.state}"
                    and (not unit or (place + ".").startswith(unit + "."))
                ]
                assert {line.subject for line in lines} == set().union(*held)


def every_page(office: StatisticsOffice, asked: Asked, figure: str) -> list:
    lines, after = [], None
    while True:
        page = office.records(asked, figure, PageAsked(2, after))
        lines += page.entries
        if page.cursor is None:
            return lines
        after = (str(page.entries[-1].sequence),)


def everything(database: Database) -> list[list[tuple]]:
    with database.reading() as connection:
        return [sorted(map(tuple, connection.execute(select(table))), key=repr) for table in FIGURES]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=histories(), batch=st.integers(1, 9))
def test_counting_all_over_again_changes_nothing(database: Database, steps: list[Told], batch: int) -> None:
    wipe(database)
    record(database, steps)
    before = everything(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(roll_up, "AGAIN_AT_ONCE", batch)
        assert Recount(database).everything() == len(steps)
    assert everything(database) == before
    assert RecordCheckDesk(database, lambda: steps[-1].at).check().named == ()


def test_what_was_recorded_before_there_were_figures_is_counted_with_the_next_step(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Told(START + timedelta(hours=n), f"dossier/{n % 3}", "captured", {"unit": "001"}) for n in range(7)
    ]
    with monkeypatch.context() as patch:
        patch.setattr(read_models, "roll_up", lambda _: None)
        record(database, steps[:5])
    record(database, steps[5:])
    after = everything(database)
    wipe(database)
    record(database, steps)
    assert after == everything(database)
    assert len(after[0]) == 7


def test_a_figure_stands_with_its_step_or_not_at_all(database: Database) -> None:
    record(database, [Told(START, "dossier/1", "captured", {"unit": "001"})])
    before = everything(database)
    step = Step(subject="dossier/1", event="x", state="approved", actor="minh", at=START.isoformat())

    def interrupted() -> None:
        with database.writing() as connection:
            append(connection, step)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()
    assert everything(database) == before


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=histories(), data=st.data())
def test_figures_are_the_same_however_steps_are_shared_out_over_transactions(
    database: Database, steps: list[Told], data: st.DataObject
) -> None:
    wipe(database)
    record(database, steps)
    at_once = everything(database)
    wipe(database)
    rest = steps
    while rest:
        some = data.draw(st.integers(1, len(rest)))
        record(database, rest[:some])
        rest = rest[some:]
    assert everything(database) == at_once


def test_figures_are_counted_once_for_all_steps_of_a_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def counting(connection: Connection) -> None:
        roll_up.roll_up(connection)
        counted.append(repository.last(connection)[0])

    monkeypatch.setattr(read_models, "roll_up", counting)
    steps = [Told(START, f"dossier/{n}", "captured", {}) for n in range(5)]
    record(database, steps[:4])
    record(database, steps[4:])
    assert counted == [4, 5]


def test_a_step_that_was_taken_back_is_not_counted(database: Database) -> None:
    with database.writing() as connection:
        kept = Step(subject="dossier/1", event="x", state="captured", actor="lan", at=START.isoformat())
        append(connection, kept)
        savepoint = connection.begin_nested()
        append(connection, replace(kept, subject="dossier/2"))
        savepoint.rollback()
    assert at(database, START, "", START).total.to_date["captured"] == 1


def test_what_cannot_be_counted_is_not_recorded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures are the last act of the transaction: where they fail, the step falls too."""
    record(database, [Told(START, "dossier/1", "captured", {})])

    def fails(_: Connection) -> None:
        raise InterruptedError

    monkeypatch.setattr(read_models, "roll_up", fails)
    with pytest.raises(InterruptedError):
        record(database, [Told(START, "dossier/2", "captured", {})])
    with database.reading() as connection:
        assert newest(connection) == 1
        assert repository.last(connection)[0] == 1


def test_a_clock_that_goes_back_moves_no_figure_of_the_past(database: Database) -> None:
    """A report of a moment that is over never changes: who records later is counted later."""
    later = START + timedelta(days=2)
    record(database, [Told(START, "dossier/1", "captured", {}), Told(later, "dossier/2", "captured", {})])
    office = StatisticsOffice(database, lambda: later + timedelta(days=1))
    asked = Asked(as_of=START + timedelta(days=1))
    first = office.report(asked)
    record(database, [Told(START + timedelta(hours=1), "dossier/3", "captured", {})])
    assert first.final
    assert office.report(asked) == first
    assert office.report(Asked()).total.to_date["captured"] == 3


def test_a_unit_that_is_none_is_counted_where_nobody_said_where(database: Database) -> None:
    record(
        database, [Told(START, "dossier/1", "captured", {"unit": "../etc", "size": "-5", "happened_at": "?"})]
    )
    report = at(database, START, "", START)
    assert [(line.unit, line.to_date["captured"]) for line in report.units] == [("000", 1)]


def test_a_report_uses_the_provinces_of_its_day(database: Database) -> None:
    """Hà Giang (002) and Tuyên Quang (008) are two provinces until 30 June 2025 and one from 1 July."""
    record(
        database,
        [
            Told(START, "dossier/1", "captured", {"unit": "002.5"}),
            Told(START, "dossier/2", "captured", {"unit": "008"}),
            Told(datetime.fromisoformat("2025-07-02T03:00:00Z"), "dossier/3", "captured", {"unit": "08"}),
        ],
    )
    now = datetime.fromisoformat("2026-01-05T03:00:00Z")
    before = at(database, datetime.fromisoformat("2025-06-30T16:00:00Z"), "", now)
    after = at(database, now, "", now)
    assert {line.unit: line.to_date["captured"] for line in before.units} == {"002": 1, "008": 1}
    assert {line.unit: (line.name, line.to_date["captured"]) for line in after.units} == {
        "08": ("Tuyên Quang", 3)
    }
    assert not [check for check in after.identities if check.broken]
    assert at(database, now, "08", now).total.to_date["captured"] == 3


def test_a_figure_that_was_altered_in_the_database_shows(database: Database) -> None:
    record(database, [Told(START, f"dossier/{n}", "captured", {"unit": f"00{n}"}) for n in (1, 2, 4)])
    with database.writing() as connection:
        connection.execute(
            text("UPDATE figure_days SET balance = 5 WHERE unit = '002' AND figure = 'count.captured'")
        )
    broken = {check.id: check.broken for check in at(database, START, "", START).identities}
    assert broken["nation_is_sum_of_provinces"] == ("count.captured",)
    with database.reading() as connection:
        assert repository.last(connection)[0] == 3
