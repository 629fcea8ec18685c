from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from issuance_backend.personalization.portrait_judge import EngineJudge, judge_from
from issuance_backend.personalization.portrait_pictures import card_picture
from tests.support.issuance_office import picture
from verification.errors import ImageUndecodable
from verification.face.image import encode_jpeg
from verification.face.procedural_portrait import person, render

pytestmark = pytest.mark.needs_models


@pytest.fixture(scope="module")
def judge(model_directory: Path) -> EngineJudge:
    found = judge_from(model_directory)
    assert isinstance(found, EngineJudge)
    return found


@pytest.mark.parametrize("seed", [117, 68, 25, 166])
def test_a_good_portrait_has_no_fault(judge: EngineJudge, seed: int) -> None:
    assert judge.faults(encode_jpeg(render(person(seed), 640))) == ()


def test_a_picture_of_nobody_is_said_to_show_nobody(judge: EngineJudge) -> None:
    assert judge.faults(picture()) == ("FACE_NOT_FOUND",)


def test_a_dark_and_a_blurred_portrait_are_told_apart(judge: EngineJudge) -> None:
    drawn = render(person(117), 640)
    dark = (drawn * 0.25).astype(np.uint8)
    assert "FACE_TOO_DARK" in judge.faults(encode_jpeg(dark))
    assert "FACE_BLURRED" in judge.faults(
        encode_jpeg(np.asarray(cv2.GaussianBlur(drawn, (31, 31), 9), np.uint8))
    )


def test_bytes_that_do_not_decode_are_a_fault_and_no_crash(judge: EngineJudge) -> None:
    assert judge.faults(b"\xff\xd8\xff" + bytes(200)) == ("PORTRAIT_UNDECODABLE",)


def test_without_models_there_is_no_judge(tmp_path: Path) -> None:
    assert judge_from(None).engine is None
    assert judge_from(tmp_path).engine is None


def test_a_few_bytes_that_claim_a_huge_picture_are_not_decoded() -> None:
    small = io.BytesIO()
    Image.new("L", (8_000, 4_000)).save(small, "JPEG", quality=1)
    assert len(small.getvalue()) < 600_000
    with pytest.raises(ImageUndecodable):
        card_picture(small.getvalue())
