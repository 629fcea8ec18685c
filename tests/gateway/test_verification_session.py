"""A tap, end to end through the real application: sessions, chip, evidence, decision, receipt."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.adapters.evidence_log import audit
from gateway.domain.partner import Agent, Standing
from gateway.domain.refusals import CardStatusUnavailable
from tests.support import pki
from tests.support.gateway_world import (
    AGENT,
    HANDED_OVER,
    PARTNER,
    Counter,
    World,
    active_proof,
    card_image,
    make_world,
    matching_face,
    open_reader,
)
from verification.errors import RegistryUnavailable
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import CredentialState, CredentialStatusAnswer, status_key
from verification.messages.decision import Answer, ChipAssurance, DecisionOutcome, Holder
from verification.messages.person_query import PersonAnswer
from verification.messages.receipt import read_receipt
from verification.messages.signing_key import thumbprint
from verification.messages.verification_session import ChipProof


def code_of(response) -> str:
    return json.loads(response.data)["code"]


def test_a_genuine_card_is_verified_at_gateway_assurance(world: World) -> None:
    answer = world.decide()
    assert answer.decision.outcome is DecisionOutcome.VERIFIED
    assert answer.decision.code is None
    assert answer.decision.assurance.chip is ChipAssurance.CHIP_LIVE_GATEWAY
    assert (answer.decision.assurance.face, answer.decision.assurance.status) == ("agent", "online")
    assert answer.decision.holder.citizen_number == pki.Holder().citizen_number
    key = world.log_key.public_key()
    entry = read_receipt(answer.receipt, {thumbprint(key): key}).entry
    assert (entry.outcome, entry.session, entry.actor) == (
        "verified",
        answer.decision.session,
        f"agent:{AGENT}",
    )


def test_a_hand_over_binds_the_card_in_its_receipt_and_nothing_else_does(world: World) -> None:
    """The issuing office compares the key with the card in its officer's hand."""
    world.card_status.answer = CredentialStatusAnswer(CredentialState.ISSUED)
    opened = world.counter.open("card.handover")
    answer = world.answer(world.counter.submit(world.evidence(opened)))
    assert answer.decision.outcome is DecisionOutcome.VERIFIED
    assert answer.decision.holder == Holder(full_name=pki.Holder().full_name)
    keys = {thumbprint(world.log_key.public_key()): world.log_key.public_key()}
    entry = read_receipt(answer.receipt, keys).entry
    signature = parse_security_object(pki.quick_card().files[LdsFile.SOD]).signer.signature
    assert entry.card == status_key(signature)
    assert ("card_status", "successful", None) in entry.checks
    world.card_status.answer = CredentialStatusAnswer(CredentialState.ACTIVE)
    assert read_receipt(world.decide().receipt, keys).entry.card is None
    again = world.answer(world.counter.submit(world.evidence(world.counter.open("card.handover"))))
    assert (again.decision.code, again.decision.holder) == ("CARD_ALREADY_ACTIVE", None)
    assert ("card_status", "failed", None) in read_receipt(again.receipt, keys).entry.checks
    assert audit(world.database, world.log_key.public_key()) == 3


def test_who_asks_for_their_own_record_is_bound_to_the_card_and_nothing_is_released(world: World) -> None:
    """The office opens a visit with this receipt: the reader need not be told who it was."""
    answer = world.answer(world.counter.submit(world.evidence(world.counter.open("citizen.own_record"))))
    assert answer.decision.outcome is DecisionOutcome.VERIFIED
    assert answer.decision.holder == Holder()
    keys = {thumbprint(world.log_key.public_key()): world.log_key.public_key()}
    signature = parse_security_object(pki.quick_card().files[LdsFile.SOD]).signer.signature
    assert read_receipt(answer.receipt, keys).entry.card == status_key(signature)


def test_the_registries_are_asked_by_the_signed_data(world: World) -> None:
    world.decide()
    asked = world.registry.asked[0]
    assert (asked.citizen_number, asked.sex, asked.date_of_birth) == ("001090123456", "F", "1990-01-01")
    assert (asked.agency, asked.purpose) == (PARTNER, "bank.counter.identify")
    assert len(world.card_status.asked) == 1


