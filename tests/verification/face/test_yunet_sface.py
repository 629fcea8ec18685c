"""The engine of YuNet and SFace, with a recogniser of SFace's shape: its weights may not be fetched here.

The stand-in recognises drawn people by their difference from the average drawn face, so that the whole
path - files, alignment, colours, template, threshold - has right and wrong answers.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from verification.errors import FaceModelAltered
from verification.face import model_file
from verification.face.alignment import crop_to
from verification.face.choice import examine_engines
from verification.face.compare import FaceDecision
from verification.face.counter import FaceDesk
from verification.face.model_file import model_lock
from verification.face.procedural_portrait import Capture, person, render
from verification.face.quality import only_face
from verification.face.simulated_camera import Sitter
from verification.face.yunet_sface import _CROP, _TEMPLATE_POINTS, YunetDetector, YunetSfaceEngine

pytestmark = pytest.mark.shared_data

CROWD = (117, 68, 25, 166, 3, 42, 77, 201)
POOL = 4


@dataclass(frozen=True)
class Site:
    """A model folder, and the lock that approves what lies in it."""

    folder: Path
    recogniser: Path


@pytest.fixture(scope="module")
def detector_file(shared: Path) -> Path:
    return shared / "data" / "models" / "face_detection_yunet_2026may.onnx"


@pytest.fixture(scope="module")
def recogniser(detector_file: Path) -> bytes:
    """An ONNX file with SFace's input and output: 1x3x112x112 RGB to 1x128."""
    detector = YunetDetector(detector_file.read_bytes())
    crops = []
    for seed in CROWD:
        picture = render(person(seed), 480, Capture(seed=seed))
        face = only_face(detector.detect(picture))
        crop = crop_to(picture, face.landmarks, _TEMPLATE_POINTS, _CROP)
        crops.append(crop[:, :, ::-1].transpose(2, 0, 1).astype(np.float32))
    average = np.mean(crops, axis=0, keepdims=True)
    pixels = 3 * (_CROP // POOL) ** 2
    projection = np.random.default_rng(7).standard_normal((pixels, 128)).astype(np.float32) / 1000
    graph = helper.make_graph(
        [
            helper.make_node("Sub", ["data", "average"], ["difference"]),
            helper.make_node(
                "AveragePool", ["difference"], ["pooled"], kernel_shape=[POOL, POOL], strides=[POOL, POOL]
            ),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("Gemm", ["flat", "projection"], ["fc1"]),
        ],
        "shape-of-sface",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, _CROP, _CROP])],
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])],
        [numpy_helper.from_array(average, "average"), numpy_helper.from_array(projection, "projection")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    encoded: bytes = model.SerializeToString()
    return encoded


@pytest.fixture
def site(tmp_path: Path, detector_file: Path, recogniser: bytes, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that supplied both files and approved this recogniser."""
    genuine = model_lock()
    pin = msgspec.structs.replace(
        genuine.models["sface-recogniser"],
        bytes=len(recogniser),
        sha256=hashlib.sha256(recogniser).hexdigest(),
    )
    approved = msgspec.structs.replace(genuine, models=genuine.models | {"sface-recogniser": pin})
    monkeypatch.setattr(model_file, "model_lock", lambda: approved)
    shutil.copyfile(detector_file, tmp_path / detector_file.name)
    (tmp_path / pin.file).write_bytes(recogniser)
    return Site(tmp_path, tmp_path / pin.file)


def test_with_both_files_present_it_is_the_engine(site: Site) -> None:
    examined = examine_engines(site.folder)
    assert isinstance(examined.engine, YunetSfaceEngine)
    assert not examined.refused
    assert hashlib.sha256(site.recogniser.read_bytes()).hexdigest() in examined.engine.model_digests


def test_it_tells_the_holder_from_a_stranger_at_its_own_thresholds(site: Site) -> None:
    engine = examine_engines(site.folder).engine
    assert engine is not None
    desk = FaceDesk(engine)
    try:
        portraits = {seed: desk.picture_template(render(person(seed), 480)) for seed in (117, 68)}
        for holder, portrait in portraits.items():
            for customer in portraits:
                frames = [Sitter(person(customer), customer).frame(n) for n in range(3)]
                decision = desk.compare(portrait, frames).decision
                assert (decision is FaceDecision.MATCH) == (holder == customer), (holder, customer)
    finally:
        desk.close()


def test_one_altered_byte_of_the_recogniser_is_refused_aloud(site: Site) -> None:
    content = bytearray(site.recogniser.read_bytes())
    content[len(content) // 2] ^= 1
    site.recogniser.write_bytes(content)
    examined = examine_engines(site.folder)
    assert not isinstance(examined.engine, YunetSfaceEngine)
    assert examined.refused["yunet_sface"] == FaceModelAltered.code


def test_templates_are_those_of_opencv_s_own_implementation(site: Site) -> None:
    engine = examine_engines(site.folder).engine
    assert engine is not None
    theirs = cv2.FaceRecognizerSF.create(str(site.recogniser), "")
    for seed in CROWD[:4]:
        picture = render(person(seed), 480, Capture(seed=seed))
        face = only_face(engine.detect(picture))
        row = np.array(
            [face.left, face.top, face.width, face.height, *face.landmarks.ravel(), face.score], np.float32
        )
        feature = theirs.feature(theirs.alignCrop(picture, row))[0]
        ours = engine.embed(picture, face)
        assert np.linalg.norm(ours) == pytest.approx(1.0, abs=1e-5)
        assert float(ours @ feature / np.linalg.norm(feature)) > 0.999
