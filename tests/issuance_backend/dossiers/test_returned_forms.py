"""A form that a kit printed and a citizen signed is not made good by a capture at a desk (F38)."""

from __future__ import annotations

import pytest

from tests.support.application_desk import LAN, MINH, Desk, capture_of, make_desk, packet_of
from tests.support.engines import Engine
from tests.support.issuance_office import picture
from verification.errors import FieldsRefused
from verification.messages.enrollment import DossierReturn


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


def test_it_is_printed_and_signed_again_at_the_kit(desk: Desk) -> None:
    dossier = desk.received(packet_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("form", "portrait"), "chữ ký mờ"))
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.recapture(LAN, dossier, capture_of(number=2, portrait=picture(2)))
    assert refused.value.fields == {"form": "FIELD_MISSING"}
    assert desk.state(dossier) == "returned"
    desk.received(packet_of(number=3, answers=dossier, portrait=picture(2)))
    assert desk.state(dossier) == "validated"


def test_another_item_of_it_is_taken_again_at_a_desk(desk: Desk) -> None:
    dossier = desk.received(packet_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2, portrait=picture(2)))
    assert desk.state(dossier) == "validated"


def test_what_a_counter_captured_is_captured_again_there(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("form",), "sai mẫu"))
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2, portrait=b""))
    assert desk.state(dossier) == "validated"
