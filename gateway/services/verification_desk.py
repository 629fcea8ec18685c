"""The desk where sessions are opened and evidence is decided, in the order of the flow."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from gateway.domain.decision_policy import Facts, Verdict, decide
from gateway.domain.partner import Caller
from gateway.domain.purpose import Purpose, purpose_named
from gateway.domain.refusals import EvidenceIncomplete, PurposeNotPermitted, SessionClosed
from gateway.domain.session import Session, SessionState
from gateway.ports import (
    Claim,
    Clock,
    CredentialStatus,
    DecisionRecord,
    Directory,
    EvidenceLog,
    PopulationRegistry,
    Random,
    Sessions,
    TrustSource,
)
from gateway.services.card_facts import CardFacts, card_facts, chip_assurance
from gateway.services.chip_session import (
    ChipSessions,
    active_authentication_of,
    chip_authentication_of,
)
from monitoring import metrics
from verification.errors import AgentUnknown, RequestMalformed, Unavailable
from verification.inspection.inspect import inspect
from verification.inspection.report import InspectionReport
from verification.lds.files import CardFiles, LdsFile
from verification.messages.credential_status import CredentialState
from verification.messages.decision import (
    Answer,
    CheckOutcome,
    Decision,
    DecisionOutcome,
    Holder,
)
from verification.messages.evidence import Evidence, FaceClaim
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.person_query import PersonAnswer
from verification.messages.verification_session import SessionOpened, SessionRequest

REQUIRED_FILES = (LdsFile.SOD, LdsFile.DG1, LdsFile.DG13)
CHALLENGE_BYTES = 8
"""RND.IFD of active authentication (ICAO 9303-11, 6.1)."""

_ALWAYS_SEEN = frozenset({LdsFile.COM, LdsFile.SOD, LdsFile.CARD_ACCESS})

AnswerType = TypeVar("AnswerType")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """Everything the desk works with; ``subject_key`` makes the keyed hashes of citizen numbers."""

    sessions: Sessions
    directory: Directory
    log: EvidenceLog
    registry: PopulationRegistry
    card_status: CredentialStatus
    trust: TrustSource
    chip_sessions: ChipSessions
    executor: Executor
    clock: Clock
    random: Random
    subject_key: bytes
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class _Handed:
    """Evidence that is complete enough to be judged."""

    evidence: Evidence
    files: CardFiles
    digest: str
    chip_state: bytes | None


class VerificationDesk:
    """Opens sessions and decides evidence, each session once."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts

    def open(
        self, caller: Caller, request: SessionRequest, idempotency_key: str, digest: str
    ) -> SessionOpened:
        """A new session, or the one that this very request opened before.

        Raises PurposeNotPermitted, AgentUnknown, IdempotencyConflict.
        """
        purpose = purpose_named(request.purpose)
        now = self._parts.clock().replace(microsecond=0)
        session = Session(
            id=f"vs_{base64.b32encode(self._parts.random(15)).decode().lower()}",
            partner=caller.partner,
            agent=self._agent_for(caller, request),
            purpose=purpose.code,
            language="en" if request.language == "en" else "vi",
            challenge=self._parts.random(CHALLENGE_BYTES),
            state=SessionState.OPENED,
            opened_at=now,
            expires_at=now + self._parts.lifetime,
        )
        opened = self._parts.sessions.open(session, caller.name, idempotency_key, digest)
        return SessionOpened(
            id=opened.id,
            status=opened.state.value,
            expires_at=opened.expires_at.isoformat(),
            challenge=opened.challenge,
            policy=purpose.policy(),
        )

    def session(self, caller: Caller, session_id: str) -> Session:
        """The caller's session; raises SessionUnknown, also for another's."""
        session = self._parts.sessions.get(session_id)
        session.require_owner(caller)
        return session

    def receipt(self, caller: Caller, session_id: str) -> str:
        """The receipt of a decided session; raises SessionClosed while there is none."""
        self.session(caller, session_id)
        receipt = self._parts.log.receipt(session_id)
        if receipt is None:
            raise SessionClosed("the session is not decided yet")
        return receipt

    def decide(self, caller: Caller, session_id: str, evidence: Evidence, body: bytes) -> Answer:
        """Judge the evidence again from the ground up, log the decision, and only then answer it."""
        session = self.session(caller, session_id)
        purpose = purpose_named(session.purpose)
        handed = self._handed(session, purpose, evidence, body)
        claim = self._parts.sessions.claim(session_id, handed.digest, self._parts.clock())
        moment = self._parts.clock()
        report = self._inspect(session, handed, moment)
        known = card_facts(report, handed.files)
        facts = self._facts(handed, report, known, moment)
        verdict = decide(purpose, facts)
        checks = _checks(report, facts)
        decision = Decision(
            session=session.id,
            purpose=purpose.code,
            outcome=verdict.outcome,
            code=verdict.code,
            assurance=verdict.assurance,
            checks=checks,
            decided_at=moment.isoformat(timespec="milliseconds"),
            holder=_released(purpose, verdict, known),
        )
        receipt = self._record(caller, decision, claim, self._subject(session, known), purpose)
        _count(decision, report)
        return Answer(decision, receipt)

    def _agent_for(self, caller: Caller, request: SessionRequest) -> str | None:
        """The one agent that may hand over evidence; None when the partner left it open."""
        if caller.agent is not None:
            if request.agent_id not in {None, caller.agent}:
                raise AgentUnknown("an agent opens sessions for itself only")
            return caller.agent
        if request.agent_id is not None:
            agent = self._parts.directory.agent(request.agent_id)
            if agent is None or agent.partner != caller.partner:
                raise AgentUnknown("the partner has no such agent")
        return request.agent_id

    def _handed(self, session: Session, purpose: Purpose, evidence: Evidence, body: bytes) -> _Handed:
        """Everything that can be refused without spending the session's one challenge."""
        if evidence.session != session.id:
            raise RequestMalformed("the evidence belongs to another session")
        try:
            files = evidence.card.lds_files()
        except KeyError:
            raise RequestMalformed("the evidence names a file that does not exist") from None
        missing = [file.name for file in REQUIRED_FILES if file not in files]
        if missing:
            raise EvidenceIncomplete(f"the evidence lacks {', '.join(missing)}")
        seen = _ALWAYS_SEEN | {LdsFile(number) for number in purpose.data_groups}
        if not files.keys() <= seen:
            raise PurposeNotPermitted("the evidence holds a data group that the purpose may not see")
        proof = evidence.card.chip
        state = None
        if proof is not None:
            state = self._parts.chip_sessions.opened_state(session, proof, self._parts.clock())
        return _Handed(evidence, files, hashlib.sha256(body).hexdigest(), state)

    def _inspect(self, session: Session, handed: _Handed, moment: datetime) -> InspectionReport:
        card = handed.evidence.card
        return inspect(
            handed.files,
            self._parts.trust(),
            moment,
            chip_authentication=chip_authentication_of(handed.chip_state, card, handed.files),
            active_authentication=active_authentication_of(session.challenge, card, handed.files),
        )

    def _facts(
        self, handed: _Handed, report: InspectionReport, known: CardFacts | None, moment: datetime
    ) -> Facts:
        face = handed.evidence.attested.face
        person, card_state = self._ask(known)
        return Facts(
            report=report,
            chip=chip_assurance(report, handed.files),
            today=moment.date(),
            holder_is_named=known is not None,
            chip_fault=handed.evidence.card.chip_fault,
            card_expiry=known.expiry if known else None,
            card_state=card_state,
            person=person,
            face=face,
            portrait_is_signed=known is not None and known.signs_portrait(face, handed.files),
        )

    def _ask(self, known: CardFacts | None) -> tuple[PersonAnswer | None, CredentialState | None]:
        """Both services at once. A document that is not genuine asks nobody: its data are not a person's."""
        if known is None:
            return None, None
        status = self._parts.executor.submit(self._parts.card_status.ask, known.status_query())
        person = self._parts.executor.submit(self._parts.registry.ask, known.person)
        status_answer = _answer_or_none(status)
        return _answer_or_none(person), status_answer.state if status_answer else None

    def _subject(self, session: Session, known: CardFacts | None) -> str:
        """A keyed hash of the citizen number, different for every partner; empty when unknown."""
        if known is None:
            return ""
        message = f"{session.partner}\n{known.person.citizen_number}".encode()
        keyed = hmac.digest(self._parts.subject_key, message, "sha256")
        return base64.b32encode(keyed[:20]).decode().lower()

    def _record(
        self, caller: Caller, decision: Decision, claim: Claim, subject: str, purpose: Purpose
    ) -> str:
        record = DecisionRecord(
            recorded_at=datetime.fromisoformat(decision.decided_at),
            action="verification.decided",
            actor=caller.name,
            partner=caller.partner,
            purpose=decision.purpose,
            session=decision.session,
            subject=subject,
            evidence=claim.session.evidence or "",
            outcome=decision.outcome.value,
            code=decision.code,
            assurance={
                "chip": decision.assurance.chip.value,
                "face": decision.assurance.face,
                "status": decision.assurance.status,
            },
            checks=tuple((check.name, check.outcome, check.code) for check in decision.checks),
            policy=f"{purpose.code}@{purpose.version}",
        )
        return self._parts.log.record(record, claim)


