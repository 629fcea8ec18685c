"""Whoever decides reads that others are likely the applicant, and approvers alone go on to their numbers."""

from __future__ import annotations

import pytest
from flask import Flask

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.office_pages import sign_in, text
from verification.messages.person_match import MatchCandidate, MatchEvidence

PERSON = citizens()[0]
OTHER = MatchCandidate(
    "001099000017",
    "likely",
    40.0,
    (MatchEvidence("full_name", "marks-missing", 12.0), MatchEvidence("residence", "same-commune", 4.0)),
)


@pytest.fixture
def dossier(office: Office) -> str:
    office.registry.others[PERSON.citizen_number] = (OTHER,)
    return str(office.sign_in("lan.capture").capture(PERSON).get_json()["id"])


@pytest.mark.parametrize(
    ("language", "told", "name", "home"),
    [
        ("vi", "rất có thể chính là người này: 1", "Họ, chữ đệm và tên: một bên thiếu dấu", "cùng xã"),
        ("en", "likely this person: 1", "Full name: marks are missing in one", "the same commune"),
    ],
)
def test_an_approver_is_told_what_to_do_and_sees_numbers_with_evidence(
    app: Flask, dossier: str, language: str, told: str, name: str, home: str
) -> None:
    minh = sign_in(app, "minh.approve", language)
    page = text(minh.get(f"/dossiers/{dossier}"))
    assert told in page
    assert OTHER.citizen_number not in page
    shown = minh.get(f"/dossiers/{dossier}/candidates")
    assert shown.status_code == 200
    for each in (OTHER.citizen_number, name, home):
        assert each in text(shown)
    assert shown.headers["Cache-Control"] == "no-store"


def test_the_archive_is_told_and_the_counter_is_not(office: Office, app: Flask, dossier: str) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("an.archive", "An", (Role.ARCHIVE_CLERK,), PASSWORD)
    path = f"/dossiers/{dossier}"
    told = text(sign_in(app, "an.archive").get(path))
    assert "rất có thể chính là người này: 1" in told
    for officer, page in (("an.archive", told), ("lan.capture", text(sign_in(app, "lan.capture").get(path)))):
        assert f"{path}/candidates" not in page
        assert sign_in(app, officer).get(f"{path}/candidates").status_code == 403
    assert "rất có thể chính là người này" not in text(sign_in(app, "lan.capture").get(path))


def test_the_work_list_says_it_beside_the_box_to_tick(office: Office, app: Flask, dossier: str) -> None:
    office.registry.is_indexed = False
    lan = office.sign_in("lan.capture")
    unknown = lan.capture(citizens()[1], "capture-0000000002").get_json()["id"]
    office.registry.is_indexed = True
    nobody = lan.capture(citizens()[2], "capture-0000000003").get_json()["id"]
    minh = office.sign_in("minh.approve")
    listed = minh.get("/v1/dossiers?state=validated").get_json()
    assert {each["id"] for each in listed if each["warns_of_others"]} == {dossier, unknown}
    assert nobody in {each["id"] for each in listed}
    page = "/dossiers?state=validated"
    assert text(sign_in(app, "minh.approve").get(page)).count("mở hồ sơ xem trước khi chọn") == 2
    assert "mở hồ sơ xem trước khi chọn" not in text(sign_in(app, "lan.capture").get(page))


def test_where_there_is_nobody_nothing_is_said(office: Office, app: Flask) -> None:
    made = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    minh = sign_in(app, "minh.approve")
    assert "rất có thể chính là người này" not in text(minh.get(f"/dossiers/{made}"))
    assert "không còn ai như vậy" in text(minh.get(f"/dossiers/{made}/candidates"))


def test_where_not_everybody_was_compared_nobody_found_is_not_said_to_be_nobody(
    office: Office, app: Flask
) -> None:
    office.registry.is_indexed = False
    made = office.sign_in("lan.capture").capture(PERSON).get_json()
    validated = next(step["detail"] for step in made["steps"] if step["event"] == "validate")
    assert (validated["candidates"], validated["candidates_incomplete"]) == ("0", "true")
    path = f"/dossiers/{made['id']}"
    minh = sign_in(app, "minh.approve")
    told = text(minh.get(path))
    assert "chưa so được với tất cả mọi người" in told
    assert f"{path}/candidates" in told
    assert "Chưa so được với tất cả mọi người" in text(minh.get(f"{path}/candidates"))
    assert "could not compare everybody" in text(sign_in(app, "minh.approve", "en").get(path))
    assert "chưa so được" not in text(sign_in(app, "lan.capture").get(path))
    office.registry.is_indexed = True
    other = office.sign_in("lan.capture").capture(citizens()[1], "capture-0000000002").get_json()
    assert "chưa so được" not in text(minh.get(f"/dossiers/{other['id']}"))
