"""The head-turn challenge: a photo has no nose that stands out.

The customer looks straight, then turns to one side and to the other, in an order drawn anew each
time. When a real head turns, the base of the nose moves against the eyes; a print moves as a whole.
Every picture must show the person of the first ones. This stops prints and stills. It does not stop
a screen that replays or computes a face, nor a mask: the teller's presence is part of the check, and
no conformance with ISO/IEC 30107-3 is claimed.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from verification.errors import FaceChanged, FaceMultiple, FaceNotFound
from verification.face.compare import MIN_FRAMES, mean_template
from verification.face.engine import DetectedFace, FaceEngine, Template, is_at_least_as_close
from verification.face.picture import Picture
from verification.face.quality import assess_live, only_face

LEFT, RIGHT = "left", "right"

MAX_PICTURES = 240
"""A challenge that is not done after this many pictures has failed."""

_HELD = 2  # successive pictures that must show the turn: one may be a landmark's slip
_MAX_LOST = 12  # successive pictures without a usable face
_MAX_STRANGE = 2  # successive pictures of somebody else


class TurnState(StrEnum):
    """Where the challenge stands; the customer acts next in the first two."""

    LOOK_STRAIGHT = "look_straight"
    TURN = "turn"
    PASSED = "passed"
    FAILED = "failed"


class HeadTurnChallenge:
    """Fed with camera pictures, it says what to ask for and how it ended.

    ``random`` gives unpredictable bytes: whoever knows the order can prepare a recording.
    """

    def __init__(self, engine: FaceEngine, random: Callable[[int], bytes]) -> None:
        self._engine = engine
        self._sides = [LEFT, RIGHT] if random(1)[0] & 1 else [RIGHT, LEFT]
        self._done = 0
        self._pictures = 0
        self._held = self._wrong = self._lost = self._strange = 0
        self._straight: list[tuple[Picture, Template, float]] = []
        self._reference: Template | None = None
        self._baseline = 0.0
        self.state = TurnState.LOOK_STRAIGHT
        self.code: str | None = None

    @property
    def direction(self) -> str | None:
        """Where the customer should turn now, seen by the customer; None for straight ahead."""
        return self._sides[self._done] if self.state is TurnState.TURN else None

    @property
    def frontal_pictures(self) -> tuple[Picture, ...]:
        """The straight pictures of this very challenge: the ones to compare with the portrait."""
        return tuple(picture for picture, _, _ in self._straight)

    @property
    def frontal_templates(self) -> tuple[Template, ...]:
        """The templates of those straight pictures."""
        return tuple(template for _, template, _ in self._straight)

    def observe(self, picture: Picture) -> TurnState:
        """Take the next picture."""
        if self.state in {TurnState.PASSED, TurnState.FAILED}:
            return self.state
        self._pictures += 1
        if self._pictures > MAX_PICTURES:
            return self._fail("FACE_TURN_NOT_SHOWN")
        try:
            face = only_face(self._engine.detect(picture))
        except (FaceNotFound, FaceMultiple):
            return self._lose()
        self._lost = 0
        if self.state is TurnState.LOOK_STRAIGHT:
            return self._look_straight(picture, face)
        return self._turn(picture, face)

    def expire(self) -> TurnState:
        """The caller's time is up."""
        if self.state in {TurnState.PASSED, TurnState.FAILED}:
            return self.state
        return self._fail("FACE_TURN_NOT_SHOWN" if self._straight else "FACE_NOT_FOUND")

    def _look_straight(self, picture: Picture, face: DetectedFace) -> TurnState:
        if assess_live(picture, face).is_good:
            template = self._engine.embed(picture, face)
            self._straight.append((picture, template, face.nose_offset))
        if len(self._straight) < MIN_FRAMES:
            return self.state
        try:
            self._reference = mean_template(self._engine, [template for _, template, _ in self._straight])
        except FaceChanged as changed:
            return self._fail(changed.code)
        self._baseline = sum(offset for _, _, offset in self._straight) / len(self._straight)
        self.state = TurnState.TURN
        return self.state

    def _turn(self, picture: Picture, face: DetectedFace) -> TurnState:
        if not self._is_same_person(picture, face):
            self._held = 0
            self._strange += 1
            return self._fail("FACE_CHANGED") if self._strange > _MAX_STRANGE else self.state
        self._strange = 0
        moved = face.nose_offset - self._baseline
        towards = moved if self.direction == LEFT else -moved
        self._held = self._held + 1 if towards >= self._engine.turn_offset else 0
        # After the first turn the head comes back from the other side, so only the first can be wrong.
        is_wrong = self._done == 0 and -towards >= self._engine.turn_offset
        self._wrong = self._wrong + 1 if is_wrong else 0
        if self._wrong >= _HELD:
            return self._fail("FACE_TURN_WRONG_SIDE")
        if self._held >= _HELD:
            self._held = 0
            self._done += 1
        if self._done == len(self._sides):
            self.state = TurnState.PASSED
        return self.state

    def _is_same_person(self, picture: Picture, face: DetectedFace) -> bool:
        if self._reference is None:
            return False
        score = self._engine.compare(self._reference, self._engine.embed(picture, face))
        return is_at_least_as_close(self._engine, score, self._engine.thresholds.review)

    def _lose(self) -> TurnState:
        self._held = 0
        self._lost += 1
        # Before the turn the customer may still be sitting down.
        if self.state is TurnState.TURN and self._lost > _MAX_LOST:
            return self._fail("FACE_LOST_DURING_TURN")
        return self.state

    def _fail(self, code: str) -> TurnState:
        self.state, self.code = TurnState.FAILED, code
        return self.state