def _answer_or_none(future: Future[AnswerType]) -> AnswerType | None:
    try:
        return future.result()
    except Unavailable:
        return None


def _checks(report: InspectionReport, facts: Facts) -> tuple[CheckOutcome, ...]:
    """The inspection's lines, then ours; codes are from the catalogue, never a reader's own words."""
    lines = [
        CheckOutcome(check.value, result.outcome.value, result.code)
        for check, result in report.checks.items()
    ]
    state = facts.card_state
    if state is None:
        lines.append(CheckOutcome("card_status", "undetermined"))
    else:
        lines.append(
            CheckOutcome("card_status", "successful" if state is CredentialState.ACTIVE else "failed")
        )
    found = None if facts.person is None else facts.person.found
    lines.append(CheckOutcome("person", {None: "undetermined", True: "successful", False: "failed"}[found]))
    if facts.face is not None:
        outcome = "successful" if facts.face.matched and facts.portrait_is_signed else "failed"
        lines.append(CheckOutcome("face_comparison", outcome, _manual_cause(facts.face)))
    return tuple(lines)


def _manual_cause(face: FaceClaim) -> str | None:
    """Why the comparison was made by eye, as a code; the teller's own words are not kept."""
    cause = re.match(r"[A-Z][A-Z0-9_]{2,63}", face.manual_reason or "")
    return cause[0] if cause and cause[0] in fault_catalogue() else None


def _released(purpose: Purpose, verdict: Verdict, known: CardFacts | None) -> Holder | None:
    if verdict.outcome is DecisionOutcome.VERIFIED and known is not None:
        return known.holder(purpose.release)
    return None


def _count(decision: Decision, report: InspectionReport) -> None:
    metrics.DECISIONS.labels(decision.purpose, decision.outcome.value, decision.code or "").inc()
    for check, result in report.checks.items():
        metrics.CHIP_CHECKS.labels(check.value, result.outcome.value).inc()
    logger.info(
        "decided",
        extra={
            "session": decision.session,
            "purpose": decision.purpose,
            "outcome": decision.outcome.value,
            "code": decision.code,
            "assurance": decision.assurance.chip.value,
        },
    )