def test_a_clone_without_keys_is_refused_by_chip_authentication(world: World) -> None:
    genuine = pki.quick_card()
    clone = pki.SignedCard(genuine.files, genuine.holder, pki.Keys().chip, pki.Keys().active)
    opened = world.counter.open()
    commands = world.counter.chip_session(
        opened.id, genuine.files[LdsFile.DG14], len(genuine.files[LdsFile.SOD])
    )
    reader = open_reader(clone)
    answers = reader.relay(commands.agent_wrapped, commands.relayed)
    evidence = world.evidence(opened, chip=False)
    card = msgspec.structs.replace(evidence.card, chip=ChipProof(answers, commands.sealed_state))
    response = world.counter.submit(msgspec.structs.replace(evidence, card=card))
    decision = msgspec.json.decode(response.data, type=Answer).decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, "CHIP_CLONED")
    assert decision.holder is None
    assert world.registry.asked == []


def test_a_swapped_dg14_passes_the_chip_and_fails_the_signature(world: World) -> None:
    genuine = pki.quick_card()
    keys = pki.Keys()
    own_dg14 = pki.unsigned_files(genuine.holder, keys)[LdsFile.DG14]
    fraud = pki.SignedCard(
        genuine.with_files({LdsFile.DG14: own_dg14}),
        genuine.holder,
        keys.chip,
        genuine.active_authentication_key,
    )
    decision = world.decide(card=fraud).decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, "CHIP_DATA_ALTERED")


def test_one_flipped_byte_in_dg13_is_refused(world: World) -> None:
    files = {file: pki.quick_card().files[file] for file in HANDED_OVER}
    altered = bytearray(files[LdsFile.DG13])
    altered[len(altered) // 2] ^= 1
    decision = world.decide(files={**files, LdsFile.DG13: bytes(altered)}).decision
    assert decision.outcome is DecisionOutcome.REFUSED
    assert decision.code in {"CHIP_DATA_ALTERED", "DOCUMENT_MALFORMED"}


def test_an_unknown_issuer_is_refused(world: World) -> None:
    foreign = pki.make_card(signer=pki.rogue(pki.P256).document_signer)
    decision = world.decide(card=foreign).decision
    assert decision.outcome is DecisionOutcome.REFUSED
    assert decision.code in {"CHIP_DS_UNTRUSTED", "CHIP_SOD_INVALID"}


def test_without_chip_proof_the_assurance_is_too_low(world: World) -> None:
    decision = world.decide(chip=False).decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, "ASSURANCE_TOO_LOW")
    assert decision.assurance.chip is ChipAssurance.SIGNED_DATA


def test_active_authentication_does_not_stand_in_for_chip_authentication(world: World) -> None:
    opened = world.counter.open()
    proof = active_proof(pki.quick_card(), opened.challenge)
    evidence = world.evidence(opened, chip=False, active_authentication=proof)
    decision = msgspec.json.decode(world.counter.submit(evidence).data, type=Answer).decision
    assert decision.code == "ASSURANCE_TOO_LOW"


def test_active_authentication_over_the_sessions_challenge_where_there_is_only_dg15(world: World) -> None:
    card = card_with_only_active_authentication()
    for challenge_of_session, code in ((True, None), (False, "CHIP_AA_FAILED")):
        opened = world.counter.open()
        challenge = opened.challenge if challenge_of_session else bytes(8)
        files = {file: card.files[file] for file in HANDED_OVER if file in card.files}
        evidence = world.evidence(
            opened, card, files=files, active_authentication=active_proof(card, challenge)
        )
        decision = msgspec.json.decode(world.counter.submit(evidence).data, type=Answer).decision
        assert decision.code == code
        if code is None:
            assert decision.assurance.chip is ChipAssurance.CHIP_LIVE_GATEWAY


