"""Certificates for capture on the pages: what ends soon, and the forms that certify and withdraw."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import delete

from issuance_backend.schema import OFFICER_CERTIFICATES
from tests.support.certified import certify
from tests.support.issuance_office import Office, citizens
from tests.support.office_pages import Browser, sign_in, text
from verification.messages.fault_catalogue import fault

PAGE = "/officer-certificates"
GRANT = {
    "officer": "lan.capture",
    "level": "capture",
    "valid_from": "2026-11-01",
    "valid_until": "2026-12-05",
    "issuer": "PC06 Hà Nội",
}
NEW = f"/dossiers/new?citizen_number={citizens()[0].citizen_number}"


@pytest.fixture
def supervisor(app: Flask, office: Office) -> Browser:
    """Of an office in which nobody is certified."""
    with office.database.writing() as connection:
        connection.execute(delete(OFFICER_CERTIFICATES))
    return sign_in(app, "son.supervisor")


def test_who_is_certified_captures_until_it_is_withdrawn(app: Flask, supervisor: Browser) -> None:
    lan = sign_in(app, "lan.capture")
    assert fault("OFFICER_NOT_CERTIFIED").vi.what in text(lan.get(NEW))
    assert "Không có chứng nhận nào hết hạn" in text(supervisor.get(PAGE))
    shown = supervisor.done(PAGE, GRANT, page=PAGE)
    assert "05/12/2026" in shown
    assert citizens()[0].full_name in text(lan.get(NEW))
    gone = {"officer": "lan.capture", "since": "2026-11-20T08:00", "case_id": "VV-2026/4"}
    shown = text(supervisor.post(f"{PAGE}/withdrawal", gone, page=PAGE))
    assert 'số chứng nhận: <span class="number">1<' in shown
    assert "05/12/2026" not in text(supervisor.get(PAGE))
    assert fault("OFFICER_NOT_CERTIFIED").vi.what in text(lan.get(NEW))


def test_what_was_captured_since_is_held_and_what_cannot_be_is_named(
    app: Flask, office: Office, supervisor: Browser
) -> None:
    certify(office.database, "lan.capture")
    lan = office.sign_in("lan.capture")
    waits, ended = (
        lan.capture(person, f"capture-000000000{number}").get_json()["id"]
        for number, person in enumerate(citizens()[:2])
    )
    assert lan.post(f"/v1/dossiers/{ended}/withdrawal").status_code == 200
    gone = {"officer": "lan.capture", "since": "2026-11-20T08:00", "case_id": "VV-2026_4"}
    answer = supervisor.post(f"{PAGE}/withdrawal", gone, page=PAGE)
    shown = text(answer)
    assert answer.status_code == 200
    assert '<strong>VV-2026_4</strong>: <span class="number strong">1<' in shown
    assert f'href="/dossiers/{ended}"' in shown
    assert waits not in shown
    told = supervisor.post(f"{PAGE}/withdrawal", gone, page=PAGE, Accept="application/json").get_json()
    assert told == {"certificates": 0, "held": 1, "others": [ended]}


def test_what_was_typed_stays_beside_its_fault(supervisor: Browser) -> None:
    answer = supervisor.post(PAGE, GRANT | {"officer": "nobody", "valid_until": "2026-10-01"}, page=PAGE)
    shown = text(answer)
    assert answer.status_code == 422
    assert fault("FIELD_DATE").vi.what in shown
    assert 'value="nobody"' in shown
    answer = supervisor.post(f"{PAGE}/withdrawal", {"officer": "", "since": "", "case_id": ""}, page=PAGE)
    assert answer.status_code == 422


def test_only_supervisors_find_the_forms(app: Flask, office: Office, supervisor: Browser) -> None:
    assert PAGE in text(supervisor.get("/kits"))
    assert sign_in(app, "lan.capture").get(PAGE).status_code == 403
