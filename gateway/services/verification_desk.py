"""The desk where sessions are opened and evidence is decided, in the order of the flow."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
from concurrent.futures import CancelledError, Executor, Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from gateway.domain.card_standing import CardStanding
from gateway.domain.decision_policy import Facts, Verdict, decide
from gateway.domain.partner import Caller
from gateway.domain.purpose import Purpose, purpose_named
from gateway.domain.refusals import EvidenceIncomplete, SessionClosed
from gateway.domain.session import Session, SessionState
from gateway.ports import (
    Claim,
    Clock,
    DecisionRecord,
    Directory,
    EvidenceLog,
    PopulationRegistry,
    Random,
    Sessions,
    TrustSource,
)
from gateway.services.card_facts import CardFacts, asked_by, card_facts, chip_assurance
from gateway.services.card_status import CardStatusDesk
from gateway.services.chip_session import ChipSessions
from gateway.services.handed_evidence import HandedEvidence, complete_files, inspect_again
from monitoring import metrics
from verification.errors import AgentUnknown, SealBroken, Unavailable
from verification.inspection.report import InspectionReport
from verification.lds.files import CardFiles, LdsFile
from verification.messages.decision import (
    Answer,
    Assurance,
    CheckOutcome,
    ChipAssurance,
    Decision,
    DecisionOutcome,
    Holder,
)
from verification.messages.evidence import Evidence, FaceClaim
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.national_time import vietnam_date
from verification.messages.person_query import PersonAnswer
from verification.messages.receipt import LogEntry
from verification.messages.seal import Sealer
from verification.messages.verification_session import (
    ChipProof,
    Consent,
    SessionOpened,
    SessionRequest,
    SessionStatus,
)

CHALLENGE_BYTES = 8
"""RND.IFD of active authentication (ICAO 9303-11, 6.1)."""

REFERENCE_KEPT = timedelta(days=400)
"""A partner's own reference can be read back this long."""

