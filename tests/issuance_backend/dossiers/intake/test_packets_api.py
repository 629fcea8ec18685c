"""A kit at the office's real door: packets over HTTP and on a stick become dossiers of the real desk."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

from issuance_backend import recorded_events
from issuance_backend.__main__ import main
from issuance_backend.dossiers.intake import repository
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.issuance_backend.test_openapi import Contract
from tests.support.cheap_prints import cheap_prints
from tests.support.issuance_office import (
    NOW,
    PASSWORD,
    STATUS_TOKEN,
    Office,
    OfficerClient,
    citizens,
    picture,
)
from tests.support.sealed_packets import Kit
from verification.messages.enrollment_packet import (
    CANNOT_SIGN,
    CHUNK_BYTES,
    CITIZEN_SIGNATURE,
    CaptureException,
    SealedPacket,
    read_packet_receipt,
    to_file,
)
from verification.messages.signing_key import public_jwk, public_key_of, thumbprint

ROOT = Path(__file__).parents[4]
SERVICE = {"Authorization": f"Bearer {STATUS_TOKEN}"}
CASE = {"case_id": "VV-1"}
ITEMS = {
    "portrait": picture(),
    **cheap_prints(),
    "finger_02": b"\xff\xa0" + b"w" * 70_000,
    "form_scan": b"%PDF-form",
}


Command = Callable[..., tuple[int, str]]


class Carrier:
    """Whoever brings packets, with every answer held against the contract."""

    def __init__(self, office: Office) -> None:
        self.client = office.client()
        self.contract = Contract("packets")

    def announce(self, metadata: bytes) -> TestResponse:
        return self.judge(
            self.client.post("/v1/packets", data=metadata, headers=SERVICE, content_type="application/json")
        )

    def chunk(self, packet: SealedPacket, offset: int, digest: str | None = None) -> TestResponse:
        part = packet.content[offset : offset + CHUNK_BYTES]
        right = f"sha-256=:{base64.b64encode(hashlib.sha256(part).digest()).decode()}:"
        path = f"/v1/packets/{packet.packet_hash}/chunks/{offset}"
        headers = {**SERVICE, "Content-Digest": right if digest is None else digest}
        kind = "application/octet-stream"
        return self.judge(self.client.put(path, data=part, headers=headers, content_type=kind))

    def complete(self, packet: SealedPacket) -> TestResponse:
        path = f"/v1/packets/{packet.packet_hash}/completion"
        return self.judge(self.client.post(path, headers=SERVICE))

    def get(self, path: str) -> TestResponse:
        return self.judge(self.client.get(path, headers=SERVICE))

    def judge(self, response: TestResponse) -> TestResponse:
        return self.contract.judge(response)

    def bring(self, packet: SealedPacket) -> str:
        for offset in self.announce(packet.metadata).get_json()["missing"]:
            assert self.chunk(packet, offset).status_code == 204
        return str(self.complete(packet).get_json()["receipt"])


@pytest.fixture
def command(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """``issuance_backend packets ...`` over this office's database: what it returned and printed."""
    for name in [name for name in os.environ if name.startswith("ISSUANCE_")]:
        monkeypatch.delenv(name)
    for name, value in office.environ.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        return main(["packets", *arguments]), capsys.readouterr().out

    return run


@pytest.fixture
def supervisor(office: Office) -> OfficerClient:
    return office.sign_in("son.supervisor")


@pytest.fixture
def carrier(office: Office) -> Carrier:
    return Carrier(office)


@pytest.fixture
def kit(carrier: Carrier, supervisor: OfficerClient) -> Kit:
    keys = carrier.get("/v1/packet-keys").get_json()
    centre = public_key_of(keys["opening"])
    assert isinstance(centre, ec.EllipticCurvePublicKey)
    kit = Kit(centre)
    body: dict[str, Any] = {
        "kit": kit.name,
        "jwk": public_jwk(kit.kit_key.public_key()),
        "unit": "001.02.00013",
    }
    assert carrier.judge(supervisor.post("/v1/kits", body)).status_code == 204
    body = {"kind": "officer", "owner": kit.officer, "jwk": public_jwk(kit.officer_key.public_key())}
    assert carrier.judge(supervisor.post("/v1/packet-signers", body)).status_code == 204
    return kit


