"""DC01 batches: how often the 95 % interval of a clerk's error rate misses the simulated rate (F24)."""

from __future__ import annotations

import random

from issuance_backend.population_registry.dc01.sampling import Severity, error_interval, plan
from tests.benchmarks.figure import Figure, at_most

MISSED_GOAL = 0.07
RATES = (0.005, 0.02, 0.05, 0.15)
CAMPAIGNS = 1_000
BATCHES, LOT = 5, 280


def run() -> list[Figure]:
    """The share of campaigns whose interval does not hold the true rate, for each rate."""
    return [
        at_most(f"acceptance_sampling_interval_misses_{rate:.1%}", _missed(rate), "share", goal=MISSED_GOAL)
        for rate in RATES
    ]


def _missed(rate: float) -> float:
    chance = random.Random(2021)  # noqa: S311 - the same campaigns in every run
    checked = BATCHES * plan(LOT, "1.0", "II", Severity.NORMAL).size
    missed = 0
    for _ in range(CAMPAIGNS):
        found = error_interval(sum(chance.random() < rate for _ in range(checked)), checked)
        missed += not found.low <= rate <= found.high
    return missed / CAMPAIGNS
