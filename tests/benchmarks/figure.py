"""One published figure."""

from __future__ import annotations

from typing import TypedDict


class Figure(TypedDict):
    """``ratio`` is value over floor; ``goal`` bounds the ratio, or the value where there is no floor."""

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    goal: float
    met: bool


def against_floor(name: str, value: float, unit: str, *, floor: float, goal: float) -> Figure:
    """A figure whose goal is a multiple of a floor measured in the same run."""
    ratio = value / floor
    return Figure(
        name=name,
        value=round(value, 4),
        unit=unit,
        floor=round(floor, 4),
        ratio=round(ratio, 3),
        goal=goal,
        met=ratio <= goal,
    )


def at_most(name: str, value: float, unit: str, *, goal: float) -> Figure:
    """A figure with an absolute goal."""
    return Figure(
        name=name, value=round(value, 4), unit=unit, floor=None, ratio=None, goal=goal, met=value <= goal
    )
