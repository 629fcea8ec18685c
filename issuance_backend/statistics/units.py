"""Where a thing was counted: the nation, a province, a district or station, a commune or team.

A unit is its codes from the province down, joined by dots: ``001``, ``001.002``, ``001.002.00013``. What was
recorded keeps the codes of its day; a report groups provinces as they are drawn on the day it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache

from verification.identity.administrative_units import provinces, units_2025

NATION = ""
UNKNOWN = "000"
"""Stands for whoever recorded a step without saying where: shown as a line of its own, never dropped."""

MERGED_ON = date(2025, 7, 1)
"""Resolution 202/2025/QH15: 63 provinces became 34 units."""


def parent(unit: str) -> str:
    """The unit above; the nation's for a province."""
    return unit.rpartition(".")[0]


@cache
def lineage(unit: str) -> tuple[str, ...]:
    """The nation, and every unit from the province down to this one."""
    if unit == NATION:
        return (NATION,)
    parts = unit.split(".")
    return (NATION, *(".".join(parts[:depth]) for depth in range(1, len(parts) + 1)))


def line_of(unit: str, day: date) -> str:
    """The unit under which a report for a day shows this one: provinces as they were drawn then."""
    if day < MERGED_ON:
        return unit
    head, dot, rest = unit.partition(".")
    known = provinces().get(head)
    return unit if known is None else f"{known.merged_into_2025}{dot}{rest}"


def is_province(unit: str) -> bool:
    """Whether this is the code of a province of some day, or stands for whoever named none."""
    return unit == UNKNOWN or unit in provinces() or unit in units_2025()


def is_to_come(unit: str, day: date) -> bool:
    """Whether this is one of the units of July 2025, or lies in one, and the day is before."""
    return day < MERGED_ON and unit.partition(".")[0] in units_2025()


@lru_cache(maxsize=4096)
def members_of(area: str, day: date) -> tuple[str, ...]:
    """Under which recorded codes the area of a report for this day is found."""
    head, dot, rest = area.partition(".")
    merged = units_2025().get(head)
    if area == NATION or day < MERGED_ON or merged is None:
        return (area,)
    return (area, *(f"{member}{dot}{rest}" for member in merged.members))


def unit_name(unit: str) -> str:
    """The name of the nation or a province; the code of any other unit."""
    names: Mapping[str, str] = {NATION: "Toàn quốc", UNKNOWN: "Chưa ghi đơn vị"}
    if unit in names:
        return names[unit]
    known = provinces().get(unit) or units_2025().get(unit)
    return known.name if known else unit
