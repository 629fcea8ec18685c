"""The whole path of a counter on drawn persons, and on consenting ones where their pictures are."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.faces import DEMO_SEEDS, ScriptedEngine, chip_dg2, dg2_of
from verification.errors import ImageUndecodable, MalformedDocument, PortraitFaceNotFound
from verification.face.compare import FaceDecision
from verification.face.counter import FaceDesk
from verification.face.procedural_portrait import Capture, person, render
from verification.face.simulated_camera import HeldPhoto, Sitter, webcam_frame
from verification.face.yunet_sface import YunetDetector
from verification.lds.dg2 import Dg2, build_dg2


@pytest.mark.needs_models
def test_the_demo_persons_separate_at_the_real_threshold(desk: FaceDesk) -> None:
    templates = {seed: desk.portrait_template(chip_dg2(seed, desk)) for seed in DEMO_SEEDS}
    frames = {seed: [Sitter(person(seed), seed + 7).frame(n) for n in range(3)] for seed in DEMO_SEEDS}
    for holder, customer in itertools.product(DEMO_SEEDS, repeat=2):
        compared = desk.compare(templates[holder], frames[customer])
        assert compared.is_match == (holder == customer), (holder, customer, compared.score)
        assert compared.threshold == 0.45


@pytest.mark.needs_models
def test_the_first_two_demo_persons_are_told_apart_without_anyone_deciding(desk: FaceDesk) -> None:
    template = desk.portrait_template(chip_dg2(117, desk))
    compared = desk.compare(template, [Sitter(person(68), 3).frame(n) for n in range(3)])
    assert compared.code == "FACE_NOT_MATCHED"


@pytest.mark.needs_models
def test_a_portrait_without_a_face_is_for_the_eye(desk: FaceDesk) -> None:
    with pytest.raises(PortraitFaceNotFound):
        desk.portrait_template(dg2_of(np.full((320, 240, 3), 128, np.uint8)))


def test_dg2_that_is_none_is_refused() -> None:
    desk = FaceDesk(ScriptedEngine({}))
    with pytest.raises(MalformedDocument):
        desk.portrait_template(b"\x75\x03\x02\x01\x00")
    with pytest.raises((ImageUndecodable, MalformedDocument)):
        desk.portrait_template(build_dg2(Dg2(())))


@pytest.mark.needs_models
def test_a_portrait_cut_for_a_card_still_shows_the_person(desk: FaceDesk) -> None:
    captured = render(person(25), 480, Capture(seed=4))
    cut = desk.card_portrait(captured)
    assert cut.shape == (320, 240, 3)
    assert desk.same_person(captured, cut)
    assert not desk.same_person(render(person(117), 480), cut)


@pytest.mark.needs_models
@pytest.mark.shared_data
def test_consenting_people_match_themselves_and_nobody_else(desk: FaceDesk, shared: Path) -> None:
    pictures = sorted((shared / "data" / "faces" / "london").glob("*_neutral.jpg"))[:8]
    portraits, frames = {}, {}
    for path in pictures:
        name = path.name.split("_")[0]
        smiling = cv2.imread(str(path.with_name(f"{name}_smiling.jpg")))
        portraits[name] = desk.portrait_template(dg2_of(desk.card_portrait(cv2.imread(str(path)))))
        frames[name] = [webcam_frame(cv2.resize(smiling, (480, 480)), seed=n) for n in range(3)]
    decisions = {
        (holder, customer): desk.compare(portraits[holder], frames[customer]).decision
        for holder, customer in itertools.product(portraits, repeat=2)
    }
    strangers = {decision for (one, other), decision in decisions.items() if one != other}
    genuine = [decision for (one, other), decision in decisions.items() if one == other]
    assert strangers == {FaceDecision.NO_MATCH}
    # A broad smile against a neutral portrait may be one for the supervisor; it is never a "no".
    assert FaceDecision.NO_MATCH not in genuine
    assert genuine.count(FaceDecision.MATCH) >= 7


@pytest.mark.shared_data
def test_the_other_detector_sees_the_same_faces(shared: Path) -> None:
    model = shared / "data" / "models" / "face_detection_yunet_2026may.onnx"
    detector = YunetDetector(model.read_bytes())
    sitter, photo = Sitter(person(68), 5), HeldPhoto(render(person(68), 480), 5)
    (face,) = detector.detect(sitter.frame(0))
    assert face.score > 0.8
    assert face.width == pytest.approx(0.36 * 480, rel=0.25)
    straight = face.nose_offset
    assert detector.detect(sitter.frame(1, 35))[0].nose_offset - straight > 0.14
    assert straight - detector.detect(sitter.frame(2, -35))[0].nose_offset > 0.14
    assert abs(detector.detect(photo.frame(3, 35))[0].nose_offset - straight) < 0.14
    assert detector.detect(np.full((200, 300, 3), 99, np.uint8)) == []
