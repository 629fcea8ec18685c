"""Addresses across the reforms of the map: three levels before July 2025, two after it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from verification.identity.administrative_units import provinces, units_2025
from verification.identity.vietnamese_syllable import skeleton_word

_PREFIX = re.compile(
    r"^(?:TINH|THANH PHO|THI XA|THI TRAN|TP|TX|TT|QUAN|HUYEN|PHUONG|XA|DAC KHU|[TQHPX](?= ))\s+(?=\S)"
)
_WORDS = re.compile(r"[^\W_]+")
_MAX_PARTS = 8
_OTHER_SPELLINGS = {"DAC LAC": "DAK LAK", "DAC NONG": "DAK NONG", "HCM": "HO CHI MINH", "BAC CAN": "BAC KAN"}


@dataclass(frozen=True, slots=True)
class Place:
    """Names without marks and without their kind; ``unit`` is the provincial unit since July 2025."""

    commune: str = ""
    district: str = ""
    province: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        """One line for the index."""
        return "|".join((self.commune, self.district, self.province, self.unit))


@lru_cache(maxsize=65_536)
def place_of_text(text: str) -> Place:
    """What :attr:`Place.text` wrote."""
    return Place(*text.split("|"))


@lru_cache(maxsize=65_536)
def read_place(text: str) -> Place:
    """Read an address from its end: province, then district if three levels are given, then commune.

    Street and house in front of the commune are not compared. A last part that names no province stays
    as a province nobody knows.
    """
    parts = [plain_name(part) for part in unicodedata.normalize("NFC", text).split(",")[-_MAX_PARTS:]]
    parts = [part for part in parts if part]
    if not parts:
        return Place()
    province = _OTHER_SPELLINGS.get(parts[-1], parts[-1])
    parts.pop()
    unit = _units_by_name().get(province, "")
    kinds = [part for part in text.split(",") if part.strip()][-_MAX_PARTS:-1]
    if len(parts) > 1 and _is_district(kinds[-1]):
        return Place(parts[-2], parts[-1], province, unit)
    if len(parts) == 1 and _is_district(kinds[-1]):
        return Place("", parts[-1], province, unit)
    return Place(parts[-1] if parts else "", "", province, unit)


class PlaceLevel(StrEnum):
    """How two places agree, from best to worst."""

    SAME_COMMUNE = "same-commune"
    SAME_DISTRICT = "same-district"
    SAME_PROVINCE = "same-province"
    SAME_UNIT_SINCE_2025 = "same-unit-since-2025"
    OTHER = "other"
    UNKNOWN = "unknown"


def compare_places(one: Place, other: Place) -> PlaceLevel:
    """How far two places agree; a province and the unit it was merged into agree."""
    if not one.province or not other.province:
        return PlaceLevel.UNKNOWN
    if one.province != other.province and not (one.unit and one.unit == other.unit):
        return PlaceLevel.OTHER
    if one.commune and one.commune == other.commune and _do_districts_allow(one, other):
        return PlaceLevel.SAME_COMMUNE
    if one.district and one.district == other.district:
        return PlaceLevel.SAME_DISTRICT
    same = one.province == other.province
    return PlaceLevel.SAME_PROVINCE if same else PlaceLevel.SAME_UNIT_SINCE_2025


def _do_districts_allow(one: Place, other: Place) -> bool:
    # Addresses since July 2025 have no district.
    return not one.district or not other.district or one.district == other.district


@lru_cache(maxsize=65_536)
def plain_name(part: str) -> str:
    """A unit's name without marks and without its kind, as places are compared."""
    text = " ".join(skeleton_word(word) if word.isalpha() else word for word in _WORDS.findall(part))
    return _PREFIX.sub("", text)


def _is_district(part: str) -> bool:
    words = " ".join(skeleton_word(word) for word in _WORDS.findall(unicodedata.normalize("NFC", part)))
    return bool(re.match(r"(?:QUAN|HUYEN|THANH PHO|THI XA|TP|TX|Q|H)\b", words))


def province_code(text: str) -> str | None:
    """The three digits of the province that an address ends with; None where it names none of the 63."""
    return _codes_by_name().get(read_place(text).province)


@cache
def _codes_by_name() -> dict[str, str]:
    return {plain_name(entry.name): code for code, entry in provinces().items()}


@cache
def _units_by_name() -> dict[str, str]:
    """Old provinces and the units of 2025 by name; where a name is both, the old one lies in the new one."""
    since = {plain_name(unit.name): code for code, unit in units_2025().items()}
    before = {plain_name(entry.name): entry.merged_into_2025 for entry in provinces().values()}
    return {**since, **before}
