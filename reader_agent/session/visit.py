"""The steps of one visit, in their order (ARCHITECTURE 3: a card tap)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reader_agent.face_supply import FaceSupply
from reader_agent.ports import Camera, CardReader, ConnectedCard, ListedStanding, VerificationGateway
from reader_agent.refusals import CardOnStatusList, GatewayRefusal
from reader_agent.session.access import access_secret
from reader_agent.session.card_reading import CardReading, ChipDesk
from reader_agent.session.counter_session import CounterSession
from reader_agent.session.evidence_builder import Gathered, build_evidence
from reader_agent.session.face_step import FaceLimits, FaceStep
from reader_agent.session.state import Event
from reader_agent.session.stopwatch import Stopwatch
from reader_agent.session.verdict import (
    NOTHING_PROVEN,
    Verdict,
    refusal,
    verdict_of_answer,
    verdict_of_fault,
)
from verification.chip.card_types import CardTypeMemory
from verification.chip.keys import AccessSecret
from verification.errors import (
    CardNotPresent,
    ChipAuthenticationFailed,
    Unavailable,
    UntrustedDocument,
    VerificationError,
)
from verification.inspection.inspect import inspect
from verification.inspection.report import Check, InspectionReport
from verification.lds.files import LdsFile
from verification.messages.decision import Answer, Assurance, ChipAssurance, snapshot_age
from verification.messages.verification_session import (
    ChipProof,
    ChipSessionRequest,
    Consent,
    SessionOpened,
    SessionRequest,
)
from verification.pki.trust_store import TrustStore

CONSENT_TEXT_VERSION = "2026-1"
"""The consent text on the teller's page; raised whenever a word of it changes."""

_CARD_POLL_SECONDS = 0.5
_SW_OK = b"\x90\x00"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterParts:
    """What a visit works with."""

    agent_id: str
    reader: CardReader
    gateway: VerificationGateway
    trust: Callable[[], TrustStore]
    camera: Camera
    faces: FaceSupply
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    card_wait_seconds: float = 60.0
    face_limits: FaceLimits = field(default_factory=FaceLimits)
    card_types: CardTypeMemory = field(default_factory=CardTypeMemory)
    offline_standing: Callable[[Mapping[LdsFile, bytes]], ListedStanding | None] = lambda _files: None


