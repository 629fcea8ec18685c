from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.synthetic_fingers import fingers, records, second_impressions
from verification.errors import (
    FingerImageUndecodable,
    FingerQualityInsufficient,
    FingerTemplateMalformed,
)
from verification.fingerprint.engine import FingerSample, Print
from verification.fingerprint.minutiae import read_template
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition

INDEX = FingerPosition.RIGHT_INDEX


@cache
def engine() -> NbisEngine:
    return NbisEngine()


def print_of(seed: int) -> Print:
    return np.asarray(render_finger(seed, INDEX))


@cache
def sample_of(seed: int) -> FingerSample:
    return engine().extract(print_of(seed), INDEX)


def another_touch(picture: Print, seed: int) -> Print:
    chance = np.random.default_rng(seed)
    turned = Image.fromarray(picture).rotate(
        float(chance.uniform(-8, 8)), Image.Resampling.BICUBIC, fillcolor=238
    )
    moved = np.roll(np.asarray(turned, np.float64), tuple(chance.integers(-15, 15, 2)), (0, 1))
    return np.clip(moved + chance.normal(0, 12, moved.shape), 0, 255).astype(np.uint8)


def test_a_template_says_what_it_is_of() -> None:
    read = read_template(sample_of(1).template)
    assert (read.position, read.width, read.height) == (INDEX, 320, 420)
    assert len(read.minutiae) == sample_of(1).quality.minutiae > 30
    assert read.quality == sample_of(1).quality.nfiq2


def test_engines_at_work_at_once_find_what_each_finds_alone() -> None:
    asked = [NbisEngine() for _ in range(4)]
    assert len({id(each._extractor) for each in asked}) == 1, "the model is in memory once"
    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(lambda number: asked[number].extract(print_of(number), INDEX), range(4)))
    assert found == [sample_of(number) for number in range(4)]


def test_two_touches_of_a_finger_are_closer_than_two_fingers() -> None:
    again = [engine().extract(another_touch(print_of(seed), seed), INDEX) for seed in range(4)]
    scores = [
        [engine().prepare(sample_of(seed).template).score(other.template) for other in again]
        for seed in range(4)
    ]
    same = [scores[n][n] for n in range(4)]
    others = [scores[n][m] for n in range(4) for m in range(4) if n != m]
    assert min(same) > 100
    assert max(others) < 40


def test_a_score_survives_the_exchange_format() -> None:
    """The matcher walks along x and reads a dialect of the record: both are restored, or it finds nothing."""
    made = fingers(2, 4)
    touched = records(second_impressions(made, 5))
    first = records(made)
    assert engine().prepare(first[0]).score(touched[0]) > 25
    assert engine().prepare(first[0]).score(first[0]) > engine().prepare(first[0]).score(first[1])


def test_a_finger_without_minutiae_is_like_nobody() -> None:
    empty = records(np.full((1, 5, 3), np.nan, np.float32))[0]
    assert engine().prepare(empty).score(records(fingers(1, 1))[0]) == 0
    assert engine().prepare(records(fingers(1, 1))[0]).score(empty) == 0


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((63, 200), np.uint8),
        np.zeros((2_001, 200), np.uint8),
        np.zeros((200, 200, 3), np.uint8),
        np.zeros((200, 200), np.float32),
    ],
)
def test_what_is_no_print_is_refused(picture: Print) -> None:
    with pytest.raises(FingerImageUndecodable):
        engine().extract(picture, INDEX)


def test_another_resolution_is_refused() -> None:
    with pytest.raises(FingerImageUndecodable):
        engine().extract(print_of(1), INDEX, ppi=1_000)


@pytest.mark.parametrize("brightness", [0, 128, 255])
def test_a_print_without_ridges_is_told_as_such(brightness: int) -> None:
    with pytest.raises(FingerQualityInsufficient):
        engine().extract(np.full((300, 300), brightness, np.uint8), INDEX)


@pytest.mark.parametrize("content", [b"", b"FMR\0 20\0", b"x" * 100])
def test_a_malformed_template_never_reaches_the_library(content: bytes) -> None:
    with pytest.raises(FingerTemplateMalformed):
        engine().prepare(content)
    with pytest.raises(FingerTemplateMalformed):
        engine().prepare(sample_of(1).template).score(content)


def test_no_template_shows_in_a_log() -> None:
    assert repr(sample_of(1)).startswith("FingerSample(FingerQuality(nfiq2=")


@pytest.mark.shared_data
@pytest.mark.parametrize("number", range(1, 6))
def test_nfiq2_is_the_score_of_the_reference_implementation(shared: Path, number: int) -> None:
    folder = shared / "data" / "prints" / "nfiq2_conformance"
    picture = np.asarray(Image.open(folder / f"SFinGe_Test0{number}.pgm"))
    expected = (folder / f"SFinGe_Test0{number}_output.txt").read_text()
    found = re.search(r"UnifiedQualityScore\D+(\d+)|^\D*(\d+)\s*$", expected, re.MULTILINE)
    assert found, expected[:200]
    assert engine().extract(picture, INDEX).quality.nfiq2 == int(found[1] or found[2])
