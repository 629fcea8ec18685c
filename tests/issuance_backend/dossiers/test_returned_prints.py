"""A dossier that was returned for its prints does not go on with the old ones (F38)."""

from __future__ import annotations

import pytest

from tests.support.application_desk import LAN, MINH, PRINTS, Desk, capture_of, make_desk, packet_of
from tests.support.engines import Engine
from verification.errors import FieldsRefused
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import CaptureException


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


@pytest.fixture
def dossier(desk: Desk) -> str:
    """A dossier whose fingerprints were sent back."""
    dossier = desk.received(packet_of(prints=PRINTS))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("fingerprints",), "mờ"))
    return dossier


def test_a_packet_without_them_leaves_the_dossier_returned(desk: Desk, dossier: str) -> None:
    desk.received(packet_of(number=2, answers=dossier, portrait=b""))
    view = desk.view(dossier)
    assert view.returned is not None
    assert (desk.state(dossier), view.returned.items) == ("returned", ("fingerprints",))
    assert view.steps[-1].detail["faults"] == "PRINT_MISSING"
    desk.received(packet_of(number=3, answers=dossier, portrait=b"", prints=PRINTS))
    assert desk.state(dossier) == "validated"


def test_a_coded_reason_stands_for_them(desk: Desk, dossier: str) -> None:
    worn = tuple(CaptureException(item, "FINGER_WORN") for item in FINGER_ITEMS)
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", exceptions=worn))
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 0), "and no old one stays"


def test_an_answer_needs_every_finger_as_a_new_application_does(desk: Desk, dossier: str) -> None:
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=PRINTS[:9]))
    view = desk.view(dossier)
    assert view.returned is not None
    assert (desk.state(dossier), view.returned.items) == ("returned", ("fingerprints",))
    assert (view.returned.comment, view.prints) == ("finger_10: PRINT_MISSING", 10)
    worn = (CaptureException("finger_10", "FINGER_WORN"),)
    desk.received(packet_of(number=3, answers=dossier, portrait=b"", prints=PRINTS[:9], exceptions=worn))
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 9)


def test_a_desk_without_a_scanner_does_not_answer_for_them(desk: Desk, dossier: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.recapture(LAN, dossier, capture_of(number=3, portrait=b""))
    assert set(refused.value.fields.values()) == {"PRINT_MISSING"}
    assert desk.state(dossier) == "returned"
