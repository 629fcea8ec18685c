"""The four indices of a unit, in per cent of the room they have; the page writes the amounts beside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verification.messages.dc01 import QualityIndex


@dataclass(frozen=True, slots=True)
class DrawnIndex:
    """One index: how much of its bar is filled, and how many forms it counts against."""

    name: str
    numerator: int
    denominator: int
    percent: float | None

    @property
    def failing(self) -> int:
        """So many forms lie behind the rest of the bar."""
        return self.denominator - self.numerator


def by_unit(indices: Iterable[QualityIndex]) -> dict[str, tuple[DrawnIndex, ...]]:
    """The indices of each unit in their order; nothing is said where there is nothing to measure."""
    drawn: dict[str, tuple[DrawnIndex, ...]] = {}
    for each in indices:
        percent = None if each.value is None else 100 * each.value
        index = DrawnIndex(each.index, each.numerator, each.denominator, percent)
        drawn[each.unit] = (*drawn.get(each.unit, ()), index)
    return drawn