AnswerType = TypeVar("AnswerType")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """Everything the desk works with.

    ``subject_key`` makes the keyed hashes of citizen numbers, ``references`` seals partners' own
    references, and ``patience`` bounds, in seconds, the wait for registry and issuer together.
    """

    sessions: Sessions
    directory: Directory
    log: EvidenceLog
    registry: PopulationRegistry
    card_status: CardStatusDesk
    trust: TrustSource
    chip_sessions: ChipSessions
    executor: Executor
    clock: Clock
    random: Random
    subject_key: bytes
    references: Sealer
    lifetime: timedelta
    patience: float


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
        caller.require_purpose(purpose.code)
        now = self._parts.clock().replace(microsecond=0)
        session_id = f"vs_{base64.b32encode(self._parts.random(15)).decode().lower()}"
        session = Session(
            id=session_id,
            partner=caller.partner,
            agent=self._agent_for(caller, request),
            purpose=purpose.code,
            language="en" if request.language == "en" else "vi",
            challenge=self._parts.random(CHALLENGE_BYTES),
            state=SessionState.OPENED,
            opened_at=now,
            expires_at=now + self._parts.lifetime,
            consent=_consent(request.consent),
            partner_ref=self._sealed(request.partner_ref, session_id, now),
        )
        opened = self._parts.sessions.open(session, caller.name, idempotency_key, digest)
        return SessionOpened(
            id=opened.id,
            status=opened.state.value,
            expires_at=opened.expires_at.isoformat(),
            challenge=opened.challenge,
            policy=purpose.policy(),
        )

    def status(self, caller: Caller, session_id: str) -> SessionStatus:
        """Where the caller's session stands and what was decided; raises SessionUnknown."""
        session = self._session(caller, session_id)
        entry = self._parts.log.entry(session_id)
        return SessionStatus(
            id=session.id,
            status=session.state.value,
            purpose=session.purpose,
            expires_at=session.expires_at.isoformat(),
            partner_ref=self._unsealed(session),
            outcome=DecisionOutcome(entry.outcome) if entry else None,
            code=entry.code if entry else None,
            assurance=_logged_assurance(entry) if entry else None,
            decided_at=entry.recorded_at if entry else None,
        )

    def receipt(self, caller: Caller, session_id: str) -> str:
        """The receipt of a decided session; raises SessionClosed while there is none."""
        self._session(caller, session_id)
        receipt = self._parts.log.receipt(session_id)
        if receipt is None:
            raise SessionClosed("the session is not decided yet")
        return receipt

    def decide(self, caller: Caller, session_id: str, evidence: Evidence, body: bytes) -> Answer:
        """Judge the evidence again from the ground up, log the decision, and only then answer it."""
        began = self._parts.clock()
        session = self._session(caller, session_id)
        purpose = purpose_named(session.purpose)
        caller.require_purpose(purpose.code)
        files = complete_files(session, purpose, evidence)
        chip_state = self._chip_state(session, caller, evidence.card.chip, files)
        handed = HandedEvidence(evidence, files, hashlib.sha256(body).hexdigest(), chip_state)
        # Everything so far, and a trust store that cannot be used, leaves the challenge unspent.
        trust_store = self._parts.trust()
        claim = self._parts.sessions.claim(session_id, handed.digest, self._parts.clock())
        moment = self._parts.clock()
        report = inspect_again(session, handed, trust_store, moment)
        known = asked_by(card_facts(report, handed.files), session.partner, purpose.code)
        facts = self._facts(handed, report, known, moment)
        verdict = decide(purpose, facts)
        checks = _checks(purpose, report, facts)
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
        receipt = self._record(caller, decision, claim, known, began)
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

    def _session(self, caller: Caller, session_id: str) -> Session:
        session = self._parts.sessions.get(session_id)
        session.require_owner(caller)
        return session

    def _sealed(self, reference: str | None, session_id: str, now: datetime) -> bytes | None:
        if reference is None:
            return None
        return self._parts.references.seal(reference.encode(), session_id, now + REFERENCE_KEPT)

    def _unsealed(self, session: Session) -> str | None:
        if session.partner_ref is None:
            return None
        try:
            return self._parts.references.open(session.partner_ref, session.id, self._parts.clock()).decode()
        except SealBroken:
            return None  # its time has run out, or the seal key was changed

    def _chip_state(
        self, session: Session, caller: Caller, proof: ChipProof | None, files: CardFiles
    ) -> bytes | None:
        if proof is None:
            return None
        if LdsFile.DG14 not in files:
            raise EvidenceIncomplete("chip authentication cannot be judged without DG14")
        return self._parts.chip_sessions.opened_state(session, caller, proof, self._parts.clock())

    def _facts(
        self, handed: HandedEvidence, report: InspectionReport, known: CardFacts | None, moment: datetime
    ) -> Facts:
        face = handed.evidence.attested.face
        person, standing = self._ask(known)
        return Facts(
            report=report,
            chip=chip_assurance(report, handed.files),
            today=vietnam_date(moment),
            holder_is_named=known is not None,
            chip_fault=handed.evidence.card.chip_fault,
            card_expiry=known.expiry if known else None,
            card_state=standing.state if standing else None,
            card_state_age=standing.age_seconds if standing else None,
            person=person,
            face=face,
            portrait_is_signed=known is not None and known.signs_portrait(face, handed.files),
        )

    def _ask(self, known: CardFacts | None) -> tuple[PersonAnswer | None, CardStanding | None]:
        """Both services at once. A document that is not genuine asks nobody: its data are not a person's."""
        if known is None:
            return None, None
        status = self._parts.executor.submit(self._parts.card_status.ask, known.status_query())
        person = self._parts.executor.submit(self._parts.registry.ask, known.person)
        asked: tuple[Future[Any], ...] = (status, person)
        # A service that drips its answer is not waited for: the thread's own deadlines end it.
        for late in wait(asked, self._parts.patience).not_done:
            late.cancel()
        return _answer_or_none(person), _answer_or_none(status)

    def _subject(self, session: Session, known: CardFacts | None) -> str:
        """A keyed hash of the citizen number, different for every partner; empty when unknown."""
        if known is None:
            return ""
        message = f"{session.partner}\n{known.person.citizen_number}".encode()
        keyed = hmac.digest(self._parts.subject_key, message, "sha256")
        return base64.b32encode(keyed[:20]).decode().lower()

    def _record(
        self, caller: Caller, decision: Decision, claim: Claim, known: CardFacts | None, began: datetime
    ) -> str:
        purpose = purpose_named(decision.purpose)
        record = DecisionRecord(
            recorded_at=datetime.fromisoformat(decision.decided_at),
            action="verification.decided",
            actor=caller.name,
            partner=caller.partner,
            purpose=decision.purpose,
            session=decision.session,
            subject=self._subject(claim.session, known),
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
            took_ms=_milliseconds(self._parts.clock() - began),
            facility=caller.facility,
            card=known.status_query().status_key if known and purpose.binds_card else None,
        )
        return self._parts.log.record(record, claim)


def _answer_or_none(future: Future[AnswerType]) -> AnswerType | None:
    try:
        return future.result(timeout=0)
    except (Unavailable, TimeoutError, CancelledError):
        return None


def _milliseconds(spent: timedelta) -> int:
    """Never below nothing: a clock may have been set meanwhile."""
    return max(0, round(spent / timedelta(milliseconds=1)))


def _consent(consent: Consent) -> str:
    return f"{consent.text_version} {consent.language} {consent.given_by}"


def _logged_assurance(entry: LogEntry) -> Assurance:
    said = entry.assurance
    return Assurance(chip=ChipAssurance(said["chip"]), face=said["face"], status=said["status"])


def _checks(purpose: Purpose, report: InspectionReport, facts: Facts) -> tuple[CheckOutcome, ...]:
    """The inspection's lines, then ours; codes are from the catalogue, never a reader's own words."""
    lines = [
        CheckOutcome(check.value, result.outcome.value, result.code)
        for check, result in report.checks.items()
    ]
    state = facts.card_state
    if state is None:
        lines.append(CheckOutcome("card_status", "undetermined"))
    else:
        lines.append(CheckOutcome("card_status", "successful" if state in purpose.card_states else "failed"))
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
