"""Whose session it is: what one partner or counter opened, no other sees, finishes or learns of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from werkzeug.test import TestResponse

from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.purpose import PURPOSES
from tests.support.gateway_world import AGENT, PARTNER, Counter, World
from tests.support.partner_program import PartnerProgram
from verification.messages.evidence import Evidence
from verification.messages.verification_session import ChipSessionRequest, SessionOpened, SessionStatus

SESSIONS = "/v1/verification-sessions"
OTHER = "bank-two"


def code_of(response: TestResponse) -> str:
    return str(json.loads(response.data)["code"])


def counter_of(world: World, partner: str, agent: str) -> Counter:
    key = ed25519.Ed25519PrivateKey.generate()
    world.directory.add_agent(Agent(agent, partner, Standing.ACTIVE, key.public_key()))
    return Counter(world.app, world.clock, key, agent)


@pytest.fixture
def other_bank(world: World) -> PartnerProgram:
    key = ec.generate_private_key(ec.SECP256R1())
    world.directory.add_partner(
        Partner(OTHER, "Other", Standing.ACTIVE, key.public_key(), frozenset(PURPOSES))
    )
    return PartnerProgram(world, OTHER, key)


def readings(session: str) -> Iterator[tuple[str, str, object]]:
    yield "GET", f"{SESSIONS}/{session}", None
    yield "GET", f"{SESSIONS}/{session}/receipt", None


def writings(session: str, evidence: Evidence) -> Iterator[tuple[str, str, object]]:
    dg14 = evidence.card.files["DG14"]
    yield "POST", f"{SESSIONS}/{session}/chip-session", ChipSessionRequest(dg14, 100)
    yield "PUT", f"{SESSIONS}/{session}/evidence", evidence


@pytest.mark.parametrize("decided", [False, True])
def test_another_partners_program_and_counter_find_no_session(
    world: World, other_bank: PartnerProgram, decided: bool
) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    if decided:
        assert world.counter.submit(evidence).status_code == 200
    stranger = counter_of(world, OTHER, "agent-of-two")
    for method, path, _ in readings(opened.id):
        refused = other_bank.send(method, path)
        assert (refused.status_code, code_of(refused)) == (404, "SESSION_UNKNOWN")
    for method, path, message in (*readings(opened.id), *writings(opened.id, evidence)):
        refused = stranger.send(method, path, message)
        assert (refused.status_code, code_of(refused)) == (404, "SESSION_UNKNOWN")
    if not decided:
        assert world.counter.submit(evidence).status_code == 200


def test_a_session_of_somebody_else_looks_like_one_that_never_was(
    world: World, other_bank: PartnerProgram
) -> None:
    opened = world.counter.open()
    theirs, nobodys = (
        other_bank.send("GET", f"{SESSIONS}/{opened.id}"),
        other_bank.send("GET", f"{SESSIONS}/vs_x"),
    )
    known = ("request_id",)
    bodies = [
        {k: v for k, v in json.loads(each.data).items() if k not in known} for each in (theirs, nobodys)
    ]
    assert bodies[0] == bodies[1]


def open_for_any_agent(world: World) -> SessionOpened:
    """A session that a partner's own program opened without naming the counter."""
    response = PartnerProgram(world, PARTNER, world.partner_key).open()
    return msgspec.json.decode(response.data, type=SessionOpened)


def test_what_one_counter_began_another_of_the_same_partner_cannot_finish(world: World) -> None:
    opened = open_for_any_agent(world)
    evidence = world.evidence(opened)
    colleague = counter_of(world, PARTNER, "agent-two")
    refused = colleague.submit(evidence)
    assert (refused.status_code, code_of(refused)) == (422, "SEALED_STATE_INVALID")
    assert world.counter.submit(evidence).status_code == 200