def test_a_packet_becomes_a_dossier_at_the_real_desk(office: Office, carrier: Carrier, kit: Kit) -> None:
    packet = kit.seal(blobs=ITEMS)
    receipt = carrier.bring(packet)
    keys = carrier.get("/v1/packet-keys").get_json()
    key = public_key_of(keys["receipts"])
    assert read_packet_receipt(receipt, {thumbprint(key): key}).packet == packet.packet_hash
    assert carrier.bring(packet) == receipt, "again: the same receipt"
    status = carrier.get(f"/v1/packets/{packet.packet_hash}").get_json()
    assert (status["state"], status["missing"], status["receipt"]) == ("opened", [], receipt)
    with office.database.reading() as connection:
        row = repository.found(connection, packet.packet_hash)
        items = repository.items(connection, packet.packet_hash)
        recorded_events.verify(connection)
    assert row.dossier is not None
    dossier = office.sign_in("minh.approve").get(f"/v1/dossiers/{row.dossier}").get_json()
    assert (dossier["state"], dossier["unit"]) == ("validated", "001.02.00013")
    assert dossier["citizen_number"] == citizens()[0].citizen_number
    assert list(items) == ["form_scan", "signature"], "what the dossier itself does not keep"


def test_a_packet_that_the_rules_refuse_is_a_returned_dossier(
    office: Office, carrier: Carrier, kit: Kit
) -> None:
    packet = kit.seal(blobs={"portrait": b"no picture at all"})
    carrier.bring(packet)
    with office.database.reading() as connection:
        row = repository.found(connection, packet.packet_hash)
    dossier = office.sign_in("minh.approve").get(f"/v1/dossiers/{row.dossier}").get_json()
    assert dossier["state"] == "returned"
    assert "portrait" in dossier["returned"]["items"]


def test_a_second_application_waits_for_a_case(carrier: Carrier, kit: Kit, supervisor: OfficerClient) -> None:
    carrier.bring(kit.seal(blobs=ITEMS))
    second = kit.seal(blobs=ITEMS)
    carrier.bring(second)
    third = kit.seal(blobs=ITEMS)
    carrier.bring(third)
    told = carrier.judge(supervisor.get(f"/v1/kits/{kit.name}/numbers?limit=1")).get_json()
    assert [each["code"] for each in told["doubtful"]] == ["DOSSIER_ALREADY_OPEN"]
    further = f"/v1/kits/{kit.name}/numbers?limit=1&cursor={told['cursor']}"
    told = carrier.judge(supervisor.get(further)).get_json()
    assert ([each["packet"] for each in told["doubtful"]], told["cursor"]) == ([third.packet_hash], None)
    refused = carrier.judge(supervisor.get(f"/v1/kits/{kit.name}/numbers?cursor=WyJ4Il0")).get_json()
    assert refused["fields"] == {"cursor": "FIELD_CHARACTERS"}
    path = f"/v1/doubtful-packets/{second.packet_hash}/decision"
    answer = carrier.judge(supervisor.post(path, {**CASE, "is_accepted": False}))
    assert answer.status_code == 200
    assert carrier.judge(supervisor.post(path, {**CASE, "is_accepted": False})).status_code == 409


@pytest.fixture
def vouching(office: Office) -> str:
    """A supervisor who is not the one that registers keys."""
    OfficerDoor(office.database, lambda: NOW).enrol("tam.supervisor", "Tâm", (Role.SUPERVISOR,), PASSWORD)
    return "tam.supervisor"


