"""Drawn people for the scene before the camera, and their portraits and prints for who enrols them."""

from __future__ import annotations

from monitoring.stand.scene import Frames, Kind, Pose
from verification.face.image import encode_jpeg
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import HeldPhoto, Sitter
from verification.fingerprint.procedural_finger import scanned_finger, scanned_slap
from verification.lds.finger_image import SLAPS, FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS, finger_item

# Degrees of successive pictures; positive is a turn to the person's own left. A person turns until the
# page is content, and so does whoever holds a photograph before the camera.
_TURN = (38.0, 42.0, 46.0, 42.0)
_ANGLES = {
    Pose.FRONTAL: (0.0, 0.0, 0.0, 0.0),
    Pose.LEFT: _TURN,
    Pose.RIGHT: tuple(-degrees for degrees in _TURN),
}
PORTRAIT_SIZE = 480
_CAPTURE = 1  # which of a person's possible captures is drawn: its light, smile and noise


def draw(seed: int, kind: Kind) -> Frames:
    """Camera frames, by pose, of the person of a seed or of that person's photograph in somebody's hand."""
    subject = person(seed)
    before = Sitter(subject, _CAPTURE) if kind is Kind.LIVING else HeldPhoto(render(subject), _CAPTURE)
    return {
        pose: [encode_jpeg(before.frame(number, degrees)) for number, degrees in enumerate(turn)]
        for pose, turn in _ANGLES.items()
    }


def portrait(seed: int, size: int = PORTRAIT_SIZE) -> bytes:
    """A JPEG portrait of ``size`` pixels a side, as an enrolment officer's camera would take it."""
    return encode_jpeg(render(person(seed), size))


def prints(seed: int) -> dict[str, bytes]:
    """Ten prints as a kit's scanner would leave them, by the name of the finger."""
    return {finger_item(each): scanned_finger(seed, FingerPosition(each)) for each in SINGLE_FINGERS}


def slaps(seed: int) -> dict[str, bytes]:
    """Four right fingers, four left ones and both thumbs as the same scanner would leave them."""
    return {finger_item(each): scanned_slap(seed, each) for each in SLAPS}
