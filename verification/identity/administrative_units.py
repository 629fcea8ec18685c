"""Provinces by the code in the citizen number, and the units they were merged into in 2025.

Dated reference data: no source says which codes births after 1 July 2025 get, and the first
three digits may name a country, whose table is not published. An unknown code is a doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec


class Province(msgspec.Struct, frozen=True):
    """One of the 63 provinces of Circular 07/2016/TT-BCA, annex I."""

    code: str
    name: str
    merged_into_2025: str


class AdministrativeUnit(msgspec.Struct, frozen=True):
    """One of the 34 provincial units since 1 July 2025 (Resolution 202/2025/QH15)."""

    code: str
    name: str
    members: tuple[str, ...]


class _Tables(msgspec.Struct, frozen=True):
    provinces: tuple[Province, ...]
    units_2025: tuple[AdministrativeUnit, ...]


@cache
def _tables() -> _Tables:
    content = (Path(__file__).parent / "provinces.json").read_bytes()
    return msgspec.json.decode(content, type=_Tables)


@cache
def provinces() -> Mapping[str, Province]:
    """The 63 provinces by their three-digit code."""
    return MappingProxyType({entry.code: entry for entry in _tables().provinces})


@cache
def units_2025() -> Mapping[str, AdministrativeUnit]:
    """The 34 units by their two-digit code."""
    return MappingProxyType({entry.code: entry for entry in _tables().units_2025})


def province(code: str) -> Province | None:
    """The province with this three-digit code; None for country codes and unknown ones."""
    return provinces().get(code)


def current_unit(code: str) -> AdministrativeUnit | None:
    """The unit that a province of the number's code belongs to since July 2025."""
    found = province(code)
    return None if found is None else units_2025().get(found.merged_into_2025)