def test_who_answers_for_exceptions_is_a_supervisor(
    carrier: Carrier, kit: Kit, supervisor: OfficerClient, vouching: str
) -> None:
    missing = (CaptureException("finger_01", "FINGER_MISSING"),)
    taken = {name: content for name, content in ITEMS.items() if name != "finger_01"}
    packet = kit.seal(blobs=taken, exceptions=missing, supervisor=vouching)
    assert carrier.announce(packet.metadata).get_json()["code"] == "PACKET_SIGNER_UNKNOWN"
    body = {"kind": "officer", "owner": "thu.central", "jwk": public_jwk(kit.supervisor_key.public_key())}
    refused = carrier.judge(supervisor.post("/v1/packet-signers", body))
    assert refused.status_code == 422, "a central officer's key signs nothing"
    own = carrier.judge(supervisor.post("/v1/packet-signers", {**body, "owner": "son.supervisor"}))
    assert (own.status_code, own.get_json()["code"]) == (403, "KEY_IN_OWN_NAME")
    body["owner"] = vouching
    assert carrier.judge(supervisor.post("/v1/packet-signers", body)).status_code == 204
    carrier.bring(packet)
    status = carrier.get(f"/v1/packets/{packet.packet_hash}").get_json()
    assert (status["state"], status["code"]) == ("opened", None)


def test_an_approvers_key_signs_no_packet(carrier: Carrier, kit: Kit, supervisor: OfficerClient) -> None:
    missing = (CaptureException("finger_01", "FINGER_MISSING"),)
    taken = {name: content for name, content in ITEMS.items() if name != "finger_01"}
    body = {"kind": "officer", "owner": "minh.approve", "jwk": public_jwk(kit.supervisor_key.public_key())}
    assert carrier.judge(supervisor.post("/v1/packet-signers", body)).status_code == 204
    packet = kit.seal(blobs=taken, exceptions=missing, supervisor="minh.approve")
    carrier.bring(packet)
    status = carrier.get(f"/v1/packets/{packet.packet_hash}").get_json()
    assert (status["state"], status["code"]) == ("doubtful", "OFFICER_ROLE_MISSING")


def test_a_citizen_who_cannot_sign_has_a_valid_dossier(
    office: Office, carrier: Carrier, kit: Kit, supervisor: OfficerClient, vouching: str
) -> None:
    body = {"kind": "officer", "owner": vouching, "jwk": public_jwk(kit.supervisor_key.public_key())}
    assert carrier.judge(supervisor.post("/v1/packet-signers", body)).status_code == 204
    cannot = (CaptureException(CITIZEN_SIGNATURE, CANNOT_SIGN),)
    packet = kit.seal(blobs=ITEMS, is_signed=False, exceptions=cannot, supervisor=vouching)
    carrier.bring(packet)
    with office.database.reading() as connection:
        row = repository.found(connection, packet.packet_hash)
    dossier = office.sign_in("minh.approve").get(f"/v1/dossiers/{row.dossier}").get_json()
    assert dossier["state"] == "validated"
    first = dossier["steps"][0]["detail"]
    assert (first["unsigned"], first["consent_language"], first["form_print"]) == (
        "cannot_sign",
        "vi",
        "ab" * 32,
    )


def test_refusals_keep_the_contract(
    office: Office, carrier: Carrier, kit: Kit, supervisor: OfficerClient
) -> None:
    packet = kit.seal(blobs=ITEMS)
    assert carrier.announce(b"{}").status_code == 422
    assert carrier.announce(b"[" * 200_000).status_code == 413
    assert carrier.get(f"/v1/packets/{packet.packet_hash}").status_code == 404
    carrier.announce(packet.metadata)
    assert carrier.chunk(packet, 0, digest="").status_code == 422
    assert carrier.chunk(packet, 0, digest=f"sha-256=:{'A' * 43}=:").status_code == 422
    assert carrier.chunk(packet, 17).status_code == 422
    assert carrier.complete(packet).status_code == 409
    for path in ("/v1/kits/none/numbers", "/v1/kits/none/gaps/1/closing"):
        answer = supervisor.get(path) if path.endswith("numbers") else supervisor.post(path, CASE)
        assert carrier.judge(answer).status_code == 404
    assert carrier.judge(supervisor.post(f"/v1/kits/{kit.name}/gaps/x/closing", CASE)).status_code == 400
    assert carrier.judge(supervisor.post(f"/v1/kits/{kit.name}/gaps/1/closing", CASE)).status_code == 200
    revocation = {"kind": "kit", "owner": kit.name, "revoked_at": "2026-11-21T00:00:00Z", **CASE}
    assert carrier.judge(supervisor.post("/v1/packet-signers/revocation", revocation)).status_code == 200
    assert carrier.judge(supervisor.get("/v1/kits")).get_json()[0]["is_revoked"] is True
    capture = office.sign_in("lan.capture")
    assert carrier.judge(capture.get("/v1/kits")).status_code == 403
    nobody = carrier.judge(office.client().get("/v1/packet-keys"))
    assert nobody.status_code == 401


