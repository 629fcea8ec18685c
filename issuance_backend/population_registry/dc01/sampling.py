"""Single sampling by attributes after ISO 2859-1: how many forms of a batch are keyed again, and how many
of them may be wrong.

The tables are the standard's master tables 2-A (normal) and 2-B (tightened inspection), written as the
diagonal that they are: a plan is found by how far the code letter lies from the one with acceptance number 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

_LETTERS = "ABCDEFGHJKLMNPQR"
_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)

# Table 1: the largest lot of a row, and its code letter at the general levels I, II and III.
_LOTS = (8, 15, 25, 50, 90, 150, 280, 500, 1200, 3200, 10_000, 35_000, 150_000, 500_000)
_LETTERS_OF: Mapping[str, str] = {"I": "AABCCDEFGHJKLMN", "II": "ABCDEFGHJKLMNPQ", "III": "BCDEFGHJKLMNPQR"}

# The letter whose plan accepts no wrong form at all, by the limit in percent (normal inspection).
_ZERO_AT: Mapping[str, str] = {
    "0.10": "K",
    "0.15": "J",
    "0.25": "H",
    "0.40": "G",
    "0.65": "F",
    "1.0": "E",
    "1.5": "D",
    "2.5": "C",
    "4.0": "B",
    "6.5": "A",
}

# Acceptance numbers down a column from that letter on; an arrow up or down leads to a neighbour's plan.
_UP, _DOWN = -1, -2
_NORMAL = (0, _UP, _DOWN, 1, 2, 3, 5, 7, 10, 14, 21)
_TIGHTENED = (0, _DOWN, _DOWN, 1, 2, 3, 5, 8, 12, 18)


class Severity(StrEnum):
    """How strictly batches of a unit are judged; it follows from how the last ones did."""

    NORMAL = "normal"
    TIGHTENED = "tightened"


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """Draw so many forms; accept the batch when at most so many of them are wrong."""

    letter: str
    size: int
    acceptance: int


def plan(lot: int, aql: str, level: str, severity: Severity) -> SamplingPlan:
    """The plan for a batch of ``lot`` forms; a sample is never larger than its batch."""
    if lot < 1:
        raise ValueError("a batch has at least one form")
    row = next((at for at, largest in enumerate(_LOTS) if lot <= largest), len(_LOTS))
    letter = _LETTERS.index(_LETTERS_OF[level][row])
    zero = _LETTERS.index(_ZERO_AT[aql])
    column: Sequence[int] = _NORMAL
    if severity is Severity.TIGHTENED:
        # Table 2-B: the whole column begins one letter later.
        zero, column = zero + 1, _TIGHTENED
    step = min(max(letter - zero, 0), len(column) - 1)
    while column[step] < 0:
        step += -1 if column[step] == _UP else 1
    letter = zero + step
    size = _SIZES[letter]
    return SamplingPlan(_LETTERS[letter], min(size, lot), column[step])


def draw(forms: Sequence[str], size: int, seed: str) -> list[str]:
    """The sample that a seed decides: whoever knows the recorded seed can draw it again."""
    # The seed itself comes from the system's secure source once the batch is closed.
    return sorted(random.Random(seed).sample(sorted(forms), size))  # noqa: S311


def severity_after(verdicts: Sequence[bool]) -> Severity:
    """The severity that first verdicts of a unit's batches lead to, oldest first (ISO 2859-1, 9.3).

    Tightened when two of five or fewer in a row were not accepted; normal again after five accepted.
    """
    severity, recent = Severity.NORMAL, list[bool]()
    for accepted in verdicts:
        recent = [*recent, accepted][-5:]
        if severity is Severity.NORMAL and recent.count(False) >= 2:
            severity, recent = Severity.TIGHTENED, []
        elif severity is Severity.TIGHTENED and len(recent) == 5 and all(recent):
            severity, recent = Severity.NORMAL, []
    return severity


@dataclass(frozen=True, slots=True)
class Interval:
    """From where to where the true rate lies in at least 95 of 100 such samples."""

    low: float
    high: float


def error_interval(wrong: int, checked: int) -> Interval:
    """The exact 95 % interval of Clopper and Pearson for ``wrong`` of ``checked``.

    Its two ends are the rates at which so many, or so few, would be seen in 2.5 % of all samples; it
    covers the true rate at least as often as it says, whatever that rate is.
    """
    if not 0 <= wrong <= checked:
        raise ValueError("more wrong than checked")
    low = 0.0 if wrong == 0 else _solve(lambda rate: 1 - _at_most(wrong - 1, checked, rate) >= 0.025)
    high = 1.0 if wrong == checked else _solve(lambda rate: _at_most(wrong, checked, rate) <= 0.025)
    return Interval(low, high)


def _at_most(wrong: int, checked: int, rate: float) -> float:
    if rate <= 0 or rate >= 1:
        return 1.0 if rate <= 0 or wrong >= checked else 0.0
    log_rate, log_rest = math.log(rate), math.log1p(-rate)
    return math.fsum(
        math.exp(_log_ways(checked, seen) + seen * log_rate + (checked - seen) * log_rest)
        for seen in range(wrong + 1)
    )


def _log_ways(checked: int, seen: int) -> float:
    return math.lgamma(checked + 1) - math.lgamma(seen + 1) - math.lgamma(checked - seen + 1)


def _solve(is_beyond: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return (low + high) / 2
