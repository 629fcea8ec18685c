"""What a score is worth as evidence: decibans, ten times the decimal logarithm of a likelihood ratio.

A calibration is fitted once per engine on pairs of which the truth is known, and is data from then on.
Decibans of different engines, fingers and modalities may be added; raw scores may not. No calibration
claims more than its pairs can show: where none of n strangers scored so high, the false match rate is
only known to be below 3/n (rule of three, ISO/IEC 19795-1), and that is where the scale ends.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from importlib import resources

import msgspec

_RULE_OF_THREE = 3.0


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``points`` are (score, decibans), both rising; ``basis`` says on what it was fitted."""

    id: str
    engine: str
    basis: str
    genuine_pairs: int
    impostor_pairs: int
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless both columns rise: a closer score is never worth less."""
        if not self.points:
            raise ValueError("a calibration has at least one point")
        for (score, worth), (next_score, next_worth) in zip(self.points, self.points[1:], strict=False):
            if score >= next_score or worth > next_worth:
                raise ValueError("a calibration rises")

    @property
    def ceiling(self) -> float:
        """The most that one score can be worth."""
        return self.points[-1][1]

    def decibans(self, score: float) -> float:
        """The worth of a score, linear between points and level beyond the last."""
        after = bisect_right(self.points, score, key=lambda point: point[0])
        if after == 0:
            return self.points[0][1]
        if after == len(self.points):
            return self.points[-1][1]
        (left, low), (right, high) = self.points[after - 1], self.points[after]
        return low + (high - low) * (score - left) / (right - left)


class Pairs(msgspec.Struct, frozen=True):
    """Scores of which the truth is known; more is closer."""

    genuine: tuple[float, ...]
    impostor: tuple[float, ...]


def fit(calibration_id: str, engine: str, basis: str, pairs: Pairs) -> Calibration:
    """The calibration that the pairs support: pool adjacent violators, and no claim beyond them.

    Raises ValueError where there are too few pairs to say anything.
    """
    genuine, impostor = len(pairs.genuine), len(pairs.impostor)
    highest = 10 * math.log10(impostor / _RULE_OF_THREE) if impostor else 0.0
    lowest = -10 * math.log10(genuine / _RULE_OF_THREE) if genuine else 0.0
    if highest <= 0 or lowest >= 0:
        raise ValueError("too few pairs")
    points: list[tuple[float, float]] = []
    for block in _pooled(pairs):
        worth = _worth(block.genuine / genuine, block.impostor / impostor)
        worth = round(min(max(worth, lowest), highest), 2)
        for score in sorted({block.first, block.last}):
            points.append((round(score, 5), worth))
    return Calibration(
        id=calibration_id,
        engine=engine,
        basis=basis,
        genuine_pairs=genuine,
        impostor_pairs=impostor,
        points=_without_repetition(points),
    )


def shipped(calibration_id: str) -> Calibration:
    """A calibration that comes with the program; raises KeyError."""
    return _shipped()[calibration_id]


def _shipped() -> dict[str, Calibration]:
    content = resources.files(__package__).joinpath("calibrations.json").read_bytes()
    return {each.id: each for each in msgspec.json.decode(content, type=tuple[Calibration, ...])}


class _Block(msgspec.Struct):
    """Neighbouring scores that are worth the same."""

    first: float
    last: float
    genuine: int
    impostor: int

    @property
    def share(self) -> float:
        return self.genuine / (self.genuine + self.impostor)


def _pooled(pairs: Pairs) -> list[_Block]:
    """Blocks in which the share of genuine pairs rises with the score (isotonic regression)."""
    counted: dict[float, _Block] = {}
    for score in pairs.genuine:
        counted.setdefault(score, _Block(score, score, 0, 0)).genuine += 1
    for score in pairs.impostor:
        counted.setdefault(score, _Block(score, score, 0, 0)).impostor += 1
    blocks: list[_Block] = []
    for score in sorted(counted):
        block = counted[score]
        while blocks and blocks[-1].share >= block.share:
            former = blocks.pop()
            block = _Block(
                former.first, block.last, former.genuine + block.genuine, former.impostor + block.impostor
            )
        blocks.append(block)
    return blocks


def _worth(genuine_share: float, impostor_share: float) -> float:
    if impostor_share == 0:
        return math.inf
    if genuine_share == 0:
        return -math.inf
    return 10 * math.log10(genuine_share / impostor_share)


def _without_repetition(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    kept: list[tuple[float, float]] = []
    for score, worth in points:
        if kept and score <= kept[-1][0]:
            kept[-1] = (kept[-1][0], max(worth, kept[-1][1]))
        else:
            kept.append((score, worth))
    return tuple(kept)