def test_a_chunk_may_hold_any_bytes(carrier: Carrier, kit: Kit) -> None:
    """What looks like an escaped NUL in a text is nothing but bytes in a chunk."""
    packet = kit.seal(blobs=ITEMS)
    carrier.announce(packet.metadata)
    odd = SealedPacket(packet.packet_hash, packet.metadata, rb"\u0000" * 40_000)
    assert carrier.chunk(odd, 0).status_code == 204


def test_a_stick_is_imported_by_command(command: Command, carrier: Carrier, kit: Kit, tmp_path: Path) -> None:
    packets = [kit.seal(citizen, ITEMS) for citizen in citizens()[:3]]
    receipt = carrier.bring(packets[0])
    files = [tmp_path / f"{number}.packet" for number in range(3)]
    for file, packet in zip(files, packets, strict=True):
        file.write_bytes(to_file(packet.metadata, packet.content))
    # The registry is not there: what is received waits, and is opened when it is.
    printed = in_a_process("import", "--receipts", str(tmp_path), *map(str, files))
    assert printed.returncode == 0, printed.stderr
    receipts = printed.stdout.split()
    assert [file.with_suffix(".receipt").read_text() for file in files] == receipts
    assert receipts[0] == receipt
    assert len(set(receipts)) == 3
    states = [carrier.get(f"/v1/packets/{packet.packet_hash}").get_json()["state"] for packet in packets]
    assert states == ["opened", "received", "received"]
    assert "0 packets decided" in command("work", "--once")[1]
    assert "0 packets removed" in command("sweep")[1]


@pytest.mark.usefixtures("command")
def test_a_bad_file_on_a_stick_keeps_no_other_from_being_taken_in(
    carrier: Carrier, kit: Kit, tmp_path: Path
) -> None:
    packet = kit.seal(blobs=ITEMS)
    files = [tmp_path / name for name in ("1.packet", "2.packet", "3.packet")]
    files[0].write_bytes(b"junk")
    files[2].write_bytes(to_file(packet.metadata, packet.content))
    printed = in_a_process("import", *map(str, files))
    assert printed.returncode == 1
    assert "1.packet: PACKET_MALFORMED, 2.packet: FileNotFoundError" in printed.stderr
    assert printed.stdout.split() == [carrier.bring(packet)]


def test_kits_are_registered_by_command(command: Command, tmp_path: Path) -> None:
    key = tmp_path / "kit.jwk"
    key.write_text(json.dumps(public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())))
    kit = ("register", "--kind", "new-kit", "--owner", "kit-077", "--unit", "001", "--key", str(key), "--by")
    assert command(*kit, "lan.capture") == (1, ""), "no supervisor"
    assert command(*kit, "son.supervisor") == (0, "kit-077: registered\n")
    assert command(*kit, "son.supervisor") == (1, ""), "once"
    made, _ = command("new-key", "--keys", str(tmp_path / "keys"), "--id", "2027-01")
    assert made == 0
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"opening-2027-01.pem", "receipts.pem"}


def in_a_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m issuance_backend packets ...`` as the ``command`` fixture set it."""
    return subprocess.run(
        [sys.executable, "-m", "issuance_backend", "packets", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
