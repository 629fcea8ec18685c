"""The page on which those who lead see the targets in force and set new ones."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.statistics.tables import FIGURE_TARGETS
from tests.support.busy_office import OFFICE_UNIT, set_targets
from tests.support.issuance_office import NOW, PASSWORD, Office
from tests.support.office_pages import Browser, captured, sign_in, text
from verification.messages.fault_catalogue import fault

PAGE, CHIEF = "/reports/targets", "chief.unit"
FILLED = {
    "definition": "captured", "unit": OFFICE_UNIT, "starts_on": "2026-11-01", "ends_on": "2026-12-31",
    "amount": "1.200", "basis": "KH <b>12</b>/2026",
}  # fmt: skip


@pytest.fixture
def chief(app: Flask, office: Office) -> Browser:
    """The chief of the unit where the office captures."""
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("lan.capture", "Nguyễn Thị Lan", (Role.CAPTURE,), PASSWORD, OFFICE_UNIT)
    door.enrol(CHIEF, "Trưởng", (Role.DISTRICT_CHIEF,), PASSWORD, OFFICE_UNIT)
    return sign_in(app, CHIEF)


def kept(office: Office) -> list[tuple[str, int, str, str]]:
    with office.database.reading() as connection:
        columns = FIGURE_TARGETS.c
        rows = connection.execute(select(columns.unit, columns.amount, columns.basis, columns.set_by))
        return [(*row,) for row in rows]


def test_a_chief_sets_a_target_of_the_own_unit_and_sees_it_with_basis_and_progress(
    app: Flask, office: Office, chief: Browser
) -> None:
    captured(app)
    shown = chief.done(PAGE, FILLED, page=PAGE)
    assert "Đã đặt chỉ tiêu." in shown
    assert kept(office) == [(OFFICE_UNIT, 1_200, "KH <b>12</b>/2026", CHIEF)]
    (line,) = re.findall(r"<tbody><tr>(.*?)</tr></tbody>", shown, re.DOTALL)
    assert "KH &lt;b&gt;12&lt;/b&gt;/2026" in line
    assert f"Người đặt: {CHIEF}" in line
    assert ">1/1.200</td>" in line
    again = chief.done(PAGE, {**FILLED, "amount": "2"}, page=PAGE)
    assert ">1/2</td>" in again
    assert "1.200" not in again, "the newest counts"
    assert len(kept(office)) == 2, "and the older one is kept"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"definition": ""}, "definition", "FIELD_CHARACTERS"),
        ({"unit": "hanoi"}, "unit", "FIELD_CHARACTERS"),
        ({"unit": ""}, "unit", "UNIT_UNKNOWN"),
        ({"unit": "79"}, "unit", "UNIT_UNKNOWN"),
        ({"unit": f"{OFFICE_UNIT}9"}, "unit", "UNIT_UNKNOWN"),
        ({"starts_on": ""}, "starts_on", "FIELD_DATE"),
        ({"ends_on": "2026-10-31"}, "ends_on", "FIELD_DATE"),
        ({"amount": "1,5"}, "amount", "FIELD_CHARACTERS"),
        ({"amount": "0"}, "amount", "FIELD_CHARACTERS"),
        ({"basis": " "}, "basis", "FIELD_MISSING"),
        ({"basis": "K" * 201}, "basis", "FIELD_TOO_LONG"),
    ],
)
def test_what_is_no_target_of_the_own_area_is_said_beside_its_field_and_nothing_is_set(
    office: Office, chief: Browser, changes: dict[str, str], field: str, code: str
) -> None:
    answer = chief.post(PAGE, {**FILLED, **changes}, page=PAGE)
    shown = text(answer)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-fault">.{{0,60}}{fault(code).vi.what}', shown)
    assert 'value="KH &lt;b&gt;12' in shown or field == "basis", "what was typed stays"
    assert kept(office) == []


def test_who_leads_everywhere_sets_the_nations_target_but_none_of_a_place_that_is_not(
    app: Flask, office: Office
) -> None:
    son = sign_in(app, "son.supervisor", "en")
    shown = son.done(PAGE, {**FILLED, "unit": ""}, page=PAGE)
    assert "The target is set." in shown
    assert "Set by son.supervisor" in shown
    assert son.post(PAGE, {**FILLED, "unit": "79.77.777"}, page=PAGE).status_code == 422
    assert [unit for unit, *_ in kept(office)] == [""]


def test_whoever_does_not_lead_reads_but_sets_nothing(app: Flask, office: Office) -> None:
    set_targets(office, {"": 7})
    lan = sign_in(app, "lan.capture")
    shown = text(lan.get(PAGE))
    assert "KH 1/2026" in shown
    assert f'action="{PAGE}"' not in shown
    answer = lan.post(PAGE, FILLED, page=PAGE, Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")
    assert len(kept(office)) == 1


@pytest.mark.usefixtures("chief")
def test_the_report_leads_to_the_targets_of_its_unit(app: Flask) -> None:
    shown = text(sign_in(app, "son.supervisor").get(f"/reports?unit={OFFICE_UNIT}"))
    assert f'href="{PAGE}?unit={OFFICE_UNIT}"' in shown
    assert f"{OFFICE_UNIT}</h1>" in text(sign_in(app, "lan.capture").get(f"{PAGE}?unit={OFFICE_UNIT}"))
