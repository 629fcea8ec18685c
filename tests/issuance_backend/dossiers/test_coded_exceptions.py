"""What a citizen does not have: left out with a code of the form's, or missing."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pypdf
import pytest

from issuance_backend.dossiers import capture_desk
from issuance_backend.officers.domain import Role
from tests.support.application_desk import LAN, MINH, PERSON, PRINTS, Desk, capture_of, officer, packet_of
from tests.support.issuance_office import SIGNATURE, Office, picture
from verification.errors import FieldsRefused
from verification.messages.counter_capture import CitizenAgreement
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, CaptureException

NOTHING = {"father": "", "identification": ""}
BOTH = ("father_unknown", "marks_none")
ALL = (*BOTH, "no_scanner")


@pytest.fixture
def orphan(desk: Desk) -> Desk:
    """The registry knows no father of the citizen."""
    desk.registry.people[PERSON.citizen_number] = replace(PERSON, father="")
    return desk


def refused(desk: Desk, **changes: Any) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as fault:
        desk.office.captures.capture(LAN, capture_of(**changes))
    return dict(fault.value.fields)


def test_what_is_missing_needs_its_code(orphan: Desk) -> None:
    assert refused(orphan, person=NOTHING) == {
        "father": "FIELD_MISSING",
        "identification": "FIELD_MISSING",
    }
    assert refused(orphan, person=NOTHING, exceptions=["marks_none"]) == {"father": "FIELD_MISSING"}
    dossier = orphan.office.captures.capture(LAN, capture_of(person=NOTHING, exceptions=ALL))
    view = orphan.view(dossier)
    assert (orphan.state(dossier), view.person.father, view.person.identification) == ("validated", "", "")
    assert view.steps[0].detail["exceptions"] == "father_unknown marks_none no_scanner"


@pytest.mark.parametrize(
    ("exceptions", "code"),
    [
        (["in_a_hurry"], "EXCEPTION_UNKNOWN"),
        (["MARKS_NONE"], "EXCEPTION_UNKNOWN"),
        (["mother_unknown"], "EXCEPTION_CONTRADICTED"),
    ],
)
def test_a_false_exception_is_refused(desk: Desk, exceptions: list[str], code: str) -> None:
    assert refused(desk, exceptions=exceptions) == {"exceptions": code}


def test_a_reason_stands_that_the_form_of_the_next_day_does_not_know(
    orphan: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged before midnight, written after it."""
    counter = orphan.office.counter
    which = counter.begin(LAN, capture_of(person=NOTHING, exceptions=ALL)).id
    counter.check_form(LAN, which)
    counter.sign(LAN, which, CitizenAgreement("vi", SIGNATURE))
    counter.answer(officer("kim", Role.SUPERVISOR), which)
    known = capture_desk.required_on
    monkeypatch.setattr(capture_desk, "required_on", lambda day: replace(known(day), reasons={}))
    dossier = counter.seal(LAN, which)
    assert orphan.view(dossier).steps[0].detail["exceptions"] == "father_unknown marks_none no_scanner"


def test_an_exception_is_no_way_around_the_registry(desk: Desk) -> None:
    assert refused(desk, person=NOTHING, exceptions=BOTH) == {"father": "FIELD_NOT_AS_REGISTERED"}


def test_the_same_capture_with_another_exception_is_another_content(orphan: Desk) -> None:
    captured = capture_of(person={"father": ""}, exceptions=["father_unknown", "no_scanner"])
    dossier = orphan.office.captures.capture(LAN, captured)
    assert orphan.office.captures.capture(LAN, captured) == dossier
    assert "exceptions" in orphan.view(dossier).steps[0].detail


def test_what_was_left_out_stays_out_when_something_else_is_captured_again(orphan: Desk) -> None:
    dossier = orphan.office.captures.capture(LAN, capture_of(person=NOTHING, exceptions=ALL))
    orphan.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    again = capture_of(number=2, person=NOTHING, portrait=picture(2))
    orphan.office.captures.recapture(LAN, dossier, again)
    assert orphan.state(dossier) == "validated"


def test_what_was_sent_back_needs_a_value_or_its_code_again(orphan: Desk) -> None:
    dossier = orphan.office.captures.capture(LAN, capture_of(person=NOTHING, exceptions=ALL))
    orphan.office.approvals.send_back(MINH, dossier, DossierReturn(("identification",), "có sẹo"))
    with pytest.raises(FieldsRefused) as fault:
        orphan.office.captures.recapture(LAN, dossier, capture_of(number=2, person=NOTHING, portrait=b""))
    assert fault.value.fields == {"identification": "FIELD_MISSING"}
    found = capture_of(number=3, person={**NOTHING, "identification": "Sẹo ở cằm"}, portrait=b"")
    orphan.office.captures.recapture(LAN, dossier, found)
    assert orphan.view(dossier).person.identification == "Sẹo ở cằm"


