"""Drawn people for the scene before the camera, and their portraits for an enrolment office."""

from __future__ import annotations

from monitoring.scene import Frames, Kind, Pose
from verification.face.image import encode_jpeg
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import person_frame, photo_frame

# Degrees of successive pictures; positive is a turn to the person's own left. A person turns until the
# page is content, and so does whoever holds a photograph before the camera.
_TURN = (38.0, 42.0, 46.0, 42.0)
_ANGLES = {
    Pose.FRONTAL: (0.0, 0.0, 0.0, 0.0),
    Pose.LEFT: _TURN,
    Pose.RIGHT: tuple(-degrees for degrees in _TURN),
}


def draw(seed: int, kind: Kind) -> Frames:
    """Camera frames, by pose, of the person of a seed or of that person's photograph in somebody's hand."""
    return {
        pose: [_frame(seed, kind, degrees, number) for number, degrees in enumerate(turn)]
        for pose, turn in _ANGLES.items()
    }


def portrait(seed: int) -> bytes:
    """A JPEG portrait as an enrolment officer's camera would take it."""
    return encode_jpeg(render(person(seed)))


def _frame(seed: int, kind: Kind, degrees: float, number: int) -> bytes:
    if kind is Kind.LIVING:
        return encode_jpeg(person_frame(person(seed), degrees, number))
    return encode_jpeg(photo_frame(render(person(seed)), degrees, number))
