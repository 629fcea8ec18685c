"""The face desk of ``verification.face`` as the counter uses it. Importing this module costs 100 MB."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from reader_agent.ports import FaceMatcher, FaceResult, FaceTurn, Pixels
from verification.errors import FaceNotVerified
from verification.face.choice import alarms, examine_engines
from verification.face.compare import FaceComparison
from verification.face.counter import FaceDesk
from verification.face.engine import Template
from verification.face.image import decode_portrait, encode_jpeg
from verification.face.presentation_attack import HeadTurnChallenge, TurnState

logger = logging.getLogger(__name__)


class EngineMatcher:
    """One engine; the template of the portrait stays in memory until the next one."""

    def __init__(self, desk: FaceDesk) -> None:
        self._desk = desk
        self._portrait: Template | None = None

    @property
    def engine(self) -> str:
        """The engine's id."""
        return self._desk.engine.id

    @property
    def model_digests(self) -> tuple[str, ...]:
        """SHA-256 of every model in use."""
        return self._desk.engine.model_digests

    def get_ready(self) -> None:
        """Forget the last portrait and start the decoder that the next one needs."""
        self._portrait = None
        self._desk.prepare()

    def remember_portrait(self, dg2: bytes) -> None:
        """Make the template of the portrait in DG2. Raises MalformedDocument or FaceNotVerified."""
        self._portrait = self._desk.portrait_template(dg2)

    def fault_of(self, pixels: Pixels) -> str | None:
        """The first quality gate that does not hold."""
        faults = self._desk.assess(pixels).faults
        return faults[0] if faults else None

    def compare(self, frames: Sequence[Pixels]) -> FaceResult:
        """Compare the mean of the frames with the portrait. Raises FaceNotVerified."""
        return _result(self._desk.compare(self._remembered(), frames))

    def begin_turn(self) -> FaceTurn:
        """A fresh challenge in an order that nobody can know."""
        challenge = self._desk.head_turn(secrets.token_bytes)
        return _Turn(challenge, lambda: _result(self._desk.compare_straight(self._remembered(), challenge)))

    def _remembered(self) -> Template:
        if self._portrait is None:
            raise FaceNotVerified("no portrait to compare with")
        return self._portrait


def _result(compared: FaceComparison) -> FaceResult:
    return FaceResult(compared.score, compared.threshold, compared.is_match, compared.code)


class _Turn:
    """A HeadTurnChallenge behind the port."""

    def __init__(self, challenge: HeadTurnChallenge, compare: Callable[[], FaceResult]) -> None:
        self._challenge = challenge
        self.compare = compare

    @property
    def direction(self) -> str | None:
        return self._challenge.direction

    @property
    def straight(self) -> Sequence[Pixels]:
        return self._challenge.frontal_pictures

    @property
    def is_turning(self) -> bool:
        return self._challenge.state is not TurnState.LOOK_STRAIGHT

    @property
    def code(self) -> str | None:
        return self._challenge.code

    def observe(self, pixels: Pixels) -> str | None:
        state = self._challenge.observe(pixels)
        return state.value if state in {TurnState.PASSED, TurnState.FAILED} else None

    def expire(self) -> str:
        self._challenge.expire()
        return self._challenge.code or FaceNotVerified.code


def load_engine_matcher(model_dir: Path) -> FaceMatcher | None:
    """The best engine whose files are complete, unaltered and answer right; None for none."""
    choice = examine_engines(model_dir)
    for name, code in alarms(choice).items():
        logger.error("face engine refused", extra={"engine": name, "code": code})
    return EngineMatcher(FaceDesk(choice.engine)) if choice.engine else None


def jpeg_from_portrait(image: bytes) -> bytes:
    """Any portrait of a chip as JPEG; raises ImageUndecodable or LimitExceeded."""
    return encode_jpeg(decode_portrait(image))