# -- packets


def stated(item: str, code: str) -> CaptureException:
    return CaptureException(item, code)


def test_a_packet_states_its_exceptions(orphan: Desk) -> None:
    exceptions = (
        stated("father", "FATHER_UNKNOWN"),
        stated("identification", "MARKS_NONE"),
        stated("finger_02", "FINGER_MISSING"),
        stated("finger_03", "FINGER_MISSING"),
    )
    prints = tuple(each for each in PRINTS if each.position not in {2, 3})
    dossier = orphan.received(packet_of(person=NOTHING, exceptions=exceptions, prints=prints))
    assert orphan.state(dossier) == "validated"
    assert orphan.view(dossier).steps[0].detail["exceptions"] == "father_unknown finger_missing marks_none"


def test_a_packet_without_them_is_returned(orphan: Desk) -> None:
    dossier = orphan.received(packet_of(person=NOTHING))
    view = orphan.view(dossier)
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", ("particulars", "identification"))
    assert view.steps[-1].detail["faults"] == "FIELD_MISSING"


@pytest.mark.parametrize(
    ("exception", "code", "item"),
    [
        (stated("portrait", "FINGER_MISSING"), "EXCEPTION_UNKNOWN", "portrait"),
        (stated("finger_02", "MARKS_NONE"), "EXCEPTION_UNKNOWN", "finger_02"),
        (stated("finger_02", "NO_TIME"), "EXCEPTION_UNKNOWN", "finger_02"),
        (stated("finger_07", "FINGER_WORN"), "EXCEPTION_CONTRADICTED", "finger_07"),
        (stated("finger_07", "HANDS_MISSING"), "EXCEPTION_UNKNOWN", "finger_07"),
        (stated("fingerprints", "FINGER_WORN"), "EXCEPTION_UNKNOWN", "fingerprints"),
        (stated("fingerprints", "HANDS_MISSING"), "EXCEPTION_CONTRADICTED", "fingerprints"),
        (stated("identification", "MARKS_NONE"), "EXCEPTION_CONTRADICTED", "identification"),
        (stated("father", "FATHER_UNKNOWN"), "EXCEPTION_CONTRADICTED", "particulars"),
        (stated(CITIZEN_SIGNATURE, "NO_TIME"), "EXCEPTION_UNKNOWN", "form"),
    ],
)
def test_a_packet_with_a_false_exception_is_returned_for_that_item(
    desk: Desk, exception: CaptureException, code: str, item: str
) -> None:
    dossier = desk.received(packet_of(exceptions=(exception,)))
    view = desk.view(dossier)
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", (item,))
    assert view.steps[-1].detail["faults"] == code


def test_the_form_of_the_packets_own_day_decides(orphan: Desk) -> None:
    """No day before the first form asks for anything, nor knows a reason."""
    packet = packet_of(exceptions=(stated("father", "FATHER_UNKNOWN"),), person={"father": ""})
    early = replace(packet, happened_at="2016-01-31T02:00:00Z")
    dossier = orphan.received(early)
    assert orphan.view(dossier).steps[-1].detail["faults"] == "EXCEPTION_UNKNOWN,FIELD_MISSING,FORM_UNKNOWN"


# -- to the end


def test_a_card_is_made_without_what_the_citizen_does_not_have_and_the_form_says_why(office: Office) -> None:
    office.registry.people[PERSON.citizen_number] = replace(PERSON, father="")
    lan = office.sign_in("lan.capture")
    made = lan.capture(PERSON, person=NOTHING, exceptions=list(ALL))
    assert made.status_code == 201, made.get_data(as_text=True)
    dossier = made.get_json()["id"]
    office.approve_all(dossier)
    office.make_cards()
    view = lan.get(f"/v1/dossiers/{dossier}").get_json()
    assert view["credential_state"] == "qa_passed", view["card"]
    paper = lan.get(f"/v1/dossiers/{dossier}/forms/CC01.pdf")
    text = " ".join(pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text().split())
    assert "Không xác định được cha; Không có dấu vết riêng; Nơi thu nhận không có máy" in text
    assert "thu.central" not in text