def test_the_chip_state_of_a_decided_session_is_good_for_nothing_more(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    assert world.counter.submit(evidence).status_code == 200
    attested = msgspec.structs.replace(evidence.attested, agent_version="1.0.1")
    again = world.counter.submit(msgspec.structs.replace(evidence, attested=attested))
    assert (again.status_code, code_of(again)) == (409, "CHALLENGE_USED")
    begun = world.counter.send(*next(writings(opened.id, evidence)))
    assert (begun.status_code, code_of(begun)) == (409, "SESSION_CLOSED")


def test_a_partners_program_learns_what_was_decided_and_nothing_of_the_holder(world: World) -> None:
    bank = PartnerProgram(world, PARTNER, world.partner_key)
    opened = bank.open(partner_ref="TX-2026-000123")
    session = json.loads(opened.data)["id"]
    path = f"{SESSIONS}/{session}"
    before = msgspec.json.decode(bank.send("GET", path).data, type=SessionStatus)
    assert (before.status, before.outcome, before.assurance, before.decided_at) == (
        "opened",
        None,
        None,
        None,
    )
    world.counter.submit(world.evidence(msgspec.json.decode(opened.data, type=SessionOpened)))
    told = bank.send("GET", path)
    after = msgspec.json.decode(told.data, type=SessionStatus)
    assert (after.status, after.outcome, after.code) == ("decided", "verified", None)
    assert after.assurance is not None
    assert (after.assurance.chip, after.assurance.face) == ("chip-live-gateway", "agent")
    assert (after.partner_ref, after.decided_at is not None) == ("TX-2026-000123", True)
    assert "holder" not in told.text


def test_a_refusal_is_told_with_its_code(world: World) -> None:
    opened = world.counter.open()
    world.counter.submit(world.evidence(opened, chip=False))
    told = world.counter.send("GET", f"{SESSIONS}/{opened.id}")
    status = msgspec.json.decode(told.data, type=SessionStatus)
    assert (status.outcome, status.code) == ("refused", "ASSURANCE_TOO_LOW")
    assert status.assurance is not None
    assert status.assurance.chip == "signed-data"


@pytest.mark.parametrize("reference", ["", "x" * 65])
def test_a_reference_that_cannot_be_kept_is_refused(world: World, reference: str) -> None:
    refused = PartnerProgram(world, PARTNER, world.partner_key).open(partner_ref=reference)
    assert (refused.status_code, code_of(refused)) == (400, "REQUEST_MALFORMED")


def test_a_reference_is_sealed_and_runs_out(world: World) -> None:
    bank = PartnerProgram(world, PARTNER, world.partner_key)
    session = json.loads(bank.open(partner_ref="TX-CANARY").data)["id"]
    with world.database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT partner_ref FROM sessions").scalar_one()
    assert b"CANARY" not in kept
    world.clock.move(days=401)
    told = bank.send("GET", f"{SESSIONS}/{session}")
    assert json.loads(told.data)["partner_ref"] is None


def test_the_consent_is_kept_with_the_session(world: World) -> None:
    world.counter.open()
    with world.database.reading() as connection:
        assert (
            connection.exec_driver_sql("SELECT consent FROM sessions").scalar_one()
            == "2026-1 vi card_presented"
        )


@pytest.mark.parametrize(
    "consent",
    [
        {"text_version": "", "language": "vi"},
        {"text_version": "Trịnh Thị Ca", "language": "vi"},
        {"text_version": "1", "language": "VI"},
        {"text_version": "1", "language": "vi", "given_by": "Trịnh Thị Ca"},
        {"text_version": "1\n", "language": "vi"},
    ],
)
def test_a_consent_has_no_room_for_a_name(world: World, consent: dict[str, str]) -> None:
    refused = world.counter.send("POST", SESSIONS, {"purpose": "hospital.check_in", "consent": consent})
    assert (refused.status_code, code_of(refused)) == (400, "REQUEST_MALFORMED")


def permit(world: World, *purposes: str) -> None:
    key = world.partner_key.public_key()
    world.directory.add_partner(Partner(PARTNER, "Bank", Standing.ACTIVE, key, frozenset(purposes)))


@pytest.mark.parametrize("who", ["agent", "partner"])
def test_a_partner_may_ask_for_its_own_purposes_only(world: World, who: str) -> None:
    request = {"purpose": "bank.counter.identify", "consent": {"text_version": "1", "language": "vi"}}
    ask: dict[str, Callable[[], TestResponse]] = {
        "agent": lambda: world.counter.send("POST", SESSIONS, request),
        "partner": lambda: PartnerProgram(world, PARTNER, world.partner_key).open(purpose=request["purpose"]),
    }
    permit(world, "hospital.check_in")
    refused = ask[who]()
    assert (refused.status_code, code_of(refused)) == (403, "PURPOSE_NOT_PERMITTED")
    permit(world, "hospital.check_in", "bank.counter.identify")
    assert ask[who]().status_code == 201


def test_a_purpose_that_is_taken_away_counts_for_open_sessions_too(world: World) -> None:
    opened = world.counter.open("bank.counter.identify")
    evidence = world.evidence(opened)
    permit(world, "hospital.check_in")
    refused = world.counter.submit(evidence)
    assert (refused.status_code, code_of(refused)) == (403, "PURPOSE_NOT_PERMITTED")
    permit(world, "bank.counter.identify")
    assert world.counter.submit(evidence).status_code == 200


def test_a_chip_proof_without_dg14_leaves_the_challenge_unspent(world: World) -> None:
    opened = world.counter.open()
    evidence = world.evidence(opened)
    files = {name: content for name, content in evidence.card.files.items() if name != "DG14"}
    card = msgspec.structs.replace(evidence.card, files=files)
    refused = world.counter.submit(msgspec.structs.replace(evidence, card=card))
    assert (refused.status_code, code_of(refused)) == (422, "EVIDENCE_INCOMPLETE")
    assert world.counter.submit(evidence).status_code == 200


def test_a_bearer_token_is_no_agent(world: World) -> None:
    bank = PartnerProgram(world, PARTNER, world.partner_key)
    opened = bank.open(agent_id=AGENT)
    session = json.loads(opened.data)["id"]
    evidence = world.evidence(msgspec.json.decode(opened.data, type=SessionOpened))
    for method, path, message in writings(session, evidence):
        refused = bank.send(method, path, msgspec.json.encode(message))
        assert (refused.status_code, code_of(refused)) == (401, "SIGNATURE_INVALID")
