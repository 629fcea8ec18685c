"""The published figures hold on this very tree: a change that makes one slip fails here.

These machines are shared. A figure may miss its goal by a fifth before a test fails, a time at the pace that
the core had just before and after; and noise only ever adds time, so the best of three runs counts. A busy
core slows the interpreter more than the C code of a floor (at a pace of 1.65 a ratio of the same program rose
from 1.33 to 1.62): there a ratio may miss its goal by half. ``make bench`` holds every goal without slack.
What takes minutes at full size has a ``quick()`` beside its ``run()``: the same figures, smaller, with their
size in their names.
"""

from __future__ import annotations

import importlib

import pytest

from tests.benchmarks.__main__ import module_names
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.benchmarks.pace import SLOWEST, pace
from tests.support.machine import lacks

SLACK = 1.2
RATIO_PACE = 1.25
ATTEMPTS = 3


TIMES = frozenset({"us", "ms", "s", "CPU s"})


def holds(figure: Figure, pace: float = 1.0) -> bool:
    """Whether the goal is met with slack on a core that is ``pace`` times as slow."""
    if figure["met"]:
        return True
    if figure["ratio"] is not None:
        return figure["ratio"] <= figure["goal"] * min(pace, RATIO_PACE) * SLACK
    return figure["unit"] in TIMES and figure["value"] <= figure["goal"] * pace * SLACK


def test_what_is_held_to_the_pace_of_the_core() -> None:
    late, heavy = (at_most("a figure", 13, unit, goal=10) for unit in ("ms", "MB"))
    assert not holds(late)
    assert holds(late, 1.2)
    assert not holds(heavy, 1.2)
    ratio = against_floor("a ratio", 13, "ms", floor=10, goal=1)
    assert not holds(ratio)
    assert holds(ratio, 1.2)
    assert not holds(against_floor("a ratio", 16, "ms", floor=10, goal=1), SLOWEST)
    assert 1 <= pace() <= SLOWEST


@pytest.mark.alone
@pytest.mark.parametrize("name", module_names())
def test_every_figure_of_a_module_meets_its_goal(name: str) -> None:
    module = importlib.import_module(f"tests.benchmarks.{name}")
    held: set[str] = set()
    for _ in range(ATTEMPTS):
        before = pace()
        measured: list[Figure] = getattr(module, "quick", module.run)()
        if not measured:
            lacks("this machine lacks what the figure is measured on")
        between = (before + pace()) / 2
        held |= {figure["name"] for figure in measured if holds(figure, between)}
        missed = [figure for figure in measured if figure["name"] not in held]
        if not missed:
            return
    assert missed == [], f"at a pace of {between:.2f}"
