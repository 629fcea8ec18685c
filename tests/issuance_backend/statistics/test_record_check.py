"""Figures held against the recorded events: what is wrong everywhere alike is found, by figure and unit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from issuance_backend.__main__ import main
from issuance_backend.housekeeping import Housekeeping
from issuance_backend.moments import rfc3339
from issuance_backend.refusals import FiguresOutdated
from issuance_backend.statistics import record_check, roll_up
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.recount import Recount
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.tabulation import as_csv
from monitoring.database import Database
from tests.support.figure_history import START, Told, record
from tests.support.issuance_office import Office
from verification.messages.statistics import RecordCheck

NOW = START + timedelta(days=9)
HERE = "001.02.00013"


@pytest.fixture
def desk(database: Database) -> RecordCheckDesk:
    """Three dossiers and a lot of seven, in two provinces and on two days; one went on, one moved away."""
    later, then = START + timedelta(days=1), START + timedelta(days=2)
    record(database, [
        *(Told(START, f"dossier/{number}", "received", {"unit": HERE}) for number in range(3)),
        Told(START, "dossier/lot", "received", {"unit": "079", "size": "7"}),
        Told(later, "dossier/0", "validated", {"operator_seconds": "630"}),
        Told(later, "dossier/1", "validated", {"unit": "079"}),
        Told(then, "dossier/0", "local_approved"),
        Told(then, "packet/1", "announced", {"unit": "079", "kit": "kit-7", "sequence": "3"}),
        Told(then, "counter", ""),
    ])  # fmt: skip
    return RecordCheckDesk(database, lambda: NOW)


def alter(database: Database, sentence: str) -> None:
    with database.writing() as connection:
        assert connection.execute(text(sentence)).rowcount


def places(found: RecordCheck) -> set[tuple[str, str]]:
    return {(each.figure, each.unit) for each in found.named}


def test_an_office_that_counted_well_is_said_to_agree(desk: RecordCheckDesk) -> None:
    assert desk.last() == RecordCheck()
    found = desk.check()
    assert (found.version, found.differing, found.named) == (9, 0, ())
    assert found.compared > 90
    assert found == desk.last()
    assert "all are what was recorded" in desk.told()


def test_a_sum_that_is_wrong_alike_in_province_and_nation_is_named_in_both(
    database: Database, desk: RecordCheckDesk
) -> None:
    wrong = "in.dossier.received", "stock.dossier.received"
    steps = {"balance = balance + 1": wrong[:1], "amount = amount + 1": wrong}
    for raised, figures in steps.items():
        where = "figure = 'in.dossier.received' AND unit IN ('', '079')"
        alter(database, " ".join(("UPDATE figure_days SET", raised, "WHERE", where)))
        report = StatisticsOffice(database, lambda: NOW).report(Asked())
        assert not [each for each in report.identities if each.broken], "the report alone cannot tell"
        assert places(desk.check()) == {(figure, unit) for figure in figures for unit in ("", "079")}


ALTERED = [
    ("UPDATE figure_days SET balance = balance + 1 WHERE figure = 'count.captured' AND unit = '001'",
     {("count.captured", "001")}),
    ("DELETE FROM figure_days WHERE figure = 'sum.operator_time' AND unit = '001.02'",
     {("sum.operator_time", "001.02")}),
    ("UPDATE figure_days SET amount = amount + 1 WHERE figure = 'spent.dossier.received' AND unit = ''",
     {("spent.dossier.received", "")}),
    ("UPDATE figure_moves SET ended_by = NULL WHERE subject = 'dossier/0' AND state = 'received'",
     {("moves.dossier.received", HERE)}),
    ("UPDATE figure_moves SET ended_by = 6 WHERE subject = 'dossier/0' AND state = 'received'",
     {("moves.dossier.received", HERE)}),
    ("UPDATE figure_moves SET ended_by = 9 WHERE subject = 'dossier/2'",
     {("moves.dossier.received", HERE), ("stock.dossier.received", "001")}),
    ("DELETE FROM figure_moves WHERE subject = 'dossier/2'",
     {("moves.dossier.received", ""), ("stock.dossier.received", HERE), ("in.dossier.received", "001.02")}),
    ("UPDATE figure_moves SET state = 'validated' WHERE subject = 'dossier/2'",
     {("moves.dossier.received", HERE), ("stock.dossier.validated", "")}),
    ("UPDATE figure_moves SET subject = 'dossier/9' WHERE subject = 'dossier/2'",
     {("moves.dossier.received", HERE)}),
    ("UPDATE figure_moves SET size = 6 WHERE subject = 'dossier/lot'",
     {("stock.dossier.received", "079"), ("in.dossier.received", "")}),
    ("UPDATE figure_moves SET unit = '001' WHERE subject = 'dossier/lot'",
     {("stock.dossier.received", "079"), ("stock.dossier.received", "001")}),
    ("UPDATE figure_days SET day = '2020-01-31' WHERE figure = 'in.dossier.received' AND unit = '079'",
     {("in.dossier.received", "079")}),
    ("UPDATE figure_days SET day = '2020-01-31' WHERE figure = 'clock.local.start' AND unit = ''",
     {("clock.local.start", "")}),
    ("UPDATE figure_dues SET due = due + 1 WHERE clock = 'total' AND unit = ''", {("due.total", "")}),
    ("UPDATE figure_dues SET cleared = cleared + 1 WHERE clock = 'local' AND unit = '001'",
     {("due.local", "001")}),
    ("UPDATE figure_dues SET due_on = '2035-01-31' WHERE clock = 'total' AND unit = '079'",
     {("due.total", "079")}),
    ("UPDATE figure_dues SET unit = '036' WHERE clock = 'local' AND unit = '079'",
     {("due.local", "036"), ("due.local", "079")}),
    ("DELETE FROM figure_dues WHERE clock = 'central' AND unit = '001.02'", {("due.central", "001.02")}),
    ("UPDATE figure_moves SET clocks = '[]' WHERE subject = 'dossier/lot'", {("due.total", "079")}),
    ("UPDATE figure_numbers SET further = 0 WHERE further = 1", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET number = 4 WHERE number = 3", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET since = 3 WHERE number = 1", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET came = 3 WHERE number = 3", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET came = NULL WHERE number = 3", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET closed = 8 WHERE number = 3", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET unit = '001' WHERE number = 1", {("numbers.kit-7", "079")}),
    ("UPDATE figure_numbers SET kit = 'kit-8' WHERE number = 3",
     {("numbers.kit-7", "079"), ("numbers.kit-8", "079")}),
    ("DELETE FROM figure_numbers", {("numbers.kit-7", "079")}),
    ("DELETE FROM events WHERE sequence = 3", {("moves.dossier.received", HERE)}),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "expected"), ALTERED)
def test_whatever_is_not_what_was_recorded_is_named(
    database: Database, desk: RecordCheckDesk, sentence: str, expected: set[tuple[str, str]]
) -> None:
    alter(database, sentence)
    assert expected <= places(desk.check())


def test_numbers_that_came_late_or_were_given_up_agree_with_the_record(database: Database) -> None:
    def told(day: int, subject: str, state: str, number: int) -> Told:
        detail = {"unit": HERE, "kit": "kit-7", "sequence": str(number)}
        return Told(START + timedelta(days=day), subject, state, detail)

    record(database, [
        told(0, "packet/a", "announced", 9), told(1, "packet/b", "announced", 4),
        told(1, "packet/b", "received", 4), told(2, "kit", "close_gap", 5),
        told(3, "packet/c", "announced", 5), told(3, "kit", "close_gap", 5),
        told(4, "packet/d", "announced", 4), told(5, "packet/e", "announced", 200_000),
        told(6, "other-case", "close_gap", 0),
    ])  # fmt: skip
    desk = RecordCheckDesk(database, lambda: NOW)
    assert desk.check().named == ()
    for altered in (
        "UPDATE figure_numbers SET closed = 1 WHERE number = 6",
        "UPDATE figure_numbers SET closed = NULL WHERE number = 5",
        "UPDATE figure_numbers SET came = 7 WHERE number = 4",
    ):
        alter(database, altered)
        assert places(desk.check()) == {("numbers.kit-7", HERE)}
        Recount(database).everything()
        assert desk.check().named == ()


@pytest.fixture
def late_desk(database: Database) -> RecordCheckDesk:
    """Clocks that were missed, paused in time and late, went on, and began late; cards that wait."""

    def on(day: float, subject: str, state: str, **detail: str) -> Told:
        return Told(START + timedelta(days=day), subject, state, {"unit": HERE} | detail)

    record(database, [
        on(0, "dossier/1", "captured"), on(0, "dossier/2", "captured"), on(0, "dossier/3", "captured"),
        on(0, "dossier/4", "captured", happened_at="2020-01-06T03:00:00Z"),
        on(1, "dossier/1", "returned"), on(1, "dossier/2", "local_approved"),
        on(1, "card/2", "ordered", dossier="2"), on(20, "card/2", "qa_passed"),
        on(20.7, "card/2", "at_office"),
        on(30, "dossier/1", "captured"), on(30, "dossier/3", "suspended"), on(30, "dossier/4", "returned"),
        on(30, "card/9", "at_office"), on(31, "dossier/4", "captured"),
        on(31, "dossier/3", "captured"), on(32, "dossier/3", "withdrawn"),
    ])  # fmt: skip
    return RecordCheckDesk(database, lambda: START + timedelta(days=40))


def test_clocks_that_were_late_and_paused_agree_with_the_record(late_desk: RecordCheckDesk) -> None:
    assert late_desk.check().named == ()


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        ("SET due = due - 1 WHERE clock = 'central'", "due.central"),
        ("SET cleared = 0 WHERE clock = 'local' AND cleared > 0", "due.local"),
        (
            "SET due_on = '2020-01-31' WHERE clock = 'age.card.at_office' AND due_on > '2021-05-01'",
            "age.card.at_office",
        ),
        ("SET cleared = cleared + 1 WHERE clock = 'age.card.at_office'", "age.card.at_office"),
        ("SET due_on = '2021-04-06' WHERE clock = 'local' AND due_on = '2021-04-07'", "due.local"),
        ("SET due_on = '2021-04-08' WHERE clock = 'central' AND due_on < '2021-04-15'", "due.central"),
    ],
)
def test_due_days_and_ages_that_were_altered_are_named(
    database: Database, late_desk: RecordCheckDesk, sentence: str, figure: str
) -> None:
    alter(database, "UPDATE figure_dues " + sentence)
    assert (figure, HERE) in places(late_desk.check())


def test_what_was_altered_agrees_again_when_it_is_counted_again(
    database: Database, desk: RecordCheckDesk
) -> None:
    alter(database, "DELETE FROM figure_moves WHERE subject = 'dossier/2'")
    assert desk.check().differing
    Recount(database).everything()
    assert desk.check().differing == 0


def test_while_events_are_counted_again_the_check_is_put_off_and_nothing_is_called_wrong(
    database: Database, desk: RecordCheckDesk
) -> None:
    with database.writing() as connection:
        roll_up.begin_again(connection)
    with pytest.raises(FiguresOutdated):
        desk.check()
    house = Housekeeping({"checked": desk.what_is_due})
    assert (house.turn(), desk.last()) == (0, RecordCheck())
    Recount(database).what_is_due()
    assert house.turn() == desk.last().compared > 0


def test_it_is_done_once_a_day(database: Database) -> None:
    record(database, [Told(START, "dossier/1", "received", {"unit": "001"})])
    now = [NOW]
    desk = RecordCheckDesk(database, lambda: now[0])
    assert desk.what_is_due() > 0
    now[0] += timedelta(hours=23)
    assert RecordCheckDesk(database, lambda: now[0]).what_is_due() == 0
    now[0] += timedelta(hours=1)
    assert desk.what_is_due() > 0
    assert desk.last().checked_at == rfc3339(now[0])


def test_the_first_are_named_and_all_are_counted(
    database: Database, desk: RecordCheckDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(database, "UPDATE figure_days SET amount = amount + 1, balance = balance + 1")
    every = desk.check()
    assert len(every.named) == every.differing > 80
    monkeypatch.setattr(record_check, "MOST_NAMED", 5)
    first = desk.check()
    assert (first.named, first.differing) == (every.named[:5], every.differing)
    assert desk.last() == first


def test_a_report_of_one_moment_stays_what_it_was(database: Database, desk: RecordCheckDesk) -> None:
    office = StatisticsOffice(database, lambda: NOW)
    before = as_csv(office.report(Asked(as_of=NOW)))
    alter(database, "UPDATE figure_moves SET ended_by = 9 WHERE subject = 'dossier/2'")
    assert desk.check().differing
    assert as_csv(office.report(Asked(as_of=NOW))) == before


def test_the_command_names_figures_and_units_and_fails(
    database: Database,
    desk: RecordCheckDesk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", database.url)
    assert main(["check-figures"]) == 0
    assert "up to event 9: all are what was recorded" in capsys.readouterr().out
    alter(database, "DELETE FROM figure_moves WHERE subject = 'dossier/2'")
    assert main(["check-figures"]) == 1
    said = capsys.readouterr().err
    assert f"in.dossier.received in {HERE}" in said
    assert "in.dossier.received in nation" in said
    assert "dossier/2" not in said
    assert desk.last().differing > 0
    with database.writing() as connection:
        roll_up.begin_again(connection)
    assert main(["check-figures"]) == 1


def gauge(client: FlaskClient, name: str) -> float:
    (line,) = [
        each
        for each in client.get("/metrics").get_data(as_text=True).splitlines()
        if each.startswith(f"{name} ")
    ]
    return float(line.split()[1])


def test_it_is_told_to_officers_alone_and_to_whoever_watches(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    path = "/v1/statistics/record-check"
    empty = {"checked_at": None, "version": 0, "compared": 0, "differing": 0, "named": []}
    assert lan.get(path).get_json() == empty
    assert office.client().get(path).status_code == 401
    record(office.database, [Told(office.now[0], "dossier/1", "received", {"unit": "001"})])
    alter(office.database, "UPDATE figure_days SET balance = 5 WHERE figure = 'count.captured' AND unit = ''")
    found = RecordCheckDesk(office.database, lambda: office.now[0]).check()
    told = lan.get(path).get_json()
    assert told["named"] == [{"figure": "count.captured", "unit": ""}]
    assert (told["version"], told["differing"]) == (found.version, 1)
    assert gauge(office.client(), "idv_figures_differing") == 1
    checked = gauge(office.client(), "idv_figures_checked_timestamp_seconds")
    assert checked == office.now[0].timestamp()
