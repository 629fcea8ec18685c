"""Calibration and fusion: what scores are worth, and when people must look."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.biometric_search.calibration import Calibration, Pairs, fit, shipped
from issuance_backend.biometric_search.fusion import Threshold, ranked, weighed
from issuance_backend.biometric_search.modality import Score

SHIPPED = ("finger-nbis-py-0.1.3", "face-cc0")
scores = st.lists(
    st.floats(0, 500, allow_nan=False).map(lambda each: round(each, 3)), min_size=5, max_size=60
)


def calibration(name: str = "c", low: float = -20.0, high: float = 30.0) -> Calibration:
    points = ((0.0, low), (100.0, high))
    return Calibration(id=name, engine="e", basis="b", genuine_pairs=300, impostor_pairs=3000, points=points)


@given(scores, scores, st.floats(-10, 600), st.floats(-10, 600))
def test_a_closer_score_is_never_worth_less(
    genuine: list[float], impostor: list[float], one: float, other: float
) -> None:
    fitted = fit("c", "e", "b", Pairs(tuple(genuine), tuple(impostor)))
    assert fitted.decibans(min(one, other)) <= fitted.decibans(max(one, other))


@given(scores, scores)
def test_no_calibration_claims_more_than_its_pairs_show(genuine: list[float], impostor: list[float]) -> None:
    fitted = fit("c", "e", "b", Pairs(tuple(genuine), tuple(impostor)))
    worths = [worth for _, worth in fitted.points]
    assert max(worths) <= 10 * math.log10(len(impostor) / 3) + 0.01
    assert min(worths) >= -10 * math.log10(len(genuine) / 3) - 0.01


def test_a_fit_finds_the_true_likelihood_ratio() -> None:
    """Two normal distributions, of which the ratio is known: 10 log10 exp(score - 0.5)."""
    chance = np.random.default_rng(1)
    pairs = Pairs(tuple(chance.normal(1, 1, 20_000)), tuple(chance.normal(0, 1, 20_000)))
    fitted = fit("c", "e", "b", pairs)
    for score in (-1.0, 0.0, 0.5, 1.0, 2.0):
        assert fitted.decibans(score) == pytest.approx(10 * (score - 0.5) / math.log(10), abs=0.8)


@pytest.mark.parametrize(
    "pairs", [Pairs((), (1.0,) * 9), Pairs((1.0,) * 9, ()), Pairs((1.0,) * 3, (0.0,) * 3)]
)
def test_too_few_pairs_say_nothing(pairs: Pairs) -> None:
    with pytest.raises(ValueError, match="too few"):
        fit("c", "e", "b", pairs)


@pytest.mark.parametrize("points", [(), ((0.0, 1.0), (1.0, 0.5)), ((1.0, 0.0), (1.0, 2.0))])
def test_a_calibration_that_does_not_rise_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="calibration"):
        Calibration(id="c", engine="e", basis="b", genuine_pairs=9, impostor_pairs=9, points=points)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_says_on_what_it_was_fitted(name: str) -> None:
    found = shipped(name)
    assert found.basis
    assert found.ceiling <= 10 * math.log10(found.impostor_pairs / 3) + 0.01


def test_strangers_reach_the_threshold_as_seldom_as_it_promises() -> None:
    """Evidence of two modalities over strangers: at most 10^(-target/10) hits are expected a search."""
    chance = np.random.default_rng(3)
    pairs = Pairs(tuple(chance.normal(3, 1, 20_000)), tuple(chance.normal(0, 1, 100_000)))
    fitted = fit("c", "e", "b", pairs)
    gallery, searches, target = 1_000, 60, 10
    threshold = Threshold.for_search(gallery, target)
    hits = 0
    for _ in range(searches):
        found = {
            row: weighed("m", fitted, (Score(0, one), Score(1, other)))
            for row, (one, other) in enumerate(chance.normal(0, 1, (gallery, 2)))
        }
        hits += sum(each.is_hit for each in ranked(found, threshold, gallery))
    assert hits / searches <= 10 ** (-target / 10)


def test_evidence_adds_up_and_orders_candidates() -> None:
    found = {
        1: weighed("finger", calibration(), (Score(2, 100), Score(7, 0))),
        2: weighed("finger", calibration(), (Score(2, 100), Score(7, 100))),
        3: weighed("finger", calibration(), (Score(2, 0), Score(7, 0))),
        4: (),
    }
    candidates = ranked(found, Threshold(50), 10)
    assert [(each.number, each.decibans) for each in candidates] == [(2, 60), (1, 10), (3, -40)]
    assert [each.is_hit for each in candidates] == [True, False, False]
    assert [each.number for each in ranked(found, Threshold(50), 1)] == [2]


def test_what_cannot_reach_the_threshold_is_looked_at_when_all_of_it_agrees() -> None:
    face = weighed("face", calibration(), (Score(0, 100),))
    threshold = Threshold.for_search(100_000, 10)
    (alone,) = ranked({1: face}, threshold, 1)
    assert alone.is_hit
    (below,) = ranked({1: weighed("face", calibration(), (Score(0, 99),))}, threshold, 1)
    assert not below.is_hit
    against = face + weighed("finger", calibration(), (Score(2, 0), Score(7, 0)))
    (other,) = ranked({1: against}, threshold, 1)
    assert not other.is_hit
