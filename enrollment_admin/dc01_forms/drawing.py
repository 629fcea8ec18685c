"""Figures of a batch, in per cent of the room they have; the page writes the amounts beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verification.messages.dc01 import BatchView

STAGES: Mapping[str, tuple[str, ...]] = {
    "to_key": ("indexed", "batch_rejected"),
    "keyed": ("keyed", "auto_checked"),
    "rechecking": ("recheck_sampled",),
    "accepted": ("accepted", "matched"),
    "conflict": ("conflict", "correction", "recheck"),
    "clean": ("clean", "live", "stale"),
}
"""The parts of a batch on its way, in the order of the work."""

_AXES = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Part:
    """So many forms of a batch, where they begin and how much of it they are."""

    stage: str
    forms: int
    start: float
    percent: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sample found, beside the limit, on an axis that ends at ``end`` per cent of wrong forms."""

    end: int
    found: float
    low: float
    high: float
    limit: float

    def place(self, share: float) -> float:
        """Where a share stands on the axis, in per cent of its length."""
        return round(100 * share / self.end, 2)


def progress(batch: BatchView) -> tuple[Part, ...]:
    """The stages in which a batch has forms, beside each other."""
    drawn, start = [], 0.0
    for stage, states in STAGES.items():
        forms = sum(batch.states.get(state, 0) for state in states)
        if forms:
            percent = round(100 * forms / batch.forms, 2)
            drawn.append(Part(stage, forms, round(start, 2), percent))
            start += percent
    return tuple(drawn)


def verdict(batch: BatchView) -> Verdict | None:
    """The finding of a judged sample; None before."""
    if batch.wrong is None or batch.low is None or batch.high is None or not batch.sample_size:
        return None
    low, high, limit = 100 * batch.low, 100 * batch.high, float(batch.aql)
    end = next(each for each in _AXES if each >= max(high, 2 * limit) or each == _AXES[-1])
    return Verdict(end, 100 * batch.wrong / batch.sample_size, low, high, limit)
