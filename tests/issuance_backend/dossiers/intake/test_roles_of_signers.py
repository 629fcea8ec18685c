"""Whose key signed is not enough: who captures, and who answers for exceptions, has that role as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.intake.dossier_door import DossierDoor
from issuance_backend.dossiers.intake.kit_office import admit_signer
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import RoleMissing, SameOfficer
from tests.support.application_desk import OfficerJudges
from tests.support.cheap_prints import cheap_prints
from tests.support.engines import Sqlite
from tests.support.issuance_office import NOW, PASSWORD, Office, make_office, picture
from tests.support.sealed_packets import Kit
from verification.messages.enrollment_packet import (
    CaptureException,
    OpenedPacket,
    open_packet,
    parse_packet,
)
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import public_jwk

CENTRE = ec.generate_private_key(ec.SECP256R1())
UNIT = "001.02"
OFFICERS = {"captures": Role.CAPTURE, "approves": Role.APPROVER, "supervises": Role.SUPERVISOR}


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    """Who may do what does not depend on the engine."""
    made = make_office(tmp_path, office_pki, Sqlite(tmp_path))
    for name, role in OFFICERS.items():
        OfficerDoor(made.database, lambda: NOW).enrol(name, name, (role,), PASSWORD, UNIT)
    return made


def opened(officer: str, supervisor: str | None = None) -> OpenedPacket:
    """A packet whose seals hold, whoever the two are."""
    missing = (CaptureException("finger_01", "FINGER_MISSING"),) if supervisor else ()
    kit = Kit(CENTRE.public_key(), officer=officer)
    taken = {"portrait": picture(), **cheap_prints()}
    for each in missing:
        del taken[each.item]
    sealed = kit.seal(blobs=taken, exceptions=missing, supervisor=supervisor)
    return open_packet(parse_packet(sealed.metadata), sealed.content, CENTRE)


def test_only_who_captures_seals_and_only_who_supervises_answers(office: Office) -> None:
    desk = PacketDesk(CaptureChecks(office.registry, OfficerJudges()), Pictures(office.database, None))
    door = DossierDoor(office.database, desk)
    for officer, supervisor in (("approves", None), ("nobody", None), ("captures", "approves")):
        with pytest.raises(RoleMissing):
            door.prepare(opened(officer, supervisor))
    for supervisor in (None, "supervises"):
        examined = door.prepare(opened("captures", supervisor)).examined
        assert (examined.packet.unit, examined.examined.faults) == (UNIT, {})


def test_who_captured_does_not_answer_through_a_key_that_they_admitted(office: Office) -> None:
    """Of a colleague who never had one: the captor would sign twice."""
    desk = PacketDesk(CaptureChecks(office.registry, OfficerJudges()), Pictures(office.database, None))
    door = DossierDoor(office.database, desk)
    jwk = dict(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
    captor = Officer("captures", "captures", frozenset({Role.CAPTURE, Role.SUPERVISOR}))
    with office.database.writing() as connection:
        admit_signer(connection, captor, SignerRegistration("officer", "supervises", jwk), NOW)
    with pytest.raises(SameOfficer):
        door.prepare(opened("captures", "supervises"))
    assert door.prepare(opened("captures")).examined.examined.faults == {}
