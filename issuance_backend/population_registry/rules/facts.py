"""A record as the rules look at it: its texts, and what several rules need of them, read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.rules.form_date import read_form_date
from issuance_backend.population_registry.units.domain import UnitRegister

Record = Mapping[str, str]
"""The fields of a form by name; what is not filled in is missing or empty."""


class Facts:
    """One record on the day it is judged by; ``number`` and ``born`` are None where they cannot be read."""

    __slots__ = ("born", "day", "number", "record", "units")

    def __init__(self, record: Record, day: date, units: UnitRegister) -> None:
        self.record = record
        self.day = day
        self.units = units
        self.number = twelve_digits(record.get("citizen_number", ""))
        self.born: BirthDate | None = read_form_date(record.get("date_of_birth", ""))

    def text(self, field: str) -> str:
        """The field's text, empty where it is not filled in."""
        return self.record.get(field, "")


def twelve_digits(text: str) -> str | None:
    """A number of today's form; None for anything else, papers of nine digits included."""
    return text if len(text) == 12 and text.isascii() and text.isdigit() else None


def year_in(number: str) -> int:
    """The year of birth in a citizen number: century digit, then two digits."""
    return 1900 + 100 * (int(number[3]) // 2) + int(number[4:6])


def sex_in(number: str) -> str:
    """M or F, as the century digit has it."""
    return "MF"[int(number[3]) % 2]
