"""The person at the counter against the portrait in the chip: by the engine, or by the teller's eye."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from reader_agent.face_supply import FaceSupply
from reader_agent.ports import Camera, FaceMatcher, FaceResult, FaceTurn, Frame, Pixels
from reader_agent.refusals import CameraUnavailable, FaceEngineUnavailable, FaceRefusedByTeller
from reader_agent.session.counter_session import CounterSession
from reader_agent.session.state import Event
from reader_agent.session.stopwatch import Stopwatch
from verification.errors import (
    FaceFramesTooFew,
    FaceNotVerified,
    FaceQualityInsufficient,
    MalformedDocument,
    PortraitFaceNotFound,
    VerificationError,
)
from verification.messages.evidence import FaceClaim

FRAMES = 3
"""Averaging three good frames removes the errors of single ones (FACE 0: FNMR 0.56 % -> 0)."""

PASSED = "passed"
TURN_NOT_REQUIRED, TURN_PASSED, TURN_FAILED = "not required", PASSED, "failed"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceLimits:
    """Seconds that each part may take."""

    engine: float = 10.0
    frame: float = 3.0
    capture: float = 8.0
    turn: float = 12.0
    by_eye: float = 120.0


class FaceStep:
    """One comparison. Raises only what stops the visit; a face that does not match is a claim."""

    def __init__(
        self,
        session: CounterSession,
        stopwatch: Stopwatch,
        *,
        camera: Camera,
        faces: FaceSupply,
        limits: FaceLimits,
    ) -> None:
        self._session = session
        self._stopwatch = stopwatch
        self._camera = camera
        self._faces = faces
        self._limits = limits
        self._straight_jpeg = b""

    def compare(self, dg2: bytes, *, head_turn: bool) -> FaceClaim:
        """The claim about the face; by eye where no engine or no camera works here."""
        digest = hashlib.sha256(dg2).digest()
        try:
            with self._stopwatch.step("face_engine"):
                matcher = self._faces.matcher(self._limits.engine)
            return self._by_engine(matcher, dg2, _Claims(matcher, digest), head_turn=head_turn)
        except (FaceEngineUnavailable, CameraUnavailable, PortraitFaceNotFound) as cause:
            logger.warning("comparing by eye", extra={"session": self._session.id, "code": cause.code})
            return self._by_eye(cause.code, digest)

    def _by_engine(self, matcher: FaceMatcher, dg2: bytes, claims: _Claims, *, head_turn: bool) -> FaceClaim:
        turn = matcher.begin_turn() if head_turn else None
        try:
            with self._stopwatch.step("portrait"):
                matcher.remember_portrait(dg2)
            with self._stopwatch.step("face"):
                frames = self._straight_of(turn, matcher) if turn else self._capture(matcher)
                result = turn.compare() if turn else matcher.compare(frames)
            if turn is None or not result.matched:
                return claims.compared(result, len(frames))
            with self._stopwatch.step("head_turn"):
                code = self._turn(turn)
        except PortraitFaceNotFound:
            raise
        except (FaceNotVerified, MalformedDocument) as fault:
            return claims.without_score(_reason(fault))
        return claims.turned(result, len(frames), code)

    def _capture(self, matcher: FaceMatcher) -> list[Pixels]:
        """Three frames good enough to compare; raises FaceNotVerified with the last reason."""
        frames: list[Pixels] = []
        hint: str | None = None
        until = time.monotonic() + self._limits.capture
        while len(frames) < FRAMES:
            frame = self._frame(until, hint)
            hint = matcher.fault_of(frame.pixels)
            self._session.show_live(frame.jpeg, hint)
            if hint is None:
                frames.append(frame.pixels)
        return frames

    def _straight_of(self, turn: FaceTurn, matcher: FaceMatcher) -> Sequence[Pixels]:
        """The straight pictures of the challenge itself: nobody can step in between the two checks."""
        hint: str | None = None
        until = time.monotonic() + self._limits.capture
        while not turn.is_turning:
            frame = self._frame(until, hint)
            taken = len(turn.straight)
            if turn.observe(frame.pixels) is not None:
                raise FaceQualityInsufficient(turn.code or FaceNotVerified.code)
            # Only a picture that was not taken is looked at twice: the teller needs to know why.
            hint = matcher.fault_of(frame.pixels) if len(turn.straight) == taken else None
            self._session.show_live(frame.jpeg, hint)
            self._straight_jpeg = frame.jpeg
        return turn.straight

    def _turn(self, turn: FaceTurn) -> str | None:
        """Why the head turn failed, None when it was shown."""
        self._session.advance(Event.TURN_WANTED)
        until = time.monotonic() + self._limits.turn
        ended: str | None = None
        while ended is None:
            self._session.show_direction(turn.direction)
            if time.monotonic() > until:
                return turn.expire()
            frame = self._camera.frame(self._limits.frame)
            self._session.require_going_on()
            ended = turn.observe(frame.pixels)
            self._session.show_live(frame.jpeg, None)
        self._session.show_direction(None)
        # Beside the portrait belongs the face that was compared with it, not the turned head.
        self._session.show_live(self._straight_jpeg, None)
        return None if ended == PASSED else turn.code or FaceNotVerified.code

    def _frame(self, until: float, hint: str | None) -> Frame:
        """The next picture, while there is time; raises FaceNotVerified with the last reason afterwards."""
        if time.monotonic() > until:
            raise FaceQualityInsufficient(hint or FaceFramesTooFew.code)
        frame = self._camera.frame(self._limits.frame)
        self._session.require_going_on()
        return frame

    def _by_eye(self, cause: str, digest: bytes) -> FaceClaim:
        self._session.advance(Event.EYE_WANTED)
        with self._stopwatch.step("by_eye"):
            answer = self._session.wait_for_manual_face(cause, self._limits.by_eye)
        return FaceClaim(
            method="manual",
            matched=answer.matched,
            code=None if answer.matched else FaceRefusedByTeller.code,
            portrait_digest=digest,
            # The cause is ours, the reason the teller's: an auditor reads both.
            manual_reason=f"{cause}: {answer.reason}",
        )


def _reason(fault: VerificationError) -> str:
    """The gate that did not hold says more than that one did not."""
    return fault.gate if isinstance(fault, FaceQualityInsufficient) else fault.code


@dataclass(frozen=True, slots=True)
class _Claims:
    """Claims of one engine about one portrait."""

    matcher: FaceMatcher
    digest: bytes

    def without_score(self, code: str) -> FaceClaim:
        return self._claim(None, 0, code, TURN_NOT_REQUIRED)

    def compared(self, result: FaceResult, frames: int) -> FaceClaim:
        return self._claim(result, frames, result.code, TURN_NOT_REQUIRED)

    def turned(self, result: FaceResult, frames: int, code: str | None) -> FaceClaim:
        return self._claim(result, frames, code, TURN_FAILED if code else TURN_PASSED)

    def _claim(self, result: FaceResult | None, frames: int, code: str | None, head_turn: str) -> FaceClaim:
        return FaceClaim(
            method="engine",
            matched=result is not None and code is None and result.matched,
            code=code,
            portrait_digest=self.digest,
            engine=self.matcher.engine,
            model_digests=self.matcher.model_digests,
            score=result.score if result else None,
            threshold=result.threshold if result else None,
            frames=frames,
            head_turn=head_turn,
        )
