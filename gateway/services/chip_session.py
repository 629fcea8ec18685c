"""The gateway proves the chip itself: it holds the key agreement, the counter only relays.

The commands are made in advance, because the send sequence counter is deterministic and the chip's
public key stands in DG14. What the gateway must remember travels with the counter, sealed: any
worker can finish what another began, and a restart loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.domain.partner import Caller
from gateway.domain.session import Session
from gateway.ports import Clock, Random, Sessions
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.remote_chip_authentication import begin, finish
from verification.errors import (
    ActiveAuthenticationFailed,
    ChipAuthenticationFailed,
    RequestMalformed,
    VerificationError,
)
from verification.inspection.report import PASSED, CheckResult, Outcome
from verification.lds.files import CardFiles, LdsFile
from verification.messages.evidence import CardEvidence
from verification.messages.seal import Sealer
from verification.messages.verification_session import ChipCommands, ChipProof, ChipSessionRequest

MAX_FILE = 65_535
"""A short file identifier's offset reaches no further (ISO/IEC 7816-4, 7.2.3)."""


class ChipSessions:
    """Begins chip authentication for a session, and judges what came back with its evidence."""

    def __init__(self, sessions: Sessions, sealer: Sealer, clock: Clock, random: Random) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._clock = clock
        self._random = random

    def begin(self, caller: Caller, session_id: str, request: ChipSessionRequest) -> ChipCommands:
        """The commands for the counter; raises MalformedDocument for a DG14 that cannot be used."""
        if not 0 < request.sod_length <= MAX_FILE or len(request.dg14) > MAX_FILE:
            raise RequestMalformed("a file has between 1 and 65535 bytes")
        session = self._sessions.get(session_id)
        session.require_owner(caller)
        self._sessions.chip_begun(session_id, self._clock())
        started = begin(request.dg14, request.sod_length, random=self._random)
        # The face is compared in between, so the state lives as long as its session.
        sealed = self._sealer.seal(started.state, _context(session, caller), session.expires_at)
        return ChipCommands(started.agent_wrapped, started.relayed, sealed)

    def opened_state(self, session: Session, caller: Caller, proof: ChipProof, now: datetime) -> bytes:
        """What was sealed at the beginning; raises SealBroken, also for another session's or agent's."""
        return self._sealer.open(proof.sealed_state, _context(session, caller), now)


def chip_authentication_of(
    state: bytes | None, evidence: CardEvidence, files: CardFiles
) -> CheckResult | None:
    """Whether the chip holds the private key to DG14; None when it was not asked.

    Both DG14 and EF.SOD are among the files.
    """
    if state is None or evidence.chip is None:
        return None
    try:
        finish(state, evidence.chip.responses, dg14=files[LdsFile.DG14], sod=files[LdsFile.SOD])
    except VerificationError as fault:
        # Whatever the answers are - cut short, not protected, of another form - they prove no key.
        return CheckResult(Outcome.FAILED, ChipAuthenticationFailed.code, type(fault).__name__)
    return PASSED


def active_authentication_of(
    challenge: bytes, evidence: CardEvidence, files: Mapping[LdsFile, bytes]
) -> CheckResult | None:
    """Whether the chip holds the private key to DG15; None when there is no signature or no DG15."""
    proof = evidence.active_authentication
    if proof is None or LdsFile.DG15 not in files:
        return None
    try:
        verify_active_authentication(
            files[LdsFile.DG15], challenge, proof.signature, dg14=files.get(LdsFile.DG14)
        )
    except VerificationError as fault:
        return CheckResult(Outcome.FAILED, ActiveAuthenticationFailed.code, type(fault).__name__)
    return PASSED


def _context(session: Session, caller: Caller) -> str:
    # A session may be open to every agent of its partner: what one began another cannot finish.
    return f"chip-session:{session.id}:{caller.agent}"
