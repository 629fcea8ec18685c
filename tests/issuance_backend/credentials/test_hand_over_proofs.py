"""No card is handed over without a proof: the gateway's receipt, or a second officer's word."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from issuance_backend import recorded_events
from issuance_backend.credentials.handover_receipts import ReceiptDesk, load_receipt_keys
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.refusals import HandOverProofRefused, HandOverProofUsed
from monitoring.environment import ConfigurationFault
from tests.support.delivery import RECEIVER, SUPERVISOR, card_of, confirm, deliver, finished, hand_over
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from verification.errors import ReceiptInvalid
from verification.messages import merkle
from verification.messages.delivery import HandOver
from verification.messages.receipt import Checkpoint, LogEntry, Receipt, sign_receipt, signed_checkpoint
from verification.messages.signing_key import public_jwk, thumbprint

GATEWAY = Ed25519PrivateKey.generate()
ORIGIN = "gateway.test/log"
KEY = "0123456789abcdef"
MAI = Officer(RECEIVER, "Mai", frozenset({Role.OFFICE}))


def entry(**changes: Any) -> LogEntry:
    said: dict[str, Any] = {
        "sequence": 0, "previous": "", "recorded_at": rfc3339(NOW), "action": "decide", "actor": "mai",
        "partner": "issuing-office", "purpose": "card.handover", "session": "session-1", "subject": "s",
        "evidence": "e", "outcome": "verified", "code": None,
        "assurance": {"chip": "chip-live-gateway", "face": "agent", "status": "online"},
        "checks": (("face_comparison", "successful", None),), "policy": "2026-11-01", "card": KEY,
    }  # fmt: skip
    return LogEntry(**said | changes)


def receipt(signer: Ed25519PrivateKey = GATEWAY, **changes: Any) -> str:
    logged = entry(**changes)
    head = Checkpoint(ORIGIN, 1, merkle.leaf_hash(logged.encoded()))
    said = Receipt(
        iss=ORIGIN, iat=0, entry=logged, inclusion=(), checkpoint=signed_checkpoint(head, signer)
    )  # fmt: skip
    return sign_receipt(said, signer)


def keys(signer: Ed25519PrivateKey = GATEWAY) -> dict[str, Any]:
    return {thumbprint(signer.public_key()): signer.public_key()}


@pytest.fixture
def at_office(office: Office) -> str:
    card = finished(office, citizens()[0])
    deliver(office, card)
    return card


def desk(office: Office) -> DeliveryDesk:
    """The office's desk, where the test's gateway is trusted."""
    return DeliveryDesk(office.database, lambda: office.now[0], ReceiptDesk(keys()), lambda *_: None)


def test_without_a_proof_nothing_is_handed_over(office: Office, at_office: str) -> None:
    answer = office.sign_in(RECEIVER).post(f"/v1/credentials/{at_office}/handover", {})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "HANDOVER_PROOF_MISSING")
    assert card_of(office, at_office).state == "at_office"


def test_a_supervisor_and_another_officer_hand_over_and_both_are_recorded(
    office: Office, at_office: str
) -> None:
    assert hand_over(office, at_office).get_json()["state"] == "active"
    with office.database.reading() as connection:
        last = recorded_events.of_subject(connection, f"card/{at_office}")[-1]
    assert (last.actor, last.detail["confirmed_by"]) == (RECEIVER, SUPERVISOR)
    assert (last.detail["proof"], last.detail["reason"]) == ("manual", "chip_unreadable")


def test_a_confirmation_is_of_one_visit_and_of_one_card(office: Office, at_office: str) -> None:
    other = finished(office, citizens()[1], "capture-0000000002")
    deliver(office, other)
    confirm(office, at_office)
    mai = office.sign_in(RECEIVER)
    assert mai.post(f"/v1/credentials/{other}/handover").get_json()["code"] == "HANDOVER_PROOF_MISSING"
    office.now[0] = NOW + timedelta(minutes=10, seconds=1)
    assert mai.post(f"/v1/credentials/{at_office}/handover").get_json()["code"] == "HANDOVER_PROOF_MISSING"
    body = {"reason": "because"}
    path = f"/v1/credentials/{at_office}/holder-confirmation"
    assert office.sign_in(SUPERVISOR).post(path, body).status_code == 400
    assert mai.post(path, {"reason": "holder_visited"}).get_json()["code"] == "OFFICER_ROLE_MISSING"


def test_who_confirmed_does_not_hand_over(office: Office, at_office: str) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("two", "two", (Role.OFFICE, Role.SUPERVISOR), PASSWORD)
    two, path = office.sign_in("two"), f"/v1/credentials/{at_office}"
    assert two.post(f"{path}/holder-confirmation", {"reason": "holder_visited"}).status_code == 200
    assert two.post(f"{path}/handover").get_json()["code"] == "HANDOVER_PROOF_MISSING"
    assert office.sign_in(RECEIVER).post(f"{path}/handover").status_code == 200


def test_the_gateways_receipt_of_this_card_hands_it_over_once(office: Office, at_office: str) -> None:
    key = card_of(office, at_office).status_key
    shown = HandOver(receipt=receipt(card=key))
    assert desk(office).hand_over(MAI, at_office, shown).state == "active"
    with office.database.reading() as connection:
        last = recorded_events.of_subject(connection, f"card/{at_office}")[-1]
    assert (last.detail["proof"], last.detail["session"]) == ("receipt", "session-1")
    second = finished(office, citizens()[1], "capture-0000000002")
    deliver(office, second)
    same_session = HandOver(receipt=receipt(card=card_of(office, second).status_key))
    with pytest.raises(HandOverProofUsed):
        desk(office).hand_over(MAI, second, same_session)
    assert card_of(office, second).state == "at_office"


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "bank.counter.identify"},
        {"outcome": "refused"},
        {"assurance": {"chip": "chip-live-agent", "face": "agent", "status": "online"}},
        {"checks": (("face_comparison", "failed", "FACE_NOT_MATCHED"),)},
        {"checks": ()},
        {"card": None},
        {"card": "fedcba9876543210"},
        {"recorded_at": rfc3339(NOW - timedelta(minutes=10, seconds=1))},
        {"recorded_at": rfc3339(NOW + timedelta(minutes=1))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_genuine_receipt_that_proves_something_else_is_refused(changes: dict[str, Any]) -> None:
    trusted = ReceiptDesk(keys())
    assert trusted.session(receipt(), KEY, NOW) == "session-1"
    with pytest.raises(HandOverProofRefused):
        trusted.session(receipt(**changes), KEY, NOW)


def test_a_card_that_has_no_key_is_proven_by_nothing() -> None:
    with pytest.raises(HandOverProofRefused):
        ReceiptDesk(keys()).session(receipt(card=None), None, NOW)


def test_another_gateways_receipt_or_an_altered_one_is_none() -> None:
    trusted, good = ReceiptDesk(keys()), receipt()
    for token in (receipt(Ed25519PrivateKey.generate()), "", "a.b.c", good[:-8] + "AAAAAAAA"):
        with pytest.raises(ReceiptInvalid):
            trusted.session(token, KEY, NOW)
    with pytest.raises(ReceiptInvalid):
        ReceiptDesk({}).session(good, KEY, NOW)


def test_a_receipt_over_http_from_an_office_that_trusts_no_gateway(office: Office, at_office: str) -> None:
    answer = office.sign_in(RECEIVER).post(f"/v1/credentials/{at_office}/handover", {"receipt": receipt()})
    assert answer.get_json()["code"] == "RECEIPT_INVALID"
    assert card_of(office, at_office).state == "at_office"


def test_keys_come_from_a_jwk_or_a_set_and_a_broken_file_stops_the_start(tmp_path: Path) -> None:
    jwk, file = public_jwk(GATEWAY.public_key()), tmp_path / "keys.json"
    for said in (jwk, {"keys": [jwk]}):
        file.write_text(json.dumps(said))
        assert load_receipt_keys(file).keys() == keys().keys()
    assert load_receipt_keys(None) == {}
    for broken in ("[]", "{", "{}", '{"keys": [1]}'):
        file.write_text(broken)
        with pytest.raises(ConfigurationFault):
            load_receipt_keys(file)
