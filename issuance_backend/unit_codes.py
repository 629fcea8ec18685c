"""How a unit is written: its codes from the province down, joined by dots (``001``, ``001.02.00013``)."""

from __future__ import annotations

import re

_UNIT = re.compile(r"[0-9]{2,3}(\.[0-9]{1,6}){0,2}")


def is_unit(text: str) -> bool:
    """Whether this is written as a unit below the nation is."""
    return _UNIT.fullmatch(text) is not None


def province_of(unit: str) -> str:
    """The code of the province that a unit lies in."""
    return unit.partition(".")[0]


def is_province(unit: str) -> bool:
    """Whether a unit is a whole province."""
    return unit == province_of(unit)


def lies_in(unit: str, area: str) -> bool:
    """Whether a unit is the area or a part of it."""
    return unit == area or unit.startswith(f"{area}.")
