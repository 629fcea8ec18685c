"""Each gate on a picture that breaks it, and on one that does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.faces import DEMO_SEEDS, face_at
from verification.errors import FaceMultiple, FaceNotFound
from verification.face.counter import FaceDesk
from verification.face.engine import DetectedFace
from verification.face.picture import Picture
from verification.face.procedural_portrait import Capture, person, render
from verification.face.quality import assess_live, assess_portrait, only_face
from verification.messages.fault_catalogue import fault_catalogue

PORTRAIT = render(person(25), 480)
FACE = face_at(140, 150, 200)


def faults(picture: Picture, face: DetectedFace = FACE) -> tuple[str, ...]:
    return assess_live(picture, face).faults


def shifted(picture: Picture, gain: float, offset: float) -> Picture:
    return np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


def test_a_good_picture_passes_every_gate() -> None:
    assert assess_live(PORTRAIT, FACE).is_good
    assert assess_portrait(PORTRAIT, FACE).is_good


def test_light_and_focus() -> None:
    assert "FACE_TOO_DARK" in faults(shifted(PORTRAIT, 0.2, 0))
    assert "FACE_TOO_BRIGHT" in faults(shifted(PORTRAIT, 1.0, 150))
    assert "FACE_LOW_CONTRAST" in faults(shifted(PORTRAIT, 0.15, 110))
    assert "FACE_BLURRED" in faults(np.asarray(cv2.GaussianBlur(PORTRAIT, (0, 0), 8), np.uint8))
    half_dark = PORTRAIT.copy()
    half_dark[:, :240] = half_dark[:, :240] // 3
    assert "FACE_UNEVENLY_LIT" in faults(half_dark)


def test_place_and_pose() -> None:
    assert faults(PORTRAIT, face_at(200, 200, 70))[0] == "FACE_TOO_SMALL"
    assert "FACE_CUT_OFF" in faults(PORTRAIT, face_at(-60, 150, 200))
    assert "FACE_NOT_FRONTAL" in faults(PORTRAIT, face_at(140, 150, 200, turn=0.2))
    tilted = face_at(140, 150, 200)
    object.__setattr__(tilted, "eyes", ((200.0, 200.0), (280.0, 240.0)))
    assert "FACE_TILTED" in faults(PORTRAIT, tilted)


def test_a_portrait_for_a_card_has_more_gates() -> None:
    off_centre = assess_portrait(PORTRAIT, face_at(230, 150, 200)).faults
    assert "FACE_OFF_CENTRE" in off_centre
    assert "FACE_OFF_CENTRE" not in faults(PORTRAIT, face_at(230, 150, 200))
    striped = PORTRAIT.copy()
    striped[:100:2] = 20
    assert "PORTRAIT_BACKGROUND_UNEVEN" in assess_portrait(striped, FACE).faults
    assert "FACE_TOO_CLOSE" in assess_portrait(PORTRAIT, face_at(50, 60, 390)).faults


def test_the_face_that_stands_out_is_taken() -> None:
    large, small = face_at(0, 0, 200), face_at(300, 0, 100)
    assert only_face([small, large]) is large
    with pytest.raises(FaceMultiple):
        only_face([large, face_at(300, 0, 150)])
    with pytest.raises(FaceNotFound):
        only_face([])


def test_nose_offset_is_positive_to_the_pictures_right_and_ignores_tilt() -> None:
    assert face_at(0, 0, 100, turn=0.2).nose_offset == pytest.approx(0.2)
    upright = face_at(0, 0, 100)
    assert upright.nose_offset == pytest.approx(0)
    assert upright.roll_degrees == pytest.approx(0)


@pytest.mark.needs_models
@pytest.mark.parametrize("seed", [*DEMO_SEEDS, 1, 2, 3])
def test_drawn_persons_pass_the_gates_for_a_card(desk: FaceDesk, seed: int) -> None:
    report = desk.assess_portrait(render(person(seed), 480, Capture(seed=seed)))
    assert report.faults == ()


@pytest.mark.needs_models
def test_an_empty_picture_and_two_persons_are_told_apart(desk: FaceDesk) -> None:
    one, other = render(person(117), 320), render(person(68), 320)
    assert desk.assess(np.full((300, 300, 3), 128, np.uint8)).faults == ("FACE_NOT_FOUND",)
    assert desk.assess(np.hstack([one, other])).faults == ("FACE_MULTIPLE",)


def test_every_gate_has_its_sentence() -> None:
    broken = assess_portrait(np.zeros((200, 200, 3), np.uint8), face_at(-40, 0, 60, turn=0.5)).faults
    assert len(broken) >= 5
    assert set(broken) <= fault_catalogue().keys()
