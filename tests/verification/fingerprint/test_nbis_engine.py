from __future__ import annotations

import itertools
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.stopwatch import require_in_time
from tests.support.synthetic_fingers import fingers, records, second_impressions
from verification.errors import (
    FingerImageUndecodable,
    FingerQualityInsufficient,
    FingerTemplateMalformed,
)
from verification.fingerprint import nbis_engine
from verification.fingerprint.compatible_edges import compatible_edges, edges_of
from verification.fingerprint.engine import FingerSample, Print
from verification.fingerprint.minutiae import FingerTemplate, Minutia, MinutiaKind, read_template
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


def dense(count: int, seed: int, flow: int) -> list[Minutia]:
    """As many minutiae as a print has room for, along one flow, or in parallel (0): worn skin, or made so."""
    chance = np.random.default_rng(seed)
    places = list(zip(*(chance.integers(10, side, count).tolist() for side in (310, 410)), strict=True))
    turns = [(x + y) // flow % 256 if flow else 64 for x, y in places]
    qualities = chance.integers(1, 101, count).tolist()
    return [
        Minutia(x, y, turn, MinutiaKind.ENDING, quality)
        for (x, y), turn, quality in zip(places, turns, qualities, strict=True)
    ]


def nearly(minutiae: Sequence[Minutia], seed: int) -> list[Minutia]:
    """The same print read once more: moved, of other quality, and some minutiae gone."""
    chance = np.random.default_rng(seed)
    right, down = chance.integers(-5, 6, 2).tolist()
    return [
        replace(
            each,
            x=each.x + right + int(chance.integers(-2, 3)),
            y=each.y + down + int(chance.integers(-2, 3)),
            quality=int(chance.integers(1, 101)),
        )
        for each in minutiae
        if chance.random() < 0.95
    ]


def template_of(minutiae: Sequence[Minutia]) -> bytes:
    return FingerTemplate(INDEX, 320, 420, 197, 60, tuple(minutiae)).encoded()


DENSE = [(count, flow) for count in (120, 150) for flow in (6, 0)]


@pytest.mark.parametrize(("count", "flow"), DENSE)
def test_dense_prints_that_are_nearly_alike_are_of_one_finger(count: int, flow: int) -> None:
    first = dense(count, count, flow)
    for again in (first, nearly(first, 1), nearly(first, 2)):
        assert engine().prepare(template_of(first)).score(template_of(again)) > 100
    stranger = dense(count, count + 1, flow)
    assert engine().prepare(template_of(first)).score(template_of(stranger)) < 40


@pytest.mark.alone
@pytest.mark.parametrize(("count", "flow"), DENSE)
def test_no_comparison_takes_long(count: int, flow: int) -> None:
    """Whole, these take up to twenty seconds."""
    first = dense(count, count, flow)
    for again in (first, nearly(first, 1), dense(count, count + 1, flow)):
        begun = time.process_time()
        engine().prepare(template_of(first)).score(template_of(again))
        require_in_time(time.process_time() - begun, 2)


def whole_score(one: bytes, other: bytes, monkeypatch: pytest.MonkeyPatch) -> float:
    with monkeypatch.context() as unbounded:
        unbounded.setattr(nbis_engine, "_MOST_EDGES", 10**9)
        return engine().prepare(one).score(other)


def test_ordinary_pairs_are_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain prints and dense rolled ones, of one finger and of strangers."""
    made = fingers(12, 4)
    first, touched = records(made), records(second_impressions(made, 5))
    drawn = [sample_of(seed).template for seed in range(3)]
    moved = [engine().extract(another_touch(print_of(seed), seed), INDEX).template for seed in range(3)]
    chance = np.random.default_rng(2)
    rolled = [
        FingerTemplate(
            INDEX, 800, 750, 197, 60,
            tuple(
                Minutia(x, y, (x + 2 * y) // 10 % 256, MinutiaKind.ENDING, 50)
                for x, y in zip(*chance.integers(50, 650, (2, 120)).tolist(), strict=True)
            ),
        ).encoded()
        for _ in range(2)
    ]  # fmt: skip
    pairs = [*itertools.product(first, touched), *itertools.product(drawn, moved)]
    for one, other in [*pairs, *itertools.product(rolled, rolled)]:
        assert engine().prepare(one).score(other) == whole_score(one, other, monkeypatch)


LINE = [
    Minutia(x, y, turn, MinutiaKind.ENDING, 50) for x, y, turn in ((10, 10, 3), (60, 33, 40), (90, 90, 99))
]


def test_how_much_a_pair_costs_is_told_beforehand() -> None:
    plain = edges_of(read_template(sample_of(1).template).minutiae)
    crowd = edges_of(dense(150, 150, 6))
    turned = [replace(each, x=419 - each.y, y=each.x, angle=(each.angle + 192) % 256) for each in LINE]
    assert (edges_of(turned) == edges_of(LINE)).all(), "a print that is turned has the same links"
    assert plain.sum() < 11_175
    assert compatible_edges(plain, plain) < 15_000 < compatible_edges(crowd, crowd)
    assert compatible_edges(plain, crowd) == compatible_edges(crowd, plain)
    assert edges_of([]).sum() == edges_of(dense(1, 1, 0)).sum() == 0
    far = [Minutia(x, 10, 0, MinutiaKind.ENDING, 50) for x in (0, 126)]
    near = [Minutia(x, 10, 0, MinutiaKind.ENDING, 50) for x in (0, 125)]
    assert (edges_of(far).sum(), edges_of(near).sum()) == (0, 1)


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
