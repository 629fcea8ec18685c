"""Writing ONNX by hand and reading dlib's numbers: small cases with known answers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import MalformedDocument
from verification.face.conversion.detector import convert_detector
from verification.face.conversion.dlib_archive import DlibReader, find_layers
from verification.face.conversion.onnx_writer import Graph
from verification.face.conversion.recogniser import convert_recogniser
from verification.face.conversion.shape_predictor import convert_shape_predictor
from verification.face.inference import Network
from verification.face.model_file import load_model, model_lock


def integer(value: int) -> bytes:
    magnitude = abs(value).to_bytes((abs(value).bit_length() + 7) // 8 or 1, "little")
    return bytes([len(magnitude) | (0x80 if value < 0 else 0)]) + magnitude


def test_a_written_graph_is_a_valid_model_and_computes() -> None:
    graph = Graph("sum")
    graph.node("Add", ["input", graph.constant("two", np.array([2.0], np.float32))], "sum")
    graph.node("MaxPool", ["sum"], "result", kernel_shape=[2, 2], strides=[2, 2])
    model = graph.model(("input", (1, 1, "H", "W")), ("result", (1, 1, "h", "w")), producer="test")

    onnx.checker.check_model(onnx.load_from_string(model))
    answer = Network(model).run(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4))
    assert answer[0, 0].tolist() == [[7.0, 9.0], [15.0, 17.0]]


@given(st.integers(-(2**60), 2**60))
def test_an_integer_reads_back(value: int) -> None:
    assert DlibReader(integer(value)).integer() == value


def test_a_number_is_mantissa_and_exponent() -> None:
    assert DlibReader(integer(-3) + integer(-2)).number() == -0.75


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        DlibReader(integer(1) + integer(32_000)).number()


@pytest.mark.parametrize("claimed", [9_000_000, 2**60])
def test_a_tensor_larger_than_any_layer_is_refused(claimed: int) -> None:
    sizes = integer(2) + integer(claimed) + integer(1) * 3
    with pytest.raises(MalformedDocument):
        DlibReader(sizes).tensor()


def test_text_that_only_looks_like_a_tag_is_passed_over() -> None:
    real = b"\x01\x05con_4" + integer(2) + integer(1) * 4 + np.float32(1.5).tobytes()
    fake = b"\x01\x05con_4\x0f\xff"
    layers = find_layers(fake + real + integer(7) * 7, r"con_\d")
    assert [(layer.numbers.tolist(), layer.settings) for layer in layers] == [([1.5], (7,) * 7)]


@pytest.mark.parametrize("convert", [convert_recogniser, convert_detector, convert_shape_predictor])
@pytest.mark.parametrize("content", [b"", b"\x01\x01", bytes(5000), b"\x01\x05con_4" * 40])
def test_what_is_no_model_is_refused(convert: object, content: bytes) -> None:
    assert callable(convert)
    with pytest.raises(MalformedDocument):
        convert(content)


@pytest.mark.needs_models
@pytest.mark.shared_data
@pytest.mark.parametrize("model", ["cc0-detector", "cc0-recogniser"])
def test_our_models_are_the_ones_checked_against_dlib(
    model: str, model_directory: Path, shared: Path
) -> None:
    pin = model_lock().models[model]
    reference = shared / "data" / "models" / pin.file
    assert hashlib.sha256(reference.read_bytes()).hexdigest() == pin.sha256
    assert load_model(model_directory, pin) == reference.read_bytes()


@pytest.mark.needs_models
@pytest.mark.shared_data
def test_our_landmark_trees_are_the_ones_checked_against_dlib(model_directory: Path, shared: Path) -> None:
    reference = np.load(shared / "data" / "models" / "dlib_sp5_cc0.npz")
    ours = np.load(model_directory / model_lock().models["cc0-landmarks"].file)
    names = {"first": "s1", "second": "s2", "threshold": "th", "leaf": "lv", "anchor": "a", "offset": "d"}
    assert np.array_equal(ours["mean_shape"].ravel(), reference["init"])
    for name, short in names.items():
        for cascade in range(15):
            assert np.array_equal(ours[name][cascade], reference[f"{short}_{cascade}"]), (name, cascade)
