"""Administrative units with the days they existed on, and what became of each of them.

A unit is its codes from the province down, joined by dots: ``001``, ``001.005``, ``001.005.00157``. Old
provinces have the three digits of the citizen number, the units since July 2025 two. A record keeps the
code of its own day; a report asks for the line under which that code stands on the day of the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from issuance_backend.refusals import UnitTablesRefused
from verification.identity.administrative_units import provinces, units_2025

NATION = ""
UNKNOWN = "000"
"""The line of what no unit of the day can be found for: shown, never dropped."""

OPEN_END = date(9999, 12, 31)
TWO_LEVELS_FROM = date(2025, 7, 1)
"""Resolution 202/2025/QH15: 34 provincial units, and no districts."""

_SIXTY_THREE_FROM = date(2008, 8, 1)
_BASIS_63, _BASIS_34 = "Nghị quyết 15/2008/QH12", "Nghị quyết 202/2025/QH15"
_CODE = re.compile(r"[0-9]{2,3}(\.[0-9]{1,6}){0,2}")


class UnitLevel(StrEnum):
    """What kind of unit it is."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"


_LEVELS_UNDER: Mapping[UnitLevel | None, frozenset[UnitLevel]] = {
    None: frozenset({UnitLevel.PROVINCE}),
    UnitLevel.PROVINCE: frozenset({UnitLevel.DISTRICT, UnitLevel.COMMUNE}),
    UnitLevel.DISTRICT: frozenset({UnitLevel.COMMUNE}),
    UnitLevel.COMMUNE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit under one name; ``valid_to`` is the first day on which it was no more."""

    code: str
    level: UnitLevel
    name: str
    valid_from: date
    valid_to: date
    legal_basis: str

    @property
    def parent(self) -> str:
        """The code of the unit above; NATION for a province."""
        return self.code.rpartition(".")[0]

    def is_on(self, day: date) -> bool:
        """Whether it existed on a day."""
        return self.valid_from <= day < self.valid_to


@dataclass(frozen=True, slots=True)
class Succession:
    """On this day the unit passed, wholly or in part, into another."""

    code: str
    successor: str
    on: date
    legal_basis: str


class UnitRegister:
    """Every unit that ever was, as a tree for any day.

    Raises UnitTablesRefused unless versions of a code follow one another, every unit has a parent all
    its days, and every succession leads from a unit that ended to one that stood on that day.
    """

    def __init__(self, units: Iterable[Unit], successions: Iterable[Succession] = ()) -> None:
        self._versions: dict[str, list[Unit]] = {}
        for unit in sorted(units, key=lambda unit: (unit.code, unit.valid_from)):
            self._versions.setdefault(unit.code, []).append(unit)
        self._after: dict[str, list[Succession]] = {}
        self._before: dict[str, list[Succession]] = {}
        for succession in successions:
            self._after.setdefault(succession.code, []).append(succession)
            self._before.setdefault(succession.successor, []).append(succession)
        self._require_sound()
        self._lines: tuple[date, Mapping[str, str]] | None = None
        self._provinces_with_communes = {code.partition(".")[0] for code in self.communes_ever()}

    def unit(self, code: str, day: date) -> Unit | None:
        """The unit with this code on a day."""
        return next((unit for unit in self._versions.get(code, ()) if unit.is_on(day)), None)

    def versions(self, code: str) -> list[Unit]:
        """The unit with this code under every name it had, oldest first."""
        return list(self._versions.get(code, ()))

    def formers(self, code: str) -> list[str]:
        """What passed, wholly or in part, into this unit."""
        return [former.code for former in self._before.get(code, ())]

    def successors(self, code: str) -> list[str]:
        """What this unit passed into, wholly or in part."""
        return [later.successor for later in self._after.get(code, ())]

    def communes_ever(self) -> list[str]:
        """The code of every unit that ever was a commune."""
        return [
            code
            for code, versions in self._versions.items()
            if any(version.level is UnitLevel.COMMUNE for version in versions)
        ]

    def is_known(self, code: str) -> bool:
        """Whether there ever was a unit with this code."""
        return code in self._versions

    def exists_after(self, code: str, day: date) -> bool:
        """Whether there was a unit with this code on a day, or later."""
        return any(version.valid_to > day for version in self._versions.get(code, ()))

    def lists_communes_of(self, code: str) -> bool:
        """Whether the communes of this unit's province were loaded at all."""
        return code.partition(".")[0] in self._provinces_with_communes

    def under(self, parent: str, day: date) -> list[Unit]:
        """The units right below another, or the provinces, on a day."""
        found = (self.unit(code, day) for code in self._versions if code.rpartition(".")[0] == parent)
        return [unit for unit in found if unit is not None]

    def communes(self, area: str, day: date) -> list[Unit]:
        """Every commune of an area on a day."""
        found = (self.unit(code, day) for code in self._versions if lies_in(code, area))
        return [unit for unit in found if unit is not None and unit.level is UnitLevel.COMMUNE]

    def line(self, code: str, day: date) -> str:
        """The unit under which a record filed under ``code`` stands in a report for a day.

        What was split, and what nobody can tell apart any more, stands under the smallest unit of that
        day that holds all it may belong to; what leads nowhere stands under the unit above, or UNKNOWN.
        """
        if self.unit(code, day) is not None:
            return code
        if code == NATION or not _CODE.fullmatch(code):
            return UNKNOWN
        lines = {self.line(other, day) for other in self._related(code, day)}
        if not lines:
            parent = code.rpartition(".")[0]
            return self.line(parent, day) if parent else UNKNOWN
        return _smallest_common(lines)

    def codes_in(self, area: str, day: date) -> list[str]:
        """Every code of this area and of what lies below it, and of what stands there on a day.

        So whoever works for a commune works with what was filed under those that became it.
        """
        if self._lines is None or self._lines[0] != day:
            self._lines = day, {code: self.line(code, day) for code in self._versions}
        return [code for code, line in self._lines[1].items() if lies_in(code, area) or lies_in(line, area)]

    def _related(self, code: str, day: date) -> list[str]:
        versions = self._versions.get(code, [])
        ended = [version.valid_to for version in versions if version.valid_to <= day]
        if ended:
            return [next_.successor for next_ in self._after.get(code, ()) if next_.on == max(ended)]
        begun = min((version.valid_from for version in versions), default=day)
        return [former.code for former in self._before.get(code, ()) if former.on == begun]

    def _require_sound(self) -> None:
        for versions in self._versions.values():
            for version in versions:
                self._require_unit(version)
            for one, other in pairwise(versions):
                if other.valid_from < one.valid_to:
                    raise UnitTablesRefused(f"{one.code}: two versions on {other.valid_from}")
        for successions in self._after.values():
            for succession in successions:
                self._require_succession(succession)

    def _require_unit(self, unit: Unit) -> None:
        if not _CODE.fullmatch(unit.code) or not unit.name.strip() or unit.valid_from >= unit.valid_to:
            raise UnitTablesRefused(f"{unit.code[:20]}: no unit's code, name or days")
        above = self._versions.get(unit.parent, [])
        day = unit.valid_from
        # Renamed parents have several versions: together they must reach to the unit's last day.
        while unit.parent and day < unit.valid_to:
            parent = next((version for version in above if version.is_on(day)), None)
            if parent is None or unit.level not in _LEVELS_UNDER[parent.level]:
                raise UnitTablesRefused(f"{unit.code}: no unit above it on {day}")
            day = parent.valid_to
        if not unit.parent and unit.level not in _LEVELS_UNDER[None]:
            raise UnitTablesRefused(f"{unit.code}: only provinces stand alone")

    def _require_succession(self, succession: Succession) -> None:
        ends = {version.valid_to for version in self._versions.get(succession.code, ())}
        if succession.on not in ends or self.unit(succession.code, succession.on) is not None:
            raise UnitTablesRefused(f"{succession.code}: does not end on {succession.on}")
        if self.unit(succession.successor, succession.on) is None:
            raise UnitTablesRefused(f"{succession.successor}: does not stand on {succession.on}")


def lies_in(code: str, area: str) -> bool:
    """Whether a unit is the area or a part of it."""
    return area in {NATION, code} or code.startswith(f"{area}.")


def national_units() -> tuple[list[Unit], list[Succession]]:
    """The 63 provinces since August 2008, the 34 units since July 2025, and which became which."""
    units = [
        Unit(entry.code, UnitLevel.PROVINCE, entry.name, _SIXTY_THREE_FROM, TWO_LEVELS_FROM, _BASIS_63)
        for entry in provinces().values()
    ]
    units += [
        Unit(entry.code, UnitLevel.PROVINCE, entry.name, TWO_LEVELS_FROM, OPEN_END, _BASIS_34)
        for entry in units_2025().values()
    ]
    successions = [
        Succession(entry.code, entry.merged_into_2025, TWO_LEVELS_FROM, _BASIS_34)
        for entry in provinces().values()
    ]
    return units, successions


def _smallest_common(lines: set[str]) -> str:
    if UNKNOWN in lines:
        return UNKNOWN
    parts = [line.split(".") for line in sorted(lines)]
    common: list[str] = []
    for codes in zip(*parts, strict=False):
        if len(set(codes)) > 1:
            break
        common.append(codes[0])
    return ".".join(common) or UNKNOWN
