"""Drawn people for the scene before the camera, and their portraits for an enrolment office."""

from __future__ import annotations

from monitoring.scene import Frames, Kind, Pose
from verification.face.image import encode_jpeg
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import person_frame, photo_frame

# Positive degrees turn to the person's own left; a photograph in a hand can be turned further.
_ANGLES = {
    Kind.LIVING: {Pose.FRONTAL: 0.0, Pose.LEFT: 28.0, Pose.RIGHT: -28.0},
    Kind.PHOTOGRAPH: {Pose.FRONTAL: 0.0, Pose.LEFT: 35.0, Pose.RIGHT: -35.0},
}
FRAMES_EACH = 4


def draw(seed: int, kind: Kind) -> Frames:
    """Camera frames, by pose, of the person of a seed or of that person's photograph in somebody's hand."""
    return {
        pose: [_frame(seed, kind, angle, number) for number in range(FRAMES_EACH)]
        for pose, angle in _ANGLES[kind].items()
    }


def portrait(seed: int) -> bytes:
    """A JPEG portrait as an enrolment officer's camera would take it."""
    return encode_jpeg(render(person(seed)))


def _frame(seed: int, kind: Kind, angle: float, number: int) -> bytes:
    if kind is Kind.LIVING:
        return encode_jpeg(person_frame(person(seed), angle, number))
    return encode_jpeg(photo_frame(render(person(seed)), angle, number))
