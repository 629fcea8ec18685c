"""At a province's pages one officer checks and another approves; nobody is offered what would be refused."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.approver_keys import let_approve
from tests.support.busy_office import OFFICE_UNIT
from tests.support.issuance_office import NOW, PASSWORD, Office
from tests.support.office_pages import captured, sign_in, text
from verification.messages.fault_catalogue import fault

WORK = "/dossiers?state=validated"
CHECK, APPROVE = "Xác nhận đã kiểm tra", "Duyệt hồ sơ"


@pytest.fixture
def dossier(app: Flask, office: Office) -> str:
    """Captured in a commune of the province."""
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("lan.capture", "Lan", (Role.CAPTURE,), PASSWORD, OFFICE_UNIT)
    door.enrol("hai.process", "Hai", (Role.PROCESSOR,), PASSWORD, "001")
    door.enrol("ba.approve", "Ba", (Role.APPROVER,), PASSWORD, "001")
    door.enrol("tu.district", "Tu", (Role.APPROVER,), PASSWORD, "001.02")
    let_approve(office.database, "ba.approve", "tu.district")
    return captured(app)


def test_a_processor_checks_and_then_an_approver_approves(app: Flask, dossier: str) -> None:
    page = f"/dossiers/{dossier}"
    ba, hai = sign_in(app, "ba.approve"), sign_in(app, "hai.process")
    shown = text(ba.get(page))
    assert fault("DOSSIER_NOT_CHECKED").vi.what in shown
    assert APPROVE not in shown
    assert 'name="dossiers"' not in text(ba.get(WORK))
    refused = ba.post(f"{page}/approve", page=page, Accept="application/json")
    assert refused.get_json()["code"] == "DOSSIER_NOT_CHECKED"
    assert dossier in text(hai.get(WORK))
    assert CHECK in text(hai.get(page))
    hai.done(f"{page}/check", page=page)
    assert CHECK not in text(hai.get(page))
    shown = text(ba.get(page))
    assert "Người đã kiểm tra: hai.process" in shown
    assert 'name="dossiers"' in text(ba.get(WORK))
    shown = ba.approve(dossier)
    found = re.search(r'href="(/approval-lists/[0-9a-f]{16})"', shown)
    assert found
    assert "hai.process" in text(hai.get(found[1]))


def test_a_processor_lists_what_nobody_checked_yet(app: Flask, dossier: str) -> None:
    hai, unchecked = sign_in(app, "hai.process"), f"{WORK}&unchecked=true"
    assert 'href="/dossiers?state=validated&amp;unchecked=true"' in text(hai.get(WORK))
    assert dossier in text(hai.get(unchecked))
    page = f"/dossiers/{dossier}"
    hai.done(f"{page}/check", page=page)
    assert dossier not in text(hai.get(unchecked))
    assert dossier in text(hai.get(WORK))
    assert "Chưa kiểm tra" not in text(sign_in(app, "tu.district").get(WORK)), "the district checks nothing"


def test_an_approver_of_a_district_approves_alone(app: Flask, dossier: str) -> None:
    tu, page = sign_in(app, "tu.district"), f"/dossiers/{dossier}"
    assert APPROVE in text(tu.get(page))
    tu.sign(tu.post(f"{page}/approve", page=page))


def test_a_processor_returns_what_is_wrong(app: Flask, dossier: str) -> None:
    hai, page = sign_in(app, "hai.process"), f"/dossiers/{dossier}"
    hai.done(f"{page}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=page)
    assert CHECK not in text(hai.get(page))
