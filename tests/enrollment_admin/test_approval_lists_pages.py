"""An approver stands for several dossiers in one act, and whoever may look finds the signed list of them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import update

from issuance_backend.dossiers.approval_lists.tables import APPROVAL_LISTS
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.office_pages import captured, sign_in, text
from verification.messages.fault_catalogue import fault

WORK = "/dossiers?state=validated"
AUDITOR = "thanh.tra"


@pytest.fixture
def dossiers(app: Flask) -> list[str]:
    return [captured(app, number=person.citizen_number) for person in citizens()[:3]]


def approved_list(app: Flask, dossiers: list[str]) -> str:
    """The page of the list that an act over dossiers leaves."""
    shown = sign_in(app, "minh.approve").approve(*dossiers)
    found = re.search(r'href="(/approval-lists/[0-9a-f]{16})"', shown)
    assert found
    return found[1]


def test_what_is_chosen_is_approved_in_one_act_and_its_list_can_be_read(
    app: Flask, dossiers: list[str]
) -> None:
    minh = sign_in(app, "minh.approve")
    shown = text(minh.get(WORK))
    assert shown.count('name="dossiers"') == 3
    path = approved_list(app, dossiers[:2])
    shown = text(minh.get(path))
    assert all(each in shown for each in dossiers[:2])
    assert dossiers[2] not in shown
    assert "Danh sách đúng như khi cán bộ duyệt và cơ quan ký" in shown
    assert "The list is as its approver and the office signed it" in text(
        sign_in(app, "minh.approve", "en").get(path)
    )
    assert text(minh.get(WORK)).count('name="dossiers"') == 1
    assert path in text(minh.get(f"/dossiers/{dossiers[0]}"))


def test_a_list_with_one_in_the_way_says_which_and_approves_none(app: Flask, dossiers: list[str]) -> None:
    own = captured(app, "binh.both", citizens()[3].citizen_number)
    binh = sign_in(app, "binh.both")
    assert f'value="{own}"' not in text(binh.get(WORK)), "nobody is offered what they captured"
    answer = binh.post("/approval-lists", {"dossiers": [dossiers[0], own]}, page=WORK)
    shown = text(answer)
    assert answer.status_code == 422
    assert fault("SAME_OFFICER").vi.what in shown
    assert f'value="{dossiers[0]}" checked' in shown
    refused = binh.post("/approval-lists", {}, page=WORK)
    assert "Chưa chọn hồ sơ nào" in text(refused)
    assert "Chưa có danh sách duyệt" in text(binh.get("/approval-lists"))


def test_an_auditor_reads_lists_and_approves_nothing(app: Flask, office: Office, dossiers: list[str]) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(AUDITOR, "Thanh", (Role.AUDITOR,), PASSWORD)
    path = approved_list(app, dossiers[:1])
    auditor = sign_in(app, AUDITOR)
    assert 'name="dossiers"' not in text(auditor.get(WORK))
    assert path in text(auditor.get("/approval-lists"))
    with office.database.writing() as connection:
        connection.execute(update(APPROVAL_LISTS).values(approver="somebody"))
    assert fault("APPROVAL_LIST_ALTERED").vi.what in text(auditor.get(path))
    lan = sign_in(app, "lan.capture")
    assert "/approval-lists" not in text(lan.get(WORK))
    assert lan.get("/approval-lists").status_code == 403


def test_what_no_list_stands_for_is_refused_with_its_reason(
    app: Flask, office: Office, dossiers: list[str]
) -> None:
    approved_list(app, dossiers)
    with office.database.writing() as connection:
        connection.execute(update(APPROVAL_LISTS).values(token="x"))
    thu, at = sign_in(app, "thu.central"), f"/dossiers/{dossiers[0]}"
    refused = thu.post(f"{at}/approve-centrally", page=at)
    assert refused.status_code == 303
    assert fault("APPROVAL_LIST_ALTERED").vi.what in text(thu.get(at))


def test_a_supervisor_revokes_the_offices_key_and_is_told_which_dossiers_it_approved(
    app: Flask, dossiers: list[str]
) -> None:
    path = approved_list(app, dossiers[:2])
    son, page = sign_in(app, "son.supervisor"), "/packet-signers"
    said = {"kind": "office", "owner": "", "revoked_at": "2026-11-20T08:00", "case_id": "VV-2026/7"}
    shown = text(son.post(f"{page}/revocation", said, page=page))
    assert sorted(re.findall(r'href="/dossiers/([0-9a-f]{16})"', shown)) == sorted(dossiers[:2])
    minh, at = sign_in(app, "minh.approve"), f"/dossiers/{dossiers[2]}"
    assert fault("APPROVAL_LIST_SIGNER_REVOKED").vi.what in text(minh.get(path))
    refused = minh.post(f"{at}/approve", page=at, Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (503, "APPROVAL_KEY_UNAVAILABLE")