class Visit:
    """Runs one session to its verdict; whatever happens, the session is over afterwards."""

    def __init__(self, session: CounterSession, parts: CounterParts) -> None:
        self._session = session
        self._parts = parts
        self._stopwatch = Stopwatch(session)
        self._assurance = NOTHING_PROVEN
        self._opened: SessionOpened | None = None
        self._no_gateway: VerificationError = Unavailable("no gateway")

    def run(self) -> None:
        """Every step; a fault becomes the verdict."""
        try:
            self._run()
        except VerificationError as error:
            self._conclude_with(error)
        finally:
            self._parts.camera.stop()
            if not self._session.is_over:
                # A driver or codec raised what nobody expected: the thread's hook logs it, and the
                # customer gets "internal error", never a verdict about a person.
                self._conclude_with(VerificationError("unexpected"))

    def _run(self) -> None:
        secret = access_secret(self._session.order.access)
        self._open()
        gathered = Gathered()
        card = self._take_card()
        try:
            reading, report = self._read(card, secret, gathered)
        finally:
            card.close()
        if self._opened is None:
            self._conclude_alone(reading, report)
            return
        if not report.failures and gathered.chip_fault is None:
            self._compare_face(self._opened, reading, gathered)
        self._decide(self._opened, reading, report, gathered)

    # -- 1. purpose and consent -------------------------------------------------------------

    def _open(self) -> None:
        order = self._session.order
        request = SessionRequest(
            purpose=order.purpose,
            consent=Consent(text_version=CONSENT_TEXT_VERSION, language=order.language),
            agent_id=self._parts.agent_id,
            partner_ref=order.partner_ref,
            language=order.language,
        )
        with self._stopwatch.step("open_session"):
            try:
                self._opened = self._parts.gateway.open_session(request)
            except (Unavailable, GatewayRefusal) as error:
                if isinstance(error, GatewayRefusal) and error.status < 500:
                    raise
                # The card is judged here all the same: a fake is seen at once, also with no network.
                self._no_gateway = error
        if self._opened is None:
            return
        self._session.show_gateway_session(self._opened.id)
        if self._opened.policy.face_required:
            self._parts.faces.prepare()
            self._parts.camera.start()

    # -- 2. the card -------------------------------------------------------------------------

    def _take_card(self) -> ConnectedCard:
        reader = self._parts.reader
        self._session.advance(Event.OPENED)
        if not reader.wait_for_card(0):
            self._wait_for_card(reader)
            self._stopwatch.card_placed()
        self._session.advance(Event.CARD_PLACED)
        return reader.connect()

    def _wait_for_card(self, reader: CardReader) -> None:
        until = time.monotonic() + self._parts.card_wait_seconds
        with self._stopwatch.step("wait_for_card"):
            while not reader.wait_for_card(_CARD_POLL_SECONDS):
                self._session.require_going_on()
                if time.monotonic() > until:
                    raise CardNotPresent("no card came")

    def _read(
        self, card: ConnectedCard, secret: AccessSecret, gathered: Gathered
    ) -> tuple[CardReading, InspectionReport]:
        chip = ChipDesk(card, self._parts.random, self._session.show_progress, memory=self._parts.card_types)
        with self._stopwatch.step("read"):
            reading = chip.read(secret)
        self._session.advance(Event.FILES_READ)
        report = self._inspect(reading)
        if not report.failures:
            self._prove_chip(chip, reading, gathered)
            report = self._inspect(reading)
        if gathered.chip_fault is None:
            self._show_portrait(reading, report)
        self._note_assurance(report)
        return reading, report

    def _inspect(self, reading: CardReading) -> InspectionReport:
        with self._stopwatch.step("inspect"):
            return inspect(
                reading.files,
                self._parts.trust(),
                self._parts.clock(),
                access=reading.access_result,
                chip_authentication=reading.chip_authentication,
                active_authentication=reading.active_authentication,
                chip_authentication_mapping=reading.chip_authentication_mapping,
            )

    def _show_portrait(self, reading: CardReading, report: InspectionReport) -> None:
        # An unsigned picture would be looked at as if the issuer had signed it.
        portrait = reading.portrait
        if portrait is not None and report.is_data_authentic and not report.failures:
            self._session.show_portrait(portrait)

    def _note_assurance(self, report: InspectionReport) -> None:
        if report.failures or not report.is_data_authentic:
            return
        live = report.passed(Check.CHIP_AUTHENTICATION) or report.passed(Check.ACTIVE_AUTHENTICATION)
        self._assurance = Assurance(chip=ChipAssurance.CHIP_LIVE_AGENT if live else ChipAssurance.SIGNED_DATA)

    # -- 3. the chip itself ------------------------------------------------------------------

    def _prove_chip(self, chip: ChipDesk, reading: CardReading, gathered: Gathered) -> None:
        with self._stopwatch.step("chip_proof"):
            if self._opened is None:
                chip.prove_actively(reading)
                chip.prove_locally(reading)
            elif ChipAssurance(self._opened.policy.min_chip_assurance).reaches(ChipAssurance.CHIP_LIVE_AGENT):
                self._session.advance(Event.CHIP_WANTED)
                self._prove_chip_to(self._opened, chip, reading, gathered)

    def _prove_chip_to(
        self, opened: SessionOpened, chip: ChipDesk, reading: CardReading, gathered: Gathered
    ) -> None:
        if not reading.offers_chip_authentication:
            gathered.active_authentication = chip.prove_actively(reading, opened.challenge)
            return
        request = ChipSessionRequest(
            dg14=reading.files[LdsFile.DG14], sod_length=len(reading.files[LdsFile.SOD])
        )
        commands = self._parts.gateway.start_chip_session(opened.id, request)
        try:
            responses = chip.reader.relay(commands.agent_wrapped, commands.relayed)
        except ChipAuthenticationFailed as error:
            gathered.chip_fault = error.code
            return
        # The gateway judges the answers, good or bad; a refused one only spares the customer the camera.
        gathered.chip = ChipProof(responses=responses, sealed_state=commands.sealed_state)
        if not all(response.endswith(_SW_OK) for response in responses):
            gathered.chip_fault = ChipAuthenticationFailed.code

    # -- 4. the person -----------------------------------------------------------------------

    def _compare_face(self, opened: SessionOpened, reading: CardReading, gathered: Gathered) -> None:
        dg2 = reading.files.get(LdsFile.DG2)
        if not opened.policy.face_required or dg2 is None:
            return
        self._session.advance(Event.FACE_WANTED)
        step = FaceStep(
            self._session,
            self._stopwatch,
            camera=self._parts.camera,
            faces=self._parts.faces,
            limits=self._parts.face_limits,
        )
        gathered.face = step.compare(dg2, head_turn=opened.policy.head_turn_required)

    # -- 5. the verdict ----------------------------------------------------------------------

    def _decide(
        self, opened: SessionOpened, reading: CardReading, report: InspectionReport, gathered: Gathered
    ) -> None:
        self._session.advance(Event.EVIDENCE_READY)
        evidence = build_evidence(
            opened.id,
            reading,
            gathered,
            data_groups=opened.policy.data_groups,
            captured_at=self._parts.clock(),
            timings_ms=self._session.timings_ms,
        )
        answer: Answer | None = None
        with self._stopwatch.step("decide"):
            try:
                answer = self._parts.gateway.submit_evidence(evidence)
            except (Unavailable, GatewayRefusal):
                # What was refused here stays refused, whether or not the gateway could note it.
                if not report.failures:
                    raise
        self._conclude(answer, report)

    def _conclude(self, answer: Answer | None, report: InspectionReport) -> None:
        language, seconds = self._session.order.language, self._stopwatch.seconds()
        if answer is not None and not report.failures:
            verdict = verdict_of_answer(answer, seconds, language)
        else:
            assurance = answer.decision.assurance if answer else self._assurance
            verdict = refusal(report.fault_code or UntrustedDocument.code, assurance, seconds, language)
        self._finish(verdict, answer.receipt if answer else None)

    def _conclude_alone(self, reading: CardReading, report: InspectionReport) -> None:
        """Without the gateway: a bad card is refused, of a good one it is said what the counter's list says.

        Being on the list refuses nobody: the list is of some hours ago, and may name another card by chance.
        """
        if report.failures:
            self._conclude(None, report)
            return
        error = self._no_gateway
        standing = self._parts.offline_standing(reading.files) if report.is_data_authentic else None
        if standing is not None:
            status = snapshot_age(standing.age_seconds)
            self._assurance = Assurance(chip=self._assurance.chip, status=status)
            error = CardOnStatusList("listed") if standing.is_listed else error
        self._conclude_with(error)

    def _conclude_with(self, error: VerificationError) -> None:
        language, seconds = self._session.order.language, self._stopwatch.seconds()
        self._finish(verdict_of_fault(error, self._assurance, seconds, language), None)

    def _finish(self, verdict: Verdict, receipt: str | None) -> None:
        self._session.conclude(verdict, receipt)
        logger.info(
            "visit ended",
            extra={
                "session": self._session.id,
                "outcome": str(verdict.outcome),
                "code": verdict.code,
                "assurance": str(verdict.assurance.chip),
                "ms": round(verdict.seconds * 1000),
            },
        )