def card_with_only_active_authentication() -> pki.SignedCard:
    """A card that EF.SOD signs without a DG14."""
    keys, holder = pki.Keys(), pki.Holder()
    files = pki.unsigned_files(holder, keys)
    del files[LdsFile.DG14]
    listed = tuple(file for file in sorted(files) if file.is_data_group)
    files[LdsFile.COM] = pki.build_common_data(pki.CommonData("0107", "040000", listed))
    files[LdsFile.SOD] = pki.sign_security_object(
        pki.data_group_hashes(files), pki.quick_issuer().document_signer, signing_time=pki.SIGNED
    )
    return pki.SignedCard(files, holder, keys.chip, keys.active)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (CredentialState.LOST, "CARD_LOST"),
        (CredentialState.REPLACED, "CARD_REPLACED"),
        (CredentialState.UNKNOWN, "CARD_UNKNOWN"),
        (CredentialState.ISSUED, "CARD_NOT_ACTIVE"),
    ],
)
def test_a_card_that_is_not_active_is_refused(world: World, state: CredentialState, code: str) -> None:
    world.card_status.answer = CredentialStatusAnswer(state)
    decision = world.decide().decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, code)


def test_a_registry_that_is_down_is_unavailable_and_never_not_found(world: World) -> None:
    world.registry.answer = RegistryUnavailable("down")
    decision = world.decide().decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.UNAVAILABLE, "REGISTRY_UNAVAILABLE")
    assert decision.holder is None
    world.registry.answer = PersonAnswer(found=False)
    assert world.decide().decision.code == "PERSON_NOT_FOUND"


def test_a_lost_card_is_refused_even_while_the_registry_is_down(world: World) -> None:
    world.registry.answer = RegistryUnavailable("down")
    world.card_status.answer = CredentialStatusAnswer(CredentialState.LOST)
    assert world.decide().decision.code == "CARD_LOST"


def test_an_issuer_that_is_down_is_unavailable(world: World) -> None:
    world.card_status.answer = CardStatusUnavailable("down")
    decision = world.decide().decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.UNAVAILABLE, "CARD_STATUS_UNAVAILABLE")
    assert decision.assurance.status == "none"


@pytest.mark.parametrize(
    ("service", "code"), [("registry", "REGISTRY_UNAVAILABLE"), ("card_status", "CARD_STATUS_UNAVAILABLE")]
)
def test_a_service_that_never_ends_its_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str, code: str
) -> None:
    world = make_world(tmp_path, service_seconds=0.1)
    let_go = threading.Event()
    monkeypatch.setattr(getattr(world, service), "ask", lambda _query: let_go.wait(20))
    began = time.monotonic()
    decision = world.decide().decision
    let_go.set()
    assert time.monotonic() - began < 5
    assert (decision.outcome, decision.code) == (DecisionOutcome.UNAVAILABLE, code)


def test_a_card_expires_with_the_day_in_viet_nam(world: World) -> None:
    last_day = pki.NOW.replace(hour=16, minute=59)  # 17:00 UTC is midnight there
    holder = pki.Holder(date_of_expiry=f"{last_day:%d/%m/%Y}", mrz_date_of_expiry=f"{last_day:%y%m%d}")
    card = pki.make_card(holder, signer=pki.quick_issuer().document_signer)
    for moment, code in ((last_day, None), (last_day + timedelta(minutes=1), "CARD_EXPIRED")):
        world.clock.now = moment
        assert world.decide(card=card, face=matching_face(card)).decision.code == code


def test_a_portrait_that_is_not_the_signed_one_is_refused(world: World) -> None:
    face = matching_face(pki.quick_card(), portrait_digest=bytes(32))
    decision = world.decide(face=face).decision
    assert (decision.outcome, decision.code) == (DecisionOutcome.REFUSED, "FACE_PORTRAIT_NOT_SIGNED")
    assert decision.assurance.face == "none"


