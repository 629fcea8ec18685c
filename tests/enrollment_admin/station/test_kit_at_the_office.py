"""What a kit seals, the real office opens: a dossier that passed every rule, or one that is returned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.outbox import Outbox
from enrollment_admin.station.sealing import Answering
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import PASSWORD, REASON, STATUS_TOKEN, Office
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    OFFICER,
    PASSPHRASE,
    PASSPHRASES,
    KitBench,
    captured,
    client,
    declared,
    desk_of,
)
from tests.support.served_app import serving
from verification.messages.enrollment_packet import CANNOT_SIGN, CITIZEN_SIGNATURE
from verification.messages.packet_intake import SignerRegistration


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    with serving(office.app) as url:
        yield url


@pytest.fixture
def kit(office: Office, url: str, tmp_path: Path) -> Kit:
    """A kit that the office's supervisor registered over HTTP, with its officers."""
    kit = KitBench(tmp_path, client(url, STATUS_TOKEN).keys(), now=office.now).make()
    OfficerDoor(office.database, lambda: office.now[0]).enrol(CHIEF, "Thu", (Role.SUPERVISOR,), PASSWORD)
    deciding = office.sign_in("son.supervisor")
    assert deciding.post("/v1/kits", kit.registration()).status_code == 204
    for officer, passphrase in PASSPHRASES.items():
        key = SignerRegistration("officer", officer, kit.officers.make(officer, passphrase))
        assert deciding.post("/v1/packet-signers", key).status_code == 204
    return kit


@pytest.fixture
def desk(kit: Kit) -> CaptureDesk:
    return desk_of(kit)


def opened(office: Office, kit: Kit, url: str) -> dict[str, Any]:
    """The dossier that the one waiting packet becomes."""
    (waiting,) = Outbox(kit).waiting()
    assert Outbox(kit).send(client(url, STATUS_TOKEN)).receipted == (waiting.sequence,)
    listed = office.sign_in("minh.approve").get("/v1/dossiers?state=validated").get_json()
    listed += office.sign_in("minh.approve").get("/v1/dossiers?state=returned").get_json()
    view: dict[str, Any] = office.sign_in("minh.approve").get(f"/v1/dossiers/{listed[0]['id']}").get_json()
    return view


def test_a_capture_on_a_kit_is_a_validated_dossier(
    office: Office, kit: Kit, desk: CaptureDesk, url: str
) -> None:
    draft = captured(desk)
    desk.judge_portrait(draft, REASON)
    person, number = desk.draft(draft).person, declared().citizen_number
    desk.seal(draft, PASSPHRASE, "vi")
    dossier = opened(office, kit, url)
    assert (dossier["state"], dossier["captured_by"], dossier["unit"]) == (
        "validated",
        OFFICER,
        "001.02.00013",
    )
    assert (dossier["citizen_number"], dossier["person"]) == (number, msgspec.to_builtins(person))
    assert dossier["prints"] == 10


def test_what_a_supervisor_answers_for_passes_the_rules_as_well(
    office: Office, kit: Kit, desk: CaptureDesk, url: str
) -> None:
    draft = captured(desk)
    desk.drop(draft, "finger_07")
    desk.state_exception(draft, "finger_07", "FINGER_BANDAGED")
    desk.print_form(draft)
    desk.state_exception(draft, CITIZEN_SIGNATURE, CANNOT_SIGN)
    desk.judge_portrait(draft, REASON)
    desk.seal(draft, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE))
    dossier = opened(office, kit, url)
    assert dossier["state"] == "validated"
    assert {"exceptions": "finger_bandaged", "unsigned": "cannot_sign"}.items() <= dossier["steps"][0][
        "detail"
    ].items()


def test_a_portrait_that_nobody_judged_comes_back_with_the_reason(
    office: Office, kit: Kit, desk: CaptureDesk, url: str
) -> None:
    desk.seal(captured(desk), PASSPHRASE, "vi")
    dossier = opened(office, kit, url)
    assert dossier["state"] == "returned"
    assert "PORTRAIT_REASON_NEEDED" in dossier["returned"]["comment"]
