"""Averaging, thresholds and what each score means."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.faces import ScriptedEngine, face_at, picture_number
from verification.errors import (
    FaceChanged,
    FaceFramesTooFew,
    FaceMultiple,
    FaceNotFound,
    FaceQualityInsufficient,
)
from verification.face.compare import FaceDecision, compare_templates
from verification.face.counter import FaceDesk
from verification.face.engine import Thresholds

SEEN = (face_at(40, 40, 120),)


def templates(*values: float) -> list[np.ndarray]:
    return [np.array([value], np.float32) for value in values]


@pytest.mark.parametrize(
    ("distance", "decision", "code"),
    [
        (0.45, FaceDecision.MATCH, None),
        (0.4501, FaceDecision.REVIEW, "FACE_REVIEW_NEEDED"),
        (0.52, FaceDecision.REVIEW, "FACE_REVIEW_NEEDED"),
        (0.5201, FaceDecision.NO_MATCH, "FACE_NOT_MATCHED"),
    ],
)
def test_limits_of_a_distance(distance: float, decision: FaceDecision, code: str | None) -> None:
    engine = ScriptedEngine({})
    compared = compare_templates(
        engine, np.array([distance], np.float64).astype(np.float64), templates(0, 0, 0)
    )
    assert (compared.decision, compared.code) == (decision, code)
    assert compared.is_match == (decision is FaceDecision.MATCH)


def test_a_similarity_is_compared_the_other_way() -> None:
    class Cosine(ScriptedEngine):
        def compare(self, one: np.ndarray, other: np.ndarray) -> float:
            return 1 - super().compare(one, other)

    engine = Cosine({}, smaller_is_closer=False, thresholds=Thresholds(0.5, 0.4, 0.55))
    found = [
        compare_templates(engine, *pair).decision
        for pair in (
            (np.array([0.3]), templates(0, 0, 0)),
            (np.array([0.55]), templates(0, 0, 0)),
            (np.array([0.9]), templates(0, 0, 0)),
        )
    ]
    assert found == [FaceDecision.MATCH, FaceDecision.REVIEW, FaceDecision.NO_MATCH]


def test_templates_are_averaged_not_scores() -> None:
    compared = compare_templates(ScriptedEngine({}), np.array([0.0]), templates(-0.4, 0.4, 0.0))
    assert compared.score == pytest.approx(0)
    assert compared.frames == 3


def test_two_pictures_are_too_few() -> None:
    with pytest.raises(FaceFramesTooFew):
        compare_templates(ScriptedEngine({}), np.array([0.0]), templates(0, 0))


def test_pictures_of_two_persons_are_not_mixed() -> None:
    with pytest.raises(FaceChanged):
        compare_templates(ScriptedEngine({}), np.array([0.0]), templates(0, 0, 0, 1.2))


def test_bad_pictures_are_left_out_and_named_when_too_few_remain() -> None:
    two = (face_at(0, 0, 90), face_at(100, 0, 90))
    small = (face_at(60, 60, 60),)
    desk = FaceDesk(ScriptedEngine({1: SEEN, 2: (), 3: two, 4: small}))
    portrait = np.array([0.0], np.float32)
    good, none, many, tiny = (picture_number(number) for number in (1, 2, 3, 4))
    assert desk.compare(portrait, [good, none, good, tiny, good, many]).frames == 3
    with pytest.raises(FaceNotFound):
        desk.compare(portrait, [good, none, none, tiny])
    with pytest.raises(FaceMultiple):
        desk.compare(portrait, [good, good, many])
    with pytest.raises(FaceFramesTooFew):
        desk.compare(portrait, [good, good])
    with pytest.raises(FaceQualityInsufficient) as refused:
        desk.compare(portrait, [good, good, tiny])
    assert refused.value.gate == "FACE_TOO_SMALL"
