"""Figures over HTTP, from an office that captures, approves and hands over."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.statistics.api import TARGETS_ROLE
from tests.support.certified import certify
from tests.support.delivery import deliver, hand_over, made
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient, citizens, make_office

TOKEN = "planning-token"


@pytest.fixture
def office(
    tmp_path: Path, office_pki: Path, database_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Office:
    callers = json.dumps(
        {
            "planning": {"sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "roles": [TARGETS_ROLE]},
            "gateway": {"sha256": hashlib.sha256(b"other").hexdigest(), "roles": ["status.query"]},
        }
    )
    write = Path.write_text
    monkeypatch.setattr(
        Path,
        "write_text",
        lambda path, text, *rest: write(path, callers if path.name == "tokens.json" else text, *rest),
    )
    return make_office(tmp_path, office_pki, database_engine)


def worked(office: Office) -> OfficerClient:
    """One dossier handed over, one waiting for its approval."""
    lan = office.sign_in("lan.capture")
    dossier = lan.capture(citizens()[0]).get_json()["id"]
    lan.capture(citizens()[1], "capture-0000000002")
    office.now[0] = NOW + timedelta(hours=3)
    card = made(office, dossier)
    office.now[0] = NOW + timedelta(days=1)
    deliver(office, card)
    assert hand_over(office, card).status_code == 200
    return office.sign_in("lan.capture")


def report(client: OfficerClient, query: str = "") -> Any:
    answer = client.get(f"/v1/statistics/report{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_what_the_office_did_is_what_the_report_says(office: Office) -> None:
    found = report(worked(office))
    done = ("captured", 2), ("sent", 1), ("approved", 1), ("completed", 1)
    made = ("ordered", 1), ("personalised", 1), ("qa_passed", 1)
    sent = ("dispatched", 1), ("received", 1), ("delivered", 1)
    assert found["total"]["to_date"] == dict((*done, *made, *sent))
    assert {(each["kind"], each["state"]): each["stock"] for each in found["stocks"] if each["stock"]} == {
        ("counter", "sealed"): 2,
        ("dossier", "validated"): 1,
        ("dossier", "completed"): 1,
        ("card", "active"): 1,
        ("box", "received"): 1,
    }
    clocks = {each["definition"]: each for each in found["clocks"]}
    assert clocks["total"]["on_time"] == clocks["total"]["inside"] == 1
    assert not [each for each in found["identities"] if each["broken"]]
    assert [(each["state"], each["is_bottleneck"]) for each in found["stages"]] == [("validated", True)]


def test_a_report_of_a_past_moment_is_what_was_so_then(office: Office) -> None:
    lan = worked(office)
    early = report(lan, f"?as_of={(NOW + timedelta(hours=1)).isoformat().replace('+', '%2B')}&period=week")
    assert early["total"]["to_date"] == {"captured": 2}
    assert early["final"] is True
    assert early["period_from"] == "2026-11-16"


def test_records_behind_a_figure_come_in_pages(office: Office) -> None:
    lan = worked(office)
    first = lan.get("/v1/statistics/records?figure=captured&limit=1")
    assert len(first.get_json()) == 1
    link = first.headers["Link"].partition(">")[0].lstrip("<")
    second = lan.get(link)
    assert second.get_json()[0]["subject"] != first.get_json()[0]["subject"]
    assert "Link" not in second.headers
    waiting = lan.get("/v1/statistics/records?figure=stock.dossier.validated").get_json()
    assert [line["subject"] for line in waiting] == [second.get_json()[0]["subject"]]


def test_a_unit_is_known_where_somebody_works_or_something_was_counted_or_is_to_be(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    unknown = [f"report?unit={unit}" for unit in ("001.03", "001.03.00017", "001.04", "002.05")]
    assert {lan.get(f"/v1/statistics/{each}").status_code for each in unknown} == {404}
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("tu.unit", "Tú", (Role.CAPTURE,), PASSWORD, "001.03.00017")
    certify(office.database, "tu.unit")
    target = {
        "definition": "captured", "unit": "002.05", "starts_on": "2026-01-01", "ends_on": "2026-12-31",
        "amount": 4, "basis": "Kế hoạch",
    }  # fmt: skip
    set_by = {"Authorization": f"Bearer {TOKEN}"}
    office.client().post("/v1/statistics-targets", json={"targets": [target]}, headers=set_by)
    found = [lan.get(f"/v1/statistics/{each}").status_code for each in unknown]
    assert found == [200, 200, 404, 200]
    office.sign_in("tu.unit").capture(citizens()[0])
    assert report(lan, "?unit=001.03")["total"]["to_date"] == {"captured": 1}
    assert report(lan, "?unit=001")["total"]["to_date"] == {"captured": 1}


def test_what_is_no_work_is_not_in_a_report(office: Office) -> None:
    office.receive_blanks(5)
    found = report(worked(office))
    assert {each["kind"] for each in found["stocks"]} == {"counter", "dossier", "card", "box"}
    assert not [each for each in found["identities"] if each["broken"]]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("report?as_of=2999-01-01", 404, "FIGURE_UNKNOWN"),
        ("report?as_of=0001-01-01T00:00:00Z", 404, "FIGURE_UNKNOWN"),
        ("report?as_of=yesterday", 422, "FIELDS_REFUSED"),
        ("report?as_of=2026-01-01T00:00:00", 422, "FIELDS_REFUSED"),
        ("report?period=decade", 422, "FIELDS_REFUSED"),
        ("report?unit=hanoi", 404, "UNIT_UNKNOWN"),
        ("report?unit=001.99.00001", 404, "UNIT_UNKNOWN"),
        ("report?unit=999", 404, "UNIT_UNKNOWN"),
        ("report.csv?unit=999", 404, "UNIT_UNKNOWN"),
        ("records?figure=captured&unit=999", 404, "UNIT_UNKNOWN"),
        ("records?figure=issued", 404, "FIGURE_UNKNOWN"),
        ("records?figure=", 404, "FIGURE_UNKNOWN"),
        ("records?figure=stock.dossier.validate", 404, "FIGURE_UNKNOWN"),
        ("records?figure=stock.validated", 404, "FIGURE_UNKNOWN"),
        ("records?figure=stock.", 404, "FIGURE_UNKNOWN"),
        ("records?figure=in.dossier.nowhere", 404, "FIGURE_UNKNOWN"),
        ("records?figure=out.dossier.nowhere", 404, "FIGURE_UNKNOWN"),
        ("records?figure=time.dossier.validated.24", 404, "FIGURE_UNKNOWN"),
        ("records?figure=cause.returns.NEVER_NAMED", 404, "FIGURE_UNKNOWN"),
        ("records?figure=clock.local.never", 404, "FIGURE_UNKNOWN"),
        ("records?figure=clock.none.late", 404, "FIGURE_UNKNOWN"),
        ("records?figure=measured.never", 404, "FIGURE_UNKNOWN"),
        ("records?figure=band.finger_quality.11.0", 404, "FIGURE_UNKNOWN"),
        ("records?figure=missing.KIT-NEVER", 404, "FIGURE_UNKNOWN"),
        ("report?unit=01&as_of=2021-03-01", 404, "UNIT_UNKNOWN"),
        ("report?unit=01&as_of=2025-06-30", 404, "UNIT_UNKNOWN"),
        ("report?unit=01.00157&as_of=2021-03-01", 404, "UNIT_UNKNOWN"),
        ("records?figure=captured&unit=01&as_of=2021-03-01", 404, "UNIT_UNKNOWN"),
        ("records?figure=captured&limit=0", 422, "FIELDS_REFUSED"),
        ("records?figure=captured&cursor=zzz", 422, "FIELDS_REFUSED"),
        ("records?figure=captured&cursor=WyJ4Il0", 422, "FIELDS_REFUSED"),
    ],
)
def test_what_is_no_question_is_refused(office: Office, query: str, status: int, code: str) -> None:
    answer = office.sign_in("lan.capture").get(f"/v1/statistics/{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_units_are_those_of_the_day(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    asked = ["unit=001&as_of=2021-03-01", "unit=001", "unit=01&as_of=2025-07-01", "unit=01"]
    assert [lan.get(f"/v1/statistics/report?{each}").status_code for each in asked] == [200] * 4


def test_a_figure_that_is_nought_is_no_unknown_one(office: Office) -> None:
    lan = worked(office)
    nought = ("out.card.active", "out.dossier.completed", "clock.local.late", "band.finger_quality.01.80")
    nought += ("measured.visits", "delivered&as_of=2026-01-01", "stock.card.active&as_of=2026-01-01")
    found = {name: lan.get(f"/v1/statistics/records?figure={name}") for name in nought}
    told = {name: (answer.status_code, len(answer.get_json())) for name, answer in found.items()}
    assert {name: told[name][0] for name in nought} == dict.fromkeys(nought, 200)
    assert told["out.card.active"] == told["clock.local.late"] == (200, 0)
    assert told["delivered&as_of=2026-01-01"] == told["stock.card.active&as_of=2026-01-01"] == (200, 0)


@pytest.mark.parametrize(
    ("form", "begins", "kind"),
    [("csv", b"\xef\xbb\xbf", "text/csv"), ("xlsx", b"PK", "spreadsheetml"), ("pdf", b"%PDF", "pdf")],
)
def test_a_report_can_be_taken_along(office: Office, form: str, begins: bytes, kind: str) -> None:
    answer = office.sign_in("minh.approve").get(f"/v1/statistics/report.{form}?as_of=2026-11-20")
    assert answer.status_code == 200
    assert answer.data.startswith(begins)
    assert kind in answer.content_type
    assert f".{form}" in answer.headers["Content-Disposition"]


def test_no_file_of_another_form_is_made(office: Office) -> None:
    assert office.sign_in("lan.capture").get("/v1/statistics/report.exe").status_code == 404


def test_a_text_is_checked(office: Office) -> None:
    lan = office.sign_in("lan.capture")
    body = {"text": "Đã thu 85.172.210 phiếu DC01/87.306.594 nhân khẩu, đạt 97,5 %."}
    found = lan.post("/v1/statistics/text-checks", body).get_json()
    assert [each["code"] for each in found["findings"]] == ["CUT_NOT_ROUNDED"]
    assert lan.post("/v1/statistics/text-checks", {"text": "x" * 20_001}).status_code == 422
    assert lan.post("/v1/statistics/text-checks", {**body, "as_of": "31/2"}).status_code == 422


def test_definitions_say_what_is_counted(office: Office) -> None:
    found = office.sign_in("lan.capture").get("/v1/statistics/definitions").get_json()
    assert {"captured", "sent", "approved", "personalised", "received", "delivered"} <= {
        each["id"] for each in found["counters"]
    }


def target(**changes: object) -> dict[str, object]:
    values = {
        "definition": "captured",
        "unit": "",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "amount": 4,
    }
    return {**values, "basis": "Plan 56/KH-BCA", **changes}


def set_targets(office: Office, *targets: dict[str, object], token: str = TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return office.client().post("/v1/statistics-targets", json={"targets": targets}, headers=headers)


def test_the_newest_target_counts_and_the_older_one_is_history(office: Office) -> None:
    lan = worked(office)
    assert set_targets(office, target(amount=1)).status_code == 201
    assert [each["is_over_target"] for each in report(lan)["targets"]] == [True]
    office.now[0] += timedelta(hours=1)
    assert set_targets(office, target(amount=4)).get_json() == {"count": 1}
    found = report(lan)["targets"]
    assert [(each["target"], each["done"], each["percent"]) for each in found] == [(4, 2, "50.0")]
    past = (office.now[0] - timedelta(minutes=30)).isoformat().replace("+", "%2B")
    assert [each["target"] for each in report(lan, f"?as_of={past}")["targets"]] == [1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"definition": "issued"}, "0.definition"),
        ({"unit": "hanoi"}, "0.unit"),
        ({"starts_on": "1/1"}, "0.starts_on"),
        ({"ends_on": "2025-01-01"}, "0.ends_on"),
        ({"amount": 0}, "0.amount"),
        ({"amount": 10**13}, "0.amount"),
        ({"basis": " "}, "0.basis"),
    ],
)
def test_a_target_that_is_none_sets_nothing(office: Office, changes: dict[str, object], field: str) -> None:
    answer = set_targets(office, target(**changes), target())
    assert answer.status_code == 422
    assert field in answer.get_json()["fields"]
    assert report(office.sign_in("lan.capture"))["targets"] == []


def test_a_chief_sets_a_target_of_the_own_area_alone_and_it_says_who_set_it(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("vu.chief", "Vũ", (Role.DISTRICT_CHIEF,), PASSWORD, "001.02")
    door.enrol("tu.unit", "Tú", (Role.TEAM_LEADER,), PASSWORD, "001.02.00013")
    chief = office.sign_in("vu.chief")
    for unit, status in (("001.02", 201), ("001.02.00013", 201), ("001", 404), ("001.020", 404), ("", 404)):
        assert chief.post("/v1/statistics/targets", target(unit=unit)).status_code == status, unit
    refused = office.sign_in("tu.unit").post("/v1/statistics/targets", target(unit="001.02.00013"))
    assert refused.get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert chief.post("/v1/statistics/targets", target(amount=-1)).get_json()["fields"].keys() == {"amount"}
    found = report(chief, "?unit=001.02")["targets"]
    assert {(each["unit"], each["basis"], each["set_by"]) for each in found} == {
        (unit, "Plan 56/KH-BCA", "vu.chief") for unit in ("001.02", "001.02.00013")
    }


def test_only_the_planning_service_sets_targets_and_only_officers_read(office: Office) -> None:
    assert set_targets(office, target(), token="other").status_code == 401
    assert set_targets(office).status_code == 422
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert office.client().get("/v1/statistics/report", headers=headers).status_code == 401
    assert office.client().get("/v1/statistics/report.csv").status_code == 401
