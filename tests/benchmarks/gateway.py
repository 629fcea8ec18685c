"""What a session and a decision cost the gateway, durable commits included; no card, no network."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gateway.adapters import evidence_log, sql_call_figures
from tests.benchmarks.figure import Figure, at_most
from tests.support.gateway_world import World, make_world
from verification.messages.receipt import read_receipt
from verification.messages.signing_key import thumbprint

ROUNDS = 40
DECISION_GOAL_MS = 400
"""GATEWAY 6: gateway time of a whole session, p95, without card and network."""

COUNTING_GOAL = 1.1


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
    counting = _counted_against_uncounted(world)
    session = _p95(lambda _: world.evidence(world.counter.open(), chip=False), lambda: None)
    checking = _p95(lambda _: read_receipt(receipt, keys), lambda: None)
    return [
        at_most("gateway: evidence to receipt, p95", decision, "ms", goal=DECISION_GOAL_MS),
        at_most(
            "gateway: a decision that is counted against one that is not", counting, "x", goal=COUNTING_GOAL
        ),
        at_most("gateway: session opened, p95", session, "ms", goal=DECISION_GOAL_MS),
        at_most("receipt verified offline, p95", checking, "ms", goal=5),
    ]


def _counted_against_uncounted(world: World) -> float:
    """Medians of evidence to receipt, the two kinds turn by turn."""
    spent: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * ROUNDS):
        given, counts = world.evidence(world.counter.open()), bool(turn % 2)
        with patch.object(
            evidence_log, "count_call", sql_call_figures.count_call if counts else _not_counted
        ):
            began = time.perf_counter()
            world.counter.submit(given)
            spent[counts].append(time.perf_counter() - began)
    return statistics.median(spent[True]) / statistics.median(spent[False])


def _not_counted(_connection: object, _record: object) -> None:
    pass


def _p95(work: Callable[[Any], object], prepare: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        given = prepare()
        began = time.perf_counter()
        work(given)
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(spent, n=20)[-1]
