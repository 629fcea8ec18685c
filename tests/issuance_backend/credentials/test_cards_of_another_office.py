"""A card goes to the office where its holder applied: into no other office's box."""

from __future__ import annotations

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.certified import certify
from tests.support.delivery import PACKER, UNIT, card_of, finished, made, packed
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens

ELSEWHERE = "001.003"


def test_no_box_holds_a_card_of_another_office(office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("xa", "xa", (Role.CAPTURE,), PASSWORD, ELSEWHERE)
    certify(office.database, "xa")
    dossier = office.sign_in("xa").capture(citizens()[1], "capture-0000000002").get_json()["id"]
    theirs, anywhere = made(office, dossier), finished(office, citizens()[0])
    assert (card_of(office, theirs).unit, card_of(office, anywhere).unit) == (ELSEWHERE, None)
    refused = office.sign_in(PACKER).post("/v1/boxes", {"unit": UNIT, "cards": [theirs, anywhere]})
    assert (refused.status_code, refused.get_json()["fields"]) == (422, {theirs: "CARD_NOT_OF_UNIT"})
    assert card_of(office, anywhere).state == "qa_passed", "all or none"
    packed(office, [theirs, anywhere], ELSEWHERE)
