"""The plans of ISO 2859-1 against a table that others printed, and the interval against simulated clerks."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.population_registry.dc01.sampling import (
    _ZERO_AT,
    SamplingPlan,
    Severity,
    _at_most,
    draw,
    error_interval,
    plan,
    severity_after,
)

# Rejection numbers by code letter and limit, read off the tables of MIL-STD-105E (which ISO 2859-1
# continues) as the National Institute of Building Sciences prints them in its guide for maintenance
# contracts, tables 1-A and 1-B; v and ^ stand for the arrows, and . for a continued arrow.
LIMITS_PRINTED = ("0.65", "1.0", "1.5", "2.5", "4.0", "6.5")
NORMAL = """
A 2     . . . . v 1
B 3     . . . v 1 ^
C 5     . . v 1 ^ v
D 8     . v 1 ^ v 2
E 13    v 1 ^ v 2 3
F 20    1 ^ v 2 3 4
G 32    ^ v 2 3 4 6
H 50    v 2 3 4 6 8
J 80    2 3 4 6 8 11
K 125   3 4 6 8 11 15
L 200   4 6 8 11 15 22
M 315   6 8 11 15 22 ^
N 500   8 11 15 22 ^ ^
P 800   11 15 22 ^ ^ ^
"""
TIGHTENED = """
B 3     . . . . v 1
C 5     . . . v 1 .
D 8     . . v 1 . v
E 13    . v 1 . v 2
F 20    v 1 . v 2 3
G 32    1 . v 2 3 4
H 50    . v 2 3 4 6
J 80    v 2 3 4 6 9
K 125   2 3 4 6 9 13
L 200   3 4 6 9 13 19
"""
LOT_OF = {
    **{"A": 8, "B": 15, "C": 25, "D": 50, "E": 90, "F": 150, "G": 280, "H": 500},
    **{"J": 1_200, "K": 3_200, "L": 10_000, "M": 35_000, "N": 150_000, "P": 500_000},
}


def printed(table: str) -> list[tuple[str, int, str, int]]:
    """Letter, sample size, limit and rejection number of every plan that is printed as a number."""
    found = []
    for line in table.strip().splitlines():
        letter, size, *numbers = line.split()
        found += [
            (letter, int(size), limit, int(number))
            for limit, number in zip(LIMITS_PRINTED, numbers, strict=True)
            if number.isdigit()
        ]
    return found


@pytest.mark.parametrize(("table", "severity"), [(NORMAL, Severity.NORMAL), (TIGHTENED, Severity.TIGHTENED)])
def test_plans_are_those_of_the_printed_table(table: str, severity: Severity) -> None:
    plans = printed(table)
    assert len(plans) > 30
    for letter, size, limit, rejection in plans:
        found = plan(LOT_OF[letter], limit, "II", severity)
        assert (found.letter, found.size, found.acceptance) == (letter, size, rejection - 1), (letter, limit)


@pytest.mark.parametrize(
    ("lot", "limit", "severity", "letter", "size", "acceptance"),
    [
        # An arrow up leads to the smaller sample, an arrow down to the larger one.
        (150, "1.0", Severity.NORMAL, "E", 13, 0),
        (280, "1.0", Severity.NORMAL, "H", 50, 1),
        (280, "1.0", Severity.TIGHTENED, "J", 80, 1),
        (500, "1.0", Severity.TIGHTENED, "J", 80, 1),
        (8, "1.0", Severity.NORMAL, "E", 8, 0),
        (600_000, "6.5", Severity.NORMAL, "L", 200, 21),
    ],
)
def test_arrows_lead_to_a_neighbouring_plan(
    lot: int, limit: str, severity: Severity, letter: str, size: int, acceptance: int
) -> None:
    found = plan(lot, limit, "II", severity)
    assert (found.letter, found.size, found.acceptance) == (letter, size, acceptance)


def test_a_higher_level_looks_at_more() -> None:
    assert [plan(1_000, "2.5", level, Severity.NORMAL).size for level in ("I", "II", "III")] == [32, 80, 125]


def acceptance_probability(chosen: SamplingPlan, rate: float) -> float:
    """How often a long line of forms with this share of wrong ones passes the plan."""
    return _at_most(chosen.acceptance, chosen.size, rate)


@given(st.integers(1, 1_000_000), st.sampled_from(sorted(_ZERO_AT)), st.sampled_from(["I", "II", "III"]))
def test_tightened_inspection_is_never_kinder(lot: int, limit: str, level: str) -> None:
    normal = plan(lot, limit, level, Severity.NORMAL)
    tightened = plan(lot, limit, level, Severity.TIGHTENED)
    assert 0 <= normal.acceptance < normal.size or normal.size == lot
    for rate in (float(limit) / 100, 3 * float(limit) / 100):
        assert acceptance_probability(tightened, rate) <= acceptance_probability(normal, rate) + 1e-12


def test_a_batch_without_forms_has_no_plan() -> None:
    with pytest.raises(ValueError, match="at least one"):
        plan(0, "1.0", "II", Severity.NORMAL)


@pytest.mark.parametrize(
    ("verdicts", "severity"),
    [
        ("", Severity.NORMAL),
        ("-", Severity.NORMAL),
        ("--", Severity.TIGHTENED),
        ("-+++-", Severity.TIGHTENED),
        ("-++++-", Severity.NORMAL),
        ("--++++", Severity.TIGHTENED),
        ("--+++++", Severity.NORMAL),
        ("--++++-+++++", Severity.NORMAL),
        ("--+++++--", Severity.TIGHTENED),
    ],
)
def test_severity_follows_the_last_batches(verdicts: str, severity: Severity) -> None:
    assert severity_after([verdict == "+" for verdict in verdicts]) is severity


def test_a_sample_is_drawn_again_by_who_knows_its_seed_and_by_nobody_else() -> None:
    forms = [f"form{number:04d}" for number in range(500)]
    sample = draw(forms, 50, "seed")
    assert draw(list(reversed(forms)), 50, "seed") == sample
    assert draw(forms, 50, "other") != sample
    assert len(set(sample)) == 50


def test_every_form_is_drawn_as_often_as_every_other() -> None:
    forms = [f"{number:02d}" for number in range(20)]
    drawn = [form for run in range(4_000) for form in draw(forms, 5, f"s{run}")]
    counts = [drawn.count(form) for form in forms]
    # 1,000 expected, standard deviation 27.
    assert all(880 < count < 1_120 for count in counts)


@pytest.mark.parametrize(
    ("wrong", "checked", "low", "high"),
    [
        # Closed forms: none wrong gives 1 - 0.025^(1/n), all wrong its mirror.
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        (0, 100, 0.0, 1 - 0.025 ** (1 / 100)),
        # Clopper and Pearson's own kind of table: 5 of 50, 1 of 20.
        (5, 50, 0.0333, 0.2181),
        (1, 20, 0.0013, 0.2487),
    ],
)
def test_the_interval_is_that_of_clopper_and_pearson(
    wrong: int, checked: int, low: float, high: float
) -> None:
    found = error_interval(wrong, checked)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_an_interval_needs_a_sample() -> None:
    with pytest.raises(ValueError, match="more wrong"):
        error_interval(3, 2)
    whole = error_interval(0, 0)
    assert (whole.low, whole.high) == (0.0, 1.0)


def test_the_interval_narrows_with_more_forms_and_holds_the_estimate() -> None:
    widths = []
    for checked in (20, 100, 500, 2_000):
        found = error_interval(checked // 20, checked)
        assert found.low < 0.05 < found.high
        widths.append(found.high - found.low)
    assert all(one > other for one, other in pairwise(widths))


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.15])
def test_the_interval_covers_a_simulated_clerks_true_rate(rate: float) -> None:
    """F24: a clerk errs at a known rate; of a thousand campaigns the interval holds it in 93 % or more."""
    chance = random.Random(20_210_101)  # noqa: S311 - the same campaigns in every run
    covered, campaigns, batches, lot = 0, 1_000, 5, 280
    size = plan(lot, "1.0", "II", Severity.NORMAL).size
    for _ in range(campaigns):
        wrong = sum(chance.random() < rate for _ in range(batches * size))
        found = error_interval(wrong, batches * size)
        covered += found.low <= rate <= found.high
    assert covered / campaigns >= 0.93


def test_the_probability_of_acceptance_is_the_binomial_one() -> None:
    chosen = plan(500, "1.0", "II", Severity.NORMAL)
    by_hand = sum(math.comb(50, seen) * 0.04**seen * 0.96 ** (50 - seen) for seen in range(2))
    assert acceptance_probability(chosen, 0.04) == pytest.approx(by_hand)
    assert acceptance_probability(chosen, 0.0) == 1.0
    assert acceptance_probability(chosen, 1.0) == 0.0
