"""What the office records of time, trips and prints, as the report tells it, over the office's own ways."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from issuance_backend import recorded_events
from issuance_backend.__main__ import main
from issuance_backend.moments import parse_moment
from issuance_backend.statistics import roll_up
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.issuance_backend.statistics.test_recount import other_rules
from tests.issuance_backend.test_openapi import Contract
from tests.support.application_desk import Desk, make_desk, packet_of
from tests.support.delivery import deliver, hand_over, made, shown_to_nobody
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, Office, citizens, make_office
from tests.support.packet_centre import Centre, PlainDossiers, prepared_database
from verification.messages.statistics import AverageFigure, Report

DAY = timedelta(days=1)


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Office:
    return make_office(tmp_path, office_pki, database_engine)


def report(office: Office | Desk | Centre, unit: str = "") -> Report:
    return StatisticsOffice(office.database, lambda: office.now[0]).report(Asked(unit=unit))


def average(found: Report, name: str) -> tuple[int, int, str | None]:
    """How often it was measured, the sum, and the average."""
    of_name = (each for each in found.averages if each.definition == name)
    figure = next(of_name, AverageFigure(name, 0, 0, 0, None, 0, 0, None))
    return figure.measured, figure.total, figure.average


def test_minutes_at_a_desk_are_from_the_opened_form_to_the_accepted_capture(office: Office) -> None:
    lan, begun = office.sign_in("lan.capture"), (NOW - timedelta(minutes=7)).isoformat()
    answered = lan.capture(citizens()[0], begun_at=begun)
    assert answered.status_code == 201
    lan.capture(citizens()[1], "capture-0000000002", begun_at=(NOW - timedelta(hours=5)).isoformat())
    lan.capture(citizens()[2], "capture-0000000003", begun_at=(NOW + timedelta(minutes=1)).isoformat())
    lan.capture(citizens()[3], "capture-0000000004")
    assert average(report(office), "operator_time") == (1, 420, "7.0")


@pytest.mark.parametrize("begun_at", ["", "yesterday", "2026-11-20T08:00:00"])
def test_a_beginning_that_is_no_moment_is_refused(office: Office, begun_at: str) -> None:
    answered = office.sign_in("lan.capture").capture(citizens()[0], begun_at=begun_at)
    assert (answered.status_code, answered.get_json()["fields"]) == (422, {"begun_at": "FIELD_DATE"})


def test_a_capture_that_is_sent_again_is_the_same_whenever_it_was_begun(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    first = lan.capture(citizens()[0], begun_at=NOW.isoformat()).get_json()["id"]
    assert lan.capture(citizens()[0]).get_json()["id"] == first


def test_minutes_at_a_kit_are_from_the_first_question_to_the_sealing(database_engine: Engine) -> None:
    desk = make_desk(database_engine)
    sealed = parse_moment(packet_of().happened_at)
    for number, minutes in enumerate((10, 13, -1)):
        begun = (sealed - timedelta(minutes=minutes)).isoformat()
        desk.received(packet_of(citizens()[number], number + 1, begun_at=begun))
    found = report(desk)
    assert average(found, "operator_time") == (2, 1380, "11.5")
    assert {(each.kind, each.state): each.left for each in found.turnarounds} == {("dossier", "received"): 3}


def test_trips_are_captures_days_without_success_and_the_hand_over(office: Office) -> None:
    lan, minh = office.sign_in("lan.capture"), office.sign_in("minh.approve")
    twice = lan.capture(citizens()[0]).get_json()["id"]
    minh.post(f"/v1/dossiers/{twice}/return", {"items": ["place_of_residence"], "comment": "thiếu số nhà"})
    view = lan.get(f"/v1/dossiers/{twice}").get_json()
    body = {"capture_id": "capture-again-00001", "citizen_number": view["citizen_number"],
            "person": view["person"], "portrait": "", "begun_at": None}  # fmt: skip
    assert lan.recapture(twice, body).status_code == 201
    once = lan.capture(citizens()[1], "capture-0000000002").get_json()["id"]
    cards = [made(office, dossier) for dossier in (twice, once)]
    office.now[0] += DAY
    deliver(office, *cards)
    for _ in range(2):
        shown_to_nobody(office, cards[0])
    office.now[0] += DAY
    shown_to_nobody(office, cards[0])
    shown_to_nobody(office, cards[1])
    assert [hand_over(office, card).status_code for card in cards] == [200, 200]
    found = report(office)
    # Captured twice, turned away on the day before, handed over; captured and handed over.
    assert average(found, "visits") == (2, 6, "3.00")
    assert found.total.to_date["turned_away"] == 3
    assert not [each for each in found.identities if each.broken]


def test_a_packet_is_counted_at_its_kits_unit_and_a_gap_is_known_with_it(
    tmp_path: Path, database_engine: Engine
) -> None:
    centre = Centre(prepared_database(database_engine.new()), tmp_path, PlainDossiers())
    kit = centre.kit()
    first, second = kit.seal(), kit.seal()
    centre.bring(second)
    found = report(centre, "001.02.00013")
    assert [(each.kit, each.newest, each.missing) for each in found.kits] == [("kit-001", 2, 1)]
    assert (found.total.to_date["packets_announced"], found.total.to_date["packets_received"]) == (1, 1)
    centre.pass_time(60)
    centre.bring(first)
    later = report(centre)
    assert later.kits == ()
    assert later.total.to_date["packets_received"] == 2
    before = StatisticsOffice(centre.database, lambda: centre.now[0])
    assert before.report(Asked(as_of=centre.now[0] - timedelta(seconds=30))).kits == found.kits


def test_the_office_says_that_figures_are_being_counted_again_and_housekeeping_does_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lan = office.sign_in("lan.capture")
    lan.capture(citizens()[0])
    with office.database.reading() as connection:
        recorded = recorded_events.newest(connection)
    monkeypatch.setattr(roll_up, "rules", other_rules)
    for path in ("report", "report.csv", "records?figure=captured"):
        answered = lan.get(f"/v1/statistics/{path}")
        assert (answered.status_code, answered.get_json()["code"]) == (503, "FIGURES_OUTDATED")
        Contract("statistics").judge(answered)
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", office.settings.database_url)
    assert main(["housekeeping", "--once"]) == 0
    assert f"{recorded} recorded events counted again" in capsys.readouterr().out
    assert report(office).total.to_date["captured"] == 1
