"""A model that is missing or altered is refused, whatever it would answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from verification.errors import FaceModelAltered, FaceModelMissing, FaceSelfTestFailed
from verification.face import choice, self_test
from verification.face.cc0 import Cc0Engine
from verification.face.choice import alarms, choose_engine, examine_engines
from verification.face.engine import FaceEngine, Template
from verification.face.model_file import ModelPin, load_engine_models, load_model, model_lock
from verification.face.picture import Picture


def pin(content: bytes, sha256: str) -> ModelPin:
    return ModelPin("e", "detector", "model.onnx", len(content), sha256, "CC0-1.0", "", "")


def test_no_folder_means_comparison_by_eye(tmp_path: Path) -> None:
    assert choose_engine(tmp_path / "nothing") is None
    examined = examine_engines(tmp_path)
    assert examined.engine is None
    assert set(examined.refused.values()) == {FaceModelMissing.code}
    assert not alarms(examined)


@pytest.mark.parametrize("content", [b"other", b"mode", b"model and more"])
def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(FaceModelAltered):
        load_model(
            tmp_path, pin(b"model", "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4")
        )


def test_every_pin_says_where_it_comes_from_and_under_which_licence() -> None:
    lock = model_lock()
    for name, model in lock.models.items():
        assert model.licence, name
        assert model.notice, name
        assert len(model.sha256) == 64, name
        assert model.archive is None or model.archive in lock.archives, name
    assert "68" not in " ".join(model.member for model in lock.models.values())


@pytest.mark.needs_models
def test_one_changed_byte_refuses_the_engine_and_raises_the_alarm(
    engine: FaceEngine, model_directory: Path, tmp_path: Path
) -> None:
    for model in model_lock().of_engine("cc0").values():
        shutil.copyfile(model_directory / model.file, tmp_path / model.file)
    target = tmp_path / model_lock().models["cc0-recogniser"].file
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)
    examined = examine_engines(tmp_path)
    assert examined.engine is None
    assert alarms(examined) == {"cc0": FaceModelAltered.code}


class SwappedColours(Cc0Engine):
    """The fault that the known answer is for."""

    def embed(self, picture: Picture, face: object) -> Template:
        return super().embed(picture[:, :, ::-1].copy(), face)  # type: ignore[arg-type]


@pytest.mark.needs_models
def test_an_engine_with_swapped_colours_fails_its_self_test(
    engine: FaceEngine, model_directory: Path
) -> None:
    swapped = SwappedColours(load_engine_models(model_directory, "cc0"))
    with pytest.raises(FaceSelfTestFailed):
        self_test.self_test(swapped)


@pytest.mark.needs_models
def test_an_engine_that_fails_its_self_test_is_not_chosen(
    engine: FaceEngine, model_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "ENGINES", (("cc0", SwappedColours),))
    assert examine_engines(model_directory).refused == {"cc0": FaceSelfTestFailed.code}


@pytest.mark.needs_models
def test_the_pinned_answer_is_given(model_directory: Path) -> None:
    cc0 = Cc0Engine(load_engine_models(model_directory, "cc0"))
    template, impostor_score = self_test.answer(cc0)
    expected = self_test.known_answers()["cc0"]
    assert template == pytest.approx(expected.template, abs=0.01)
    assert impostor_score == pytest.approx(expected.impostor_score, abs=0.01)
    assert expected.impostor_score > cc0.thresholds.review
