"""The capture page: what the citizen does not have is left out with a reason of the form."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from flask import Flask

from tests.support.issuance_office import REASON, Office, citizens, picture
from tests.support.office_pages import FIRST_CARD, NO_PRINTS, sign_in, text
from verification.messages.fault_catalogue import fault

PERSON = citizens()[0]
NEW = f"/dossiers/new?citizen_number={PERSON.citizen_number}"


def form(**changes: object) -> dict[str, object]:
    return {
        "citizen_number": PERSON.citizen_number,
        "portrait": (io.BytesIO(picture()), "p.jpg"),
        "manual_portrait_reason": REASON,
        **NO_PRINTS,
        **FIRST_CARD,
        **changes,
    }


@pytest.mark.parametrize(("language", "named"), [("vi", "Không có dấu vết riêng"), ("en", "No marks")])
def test_only_what_can_be_left_out_is_offered(app: Flask, language: str, named: str) -> None:
    page = text(sign_in(app, "lan.capture", language).get(NEW))
    assert named in page
    assert 'value="marks_none"' in page
    assert 'value="father_unknown"' not in page, "the registry knows the father"
    assert 'value="finger_missing"' not in page, "nobody takes fingers here"


def test_a_father_whom_the_registry_does_not_know_needs_the_reason(office: Office, app: Flask) -> None:
    office.registry.people[PERSON.citizen_number] = replace(PERSON, father="")
    lan = sign_in(app, "lan.capture")
    refused = lan.post("/dossiers", form(), page=NEW)
    assert refused.status_code == 422
    assert fault("FIELD_MISSING").vi.what in text(refused)
    stated = {"identification": "", "exceptions": ["father_unknown", "marks_none", "no_scanner"]}
    signed = lan.signed(lan.post("/dossiers", form(**stated), page=NEW), app)
    made = lan.post(f"{signed}/seal", page=signed, Accept="application/json")
    assert (made.status_code, made.get_json()["state"]) == (201, "validated")
    assert made.get_json()["steps"][0]["detail"]["exceptions"] == "father_unknown marks_none no_scanner"


def test_what_was_stated_is_kept_over_a_fault(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    refused = lan.post("/dossiers", form(exceptions=["marks_none"]), page=NEW)
    page = text(refused)
    assert refused.status_code == 422
    assert fault("EXCEPTION_CONTRADICTED").vi.what in page
    assert 'value="marks_none" checked' in page


def test_what_was_stated_outlives_what_the_capture_needs_being_down(office: Office, app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    lan.get(NEW)
    office.registry.is_up = False
    kept = lan.post("/dossiers", form(identification="", exceptions=["marks_none"]), page="/dossiers")
    assert kept.status_code == 503
    assert '<input type="hidden" name="exceptions" value="marks_none">' in text(kept)


@pytest.mark.parametrize(
    ("language", "why"),
    [("vi", "Nơi thu nhận không có máy lấy vân tay"), ("en", "No print scanner where it was captured")],
)
def test_whoever_approves_reads_why_there_are_no_prints(app: Flask, language: str, why: str) -> None:
    lan = sign_in(app, "lan.capture")
    made = lan.sealed(lan.post("/dossiers", form(), page=NEW), app)
    page = text(sign_in(app, "minh.approve", language).get(made.headers["Location"]))
    assert why in page
