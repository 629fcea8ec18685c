"""An agent with a valid key that repeats, mixes or delays what it hands over, against the real gateway."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.running_stand import WITHOUT_TURN, Issued, Reply, RunningStand, http
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader
from verification.lds.files import LdsFile
from verification.messages.decision import Answer
from verification.messages.evidence import AttestedEvidence, CardEvidence, Evidence
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.message_signature import sign_request
from verification.messages.verification_session import (
    ChipCommands,
    ChipProof,
    ChipSessionRequest,
    Consent,
    SessionOpened,
    SessionRequest,
)

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]

SESSIONS = "/v1/verification-sessions"
HANDED_OVER = (LdsFile.COM, LdsFile.SOD, LdsFile.DG1, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15, LdsFile.DG2)


@dataclass
class HonestAgent:
    """Signs and sends what a counter does, step by step; its clock can be wrong, its name another."""

    stand: RunningStand
    name: str = "agent-by-hand"
    lead: timedelta = timedelta()

    def __post_init__(self) -> None:
        pem = self.stand.enrolled(self.name).read_bytes()
        self._key = load_pem_private_key(pem, None)

    def send(self, method: str, path: str, message: object, **changed: str) -> Reply:
        body = b"" if message is None else msgspec.json.encode(message)
        return self.send_signed(method, path, body, self.sign(method, path, body), **changed)

    def sign(self, method: str, path: str, body: bytes) -> dict[str, str]:
        return sign_request(
            method,
            self.stand.addresses.url("gateway") + path,
            {"Content-Type": "application/json"},
            body,
            key=self._key,  # type: ignore[arg-type]
            key_id=self.name,
            created=datetime.now(UTC) + self.lead,
            nonce=os.urandom(16),
        )

    def send_signed(
        self, method: str, path: str, body: bytes, headers: dict[str, str], **changed: str
    ) -> Reply:
        given = headers | {name.replace("_", "-"): value for name, value in changed.items()}
        reply = http(method, self.stand.addresses.url("gateway") + path, body or None, given)
        if reply.status >= 400:
            self.stand.bodies.append(reply.body)
        return reply

    def open(self) -> SessionOpened:
        request = SessionRequest(WITHOUT_TURN, Consent("2026-1", "vi"), agent_id=self.name)
        reply = self.send("POST", SESSIONS, request)
        assert reply.status == 201, reply.body
        return msgspec.json.decode(reply.body, type=SessionOpened)

    def evidence(self, opened: SessionOpened, issued: Issued) -> Evidence:
        """What a tap of this card gives: the chip proven through us, no face compared."""
        chip = VirtualCard(issued.image)
        chip.power_on()
        reader = DocumentReader(chip, os.urandom)
        reader.open(Can(issued.image.can))
        files = reader.read_files()
        request = ChipSessionRequest(files[LdsFile.DG14], len(files[LdsFile.SOD]))
        reply = self.send("POST", f"{SESSIONS}/{opened.id}/chip-session", request)
        commands = msgspec.json.decode(reply.body, type=ChipCommands)
        proof = ChipProof(reader.relay(commands.agent_wrapped, commands.relayed), commands.sealed_state)
        handed = {file.name: files[file] for file in HANDED_OVER if file in files}
        card = CardEvidence(files=handed, access="PACE-GM", downgraded=False, chip=proof)
        return Evidence(opened.id, card, AttestedEvidence("1.0.0", datetime.now(UTC).isoformat()))

    def submit(self, evidence: Evidence, session: str | None = None) -> Reply:
        return self.send("PUT", f"{SESSIONS}/{session or evidence.session}/evidence", evidence)


@pytest.fixture(scope="module")
def agent(stand: RunningStand) -> HonestAgent:
    return HonestAgent(stand)


def require_problem(agent: HonestAgent, send: Callable[..., Reply], status: int, code: str) -> None:
    """The same refusal in both languages: code, sentence and next step."""
    for language in ("vi", "en"):
        reply = send(Accept_Language=language)
        assert (reply.status, reply.json["code"]) == (status, code), reply.body
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        text = fault_catalogue()[code].text(language)
        assert (reply.json["title"], reply.json["next_step"]) == (text.what, text.next)


def require_decided(agent: HonestAgent) -> None:
    """The next customer: judged up to the face, which nobody compared here."""
    reply = agent.submit(agent.evidence(agent.open(), agent.stand.holder))
    assert reply.status == 200, reply.body
    decision = msgspec.json.decode(reply.body, type=Answer).decision
    assert (decision.outcome, decision.code) == ("refused", "FACE_NOT_VERIFIED")
    assert decision.assurance.chip == "chip-live-gateway"


def test_the_same_evidence_twice_and_other_evidence_on_a_used_challenge(agent: HonestAgent) -> None:
    opened = agent.open()
    evidence = agent.evidence(opened, agent.stand.holder)
    assert agent.submit(evidence).status == 200
    path, other = f"{SESSIONS}/{opened.id}/evidence", msgspec.structs.replace(evidence, attested=_later())
    require_problem(agent, lambda **h: agent.send("PUT", path, evidence, **h), 409, "EVIDENCE_REPLAYED")
    require_problem(agent, lambda **h: agent.send("PUT", path, other, **h), 409, "CHALLENGE_USED")
    require_decided(agent)


def _later() -> AttestedEvidence:
    return AttestedEvidence("1.0.0", datetime.now(UTC).isoformat())


def test_evidence_and_sealed_state_of_another_session(agent: HonestAgent) -> None:
    first, second = agent.open(), agent.open()
    evidence = agent.evidence(first, agent.stand.holder)
    path = f"{SESSIONS}/{second.id}/evidence"
    require_problem(agent, lambda **h: agent.send("PUT", path, evidence, **h), 400, "REQUEST_MALFORMED")
    moved = msgspec.structs.replace(evidence, session=second.id)
    require_problem(agent, lambda **h: agent.send("PUT", path, moved, **h), 422, "SEALED_STATE_INVALID")
    assert agent.submit(evidence).status == 200, "what was refused has spent nothing"
    require_decided(agent)


def test_a_signed_request_that_is_sent_again(agent: HonestAgent) -> None:
    body = msgspec.json.encode(SessionRequest(WITHOUT_TURN, Consent("2026-1", "vi")))
    headers = agent.sign("POST", SESSIONS, body)
    assert agent.send_signed("POST", SESSIONS, body, headers).status == 201
    require_problem(
        agent,
        lambda **h: agent.send_signed("POST", SESSIONS, body, headers, **h),
        401,
        "SIGNATURE_REPLAYED",
    )


def test_a_session_whose_time_ran_out(agent: HonestAgent) -> None:
    opened = agent.open()
    evidence = agent.evidence(opened, agent.stand.holder)
    with closing(sqlite3.connect(agent.stand.folder / "gateway.db", timeout=10)) as database:
        database.execute("UPDATE sessions SET expires_at = expires_at - 3600 WHERE id = ?", (opened.id,))
        database.commit()
    path = f"{SESSIONS}/{opened.id}"
    request = ChipSessionRequest(evidence.card.files["DG14"], len(evidence.card.files["SOD"]))
    require_problem(
        agent, lambda **h: agent.send("PUT", f"{path}/evidence", evidence, **h), 410, "SESSION_EXPIRED"
    )
    require_problem(
        agent, lambda **h: agent.send("POST", f"{path}/chip-session", request, **h), 410, "SESSION_EXPIRED"
    )
    require_decided(agent)


@pytest.mark.parametrize(
    ("name", "lead", "code"),
    [
        ("unknown-agent", timedelta(), "AGENT_UNKNOWN"),
        ("agent-by-hand", timedelta(minutes=2), "CLOCK_SKEW"),
        ("agent-by-hand", timedelta(minutes=-3), "CLOCK_SKEW"),
        ("agent-by-hand", timedelta(days=-365), "CLOCK_SKEW"),
    ],
)
def test_a_caller_that_nobody_knows_or_whose_clock_is_wrong(
    stand: RunningStand, name: str, lead: timedelta, code: str
) -> None:
    caller = HonestAgent(stand, name, lead)
    request = SessionRequest(WITHOUT_TURN, Consent("2026-1", "vi"))
    require_problem(caller, lambda **h: caller.send("POST", SESSIONS, request, **h), 401, code)
    if code == "CLOCK_SKEW":
        # It is told by how much, so that the person at the counter can set the clock right.
        told = caller.send("POST", SESSIONS, request).json["clock_offset_ms"]
        assert abs(abs(told) - abs(lead.total_seconds()) * 1000) < 5000


def test_an_agent_does_not_see_another_agents_session(agent: HonestAgent, stand: RunningStand) -> None:
    opened = agent.open()
    other = HonestAgent(stand, "agent-next-door")
    path = f"{SESSIONS}/{opened.id}"
    require_problem(other, lambda **h: other.send("GET", path, None, **h), 404, "SESSION_UNKNOWN")
