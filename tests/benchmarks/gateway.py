"""What a session and a decision cost the gateway, durable commits included; no card, no network."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.figure import Figure, at_most
from tests.support.gateway_world import make_world
from verification.messages.receipt import read_receipt
from verification.messages.signing_key import thumbprint

ROUNDS = 40
DECISION_GOAL_MS = 400
"""GATEWAY 6: gateway time of a whole session, p95, without card and network."""


def run() -> list[Figure]:
    """The figures of this module."""
    logging.disable(logging.INFO)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _measure(Path(folder))
    finally:
        logging.disable(logging.NOTSET)


def _measure(folder: Path) -> list[Figure]:
    world = make_world(folder, requests_per_minute=1_000_000)
    receipt = world.decide().receipt
    key = world.log_key.public_key()
    keys = {thumbprint(key): key}
    decision = _p95(world.counter.submit, lambda: world.evidence(world.counter.open()))
    session = _p95(lambda _: world.evidence(world.counter.open(), chip=False), lambda: None)
    checking = _p95(lambda _: read_receipt(receipt, keys), lambda: None)
    return [
        at_most("gateway: evidence to receipt, p95", decision, "ms", goal=DECISION_GOAL_MS),
        at_most("gateway: session opened, p95", session, "ms", goal=DECISION_GOAL_MS),
        at_most("receipt verified offline, p95", checking, "ms", goal=5),
    ]


def _p95(work: Callable[[Any], object], prepare: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        given = prepare()
        began = time.perf_counter()
        work(given)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(spent, n=20)[-1]