def test_the_same_evidence_twice_is_replayed_and_other_evidence_finds_the_challenge_used(
    world: World,
) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    assert world.counter.submit(evidence).status_code == 200
    again = world.counter.submit(evidence)
    assert (again.status_code, code_of(again)) == (409, "EVIDENCE_REPLAYED")
    other = msgspec.structs.replace(
        evidence, attested=msgspec.structs.replace(evidence.attested, agent_version="1.0.1")
    )
    refused = world.counter.submit(other)
    assert (refused.status_code, code_of(refused)) == (409, "CHALLENGE_USED")


def test_evidence_of_one_session_does_not_fit_another(world: World) -> None:
    first, second = world.counter.open(), world.counter.open()
    evidence = world.evidence(first)
    elsewhere = world.counter.submit(evidence, second.id)
    assert (elsewhere.status_code, code_of(elsewhere)) == (400, "REQUEST_MALFORMED")
    moved = world.counter.submit(msgspec.structs.replace(evidence, session=second.id))
    assert (moved.status_code, code_of(moved)) == (422, "SEALED_STATE_INVALID")


def test_a_tampered_sealed_state_is_refused_at_every_byte(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    sealed = evidence.card.chip.sealed_state
    for position in range(0, len(sealed), 7):
        altered = bytearray(sealed)
        altered[position] ^= 1
        chip = msgspec.structs.replace(evidence.card.chip, sealed_state=bytes(altered))
        card = msgspec.structs.replace(evidence.card, chip=chip)
        response = world.counter.submit(msgspec.structs.replace(evidence, card=card))
        assert (response.status_code, code_of(response)) == (422, "SEALED_STATE_INVALID")
    assert world.counter.submit(evidence).status_code == 200


def test_a_tampered_answer_of_the_chip_is_a_clone(world: World) -> None:
    tamperings: tuple[Callable[[bytes, bytes], tuple[bytes, ...]], ...] = (
        lambda first, second: (bytes([first[0] ^ 1]) + first[1:], second),
        lambda first, second: (first, second[:-3] + bytes([second[-3] ^ 1]) + second[-2:]),
        lambda first, second: (second, first),
        lambda first, _second: (first,),
        lambda first, _second: (first, b"\x90\x00"),
        lambda _first, _second: (),
    )
    for tamper in tamperings:
        evidence = world.evidence(world.counter.open())
        responses = tamper(*evidence.card.chip.responses)
        chip = msgspec.structs.replace(evidence.card.chip, responses=responses)
        card = msgspec.structs.replace(evidence.card, chip=chip)
        response = world.counter.submit(msgspec.structs.replace(evidence, card=card))
        assert msgspec.json.decode(response.data, type=Answer).decision.code == "CHIP_CLONED"


def test_an_expired_session_takes_nothing(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    world.clock.move(seconds=world.settings.session_seconds)
    refused = world.counter.submit(msgspec.structs.replace(evidence, card=without_chip(evidence.card)))
    assert (refused.status_code, code_of(refused)) == (410, "SESSION_EXPIRED")
    sealed = world.counter.submit(evidence)
    assert (sealed.status_code, code_of(sealed)) == (422, "SEALED_STATE_INVALID")
    body = {"dg14": "AA==", "sod_length": 10}
    chip = world.counter.send("POST", f"/v1/verification-sessions/{opened.id}/chip-session", body)
    assert (chip.status_code, code_of(chip)) == (410, "SESSION_EXPIRED")


def without_chip(card):
    return msgspec.structs.replace(card, chip=None)


def test_the_same_evidence_from_ten_threads_is_decided_once(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    start = threading.Barrier(10)
    statuses: list[int] = []

    def submit() -> None:
        start.wait()
        statuses.append(world.counter.submit(evidence).status_code)

    threads = [threading.Thread(target=submit) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 9
    assert len(world.card_status.asked) == 1


def test_a_worker_that_died_while_deciding_does_not_hold_the_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    original = world.registry.ask

    def dies(_query: object) -> None:
        raise SystemExit

    monkeypatch.setattr(world.registry, "ask", dies)
    with pytest.raises(SystemExit):
        world.counter.submit(evidence)
    monkeypatch.setattr(world.registry, "ask", original)
    held = world.counter.submit(evidence)
    assert (held.status_code, code_of(held)) == (409, "EVIDENCE_REPLAYED")
    world.clock.move(seconds=31)
    attested = msgspec.structs.replace(evidence.attested, agent_version="1.0.1")
    other = world.counter.submit(msgspec.structs.replace(evidence, attested=attested))
    assert (other.status_code, code_of(other)) == (409, "CHALLENGE_USED")
    assert world.counter.submit(evidence).status_code == 200


def test_another_agent_of_the_same_partner_sees_no_session(world: World) -> None:
    opened = world.counter.open()
    key = pki.ec.generate_private_key(pki.ec.SECP256R1())
    world.directory.add_agent(Agent("agent-two", PARTNER, Standing.ACTIVE, key.public_key()))
    other = Counter(world.app, world.clock, key, "agent-two")
    for path in ("", "/receipt"):
        response = other.send("GET", f"/v1/verification-sessions/{opened.id}{path}")
        assert (response.status_code, code_of(response)) == (404, "SESSION_UNKNOWN")
    refused = other.submit(world.evidence(opened))
    assert code_of(refused) == "SESSION_UNKNOWN"


def test_the_receipt_can_be_fetched_again_and_the_state_told(world: World) -> None:
    opened = world.counter.open()
    path = f"/v1/verification-sessions/{opened.id}"
    assert json.loads(world.counter.send("GET", path).data)["status"] == "opened"
    early = world.counter.send("GET", f"{path}/receipt")
    assert (early.status_code, code_of(early)) == (409, "SESSION_CLOSED")
    answer = msgspec.json.decode(world.counter.submit(world.evidence(opened)).data, type=Answer)
    assert json.loads(world.counter.send("GET", path).data)["status"] == "decided"
    assert json.loads(world.counter.send("GET", f"{path}/receipt").data)["receipt"] == answer.receipt


def test_an_idempotency_key_gives_the_same_session_and_refuses_another_request(world: World) -> None:
    body = {"purpose": "hospital.check_in", "consent": {"text_version": "1", "language": "vi"}}
    key = "0123456789abcdef-one"
    first = world.counter.send("POST", "/v1/verification-sessions", body, Idempotency_Key=key)
    second = world.counter.send("POST", "/v1/verification-sessions", body, Idempotency_Key=key)
    assert json.loads(first.data)["id"] == json.loads(second.data)["id"]
    other = world.counter.send(
        "POST", "/v1/verification-sessions", {**body, "language": "en"}, Idempotency_Key=key
    )
    assert (other.status_code, code_of(other)) == (422, "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize("missing", [LdsFile.SOD, LdsFile.DG1, LdsFile.DG13])
def test_incomplete_evidence_is_refused_without_spending_the_challenge(
    world: World, missing: LdsFile
) -> None:
    opened = world.counter.open()
    files = {file: pki.quick_card().files[file] for file in HANDED_OVER if file is not missing}
    refused = world.counter.submit(world.evidence(opened, files=files, chip=False))
    assert (refused.status_code, code_of(refused)) == (422, "EVIDENCE_INCOMPLETE")
    assert world.counter.submit(world.evidence(opened)).status_code == 200


def test_fingerprints_may_not_be_handed_over(world: World) -> None:
    opened = world.counter.open()
    files = {file: pki.quick_card().files[file] for file in HANDED_OVER}
    refused = world.counter.submit(world.evidence(opened, files={**files, LdsFile.DG3: b"\x63\x00"}))
    assert (refused.status_code, code_of(refused)) == (403, "PURPOSE_NOT_PERMITTED")


def test_nothing_is_answered_when_the_log_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    with world.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE log_nodes RENAME TO log_nodes_gone")
    response = world.counter.submit(evidence)
    assert response.status_code == 500
    assert "decision" not in response.text
    with world.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM log_entries").scalar() == 0


def test_the_image_of_a_test_card_is_complete() -> None:
    assert card_image(pki.quick_card()).chip_authentication_key is not None
    assert timedelta(0) < pki.NOW - pki.SIGNED
