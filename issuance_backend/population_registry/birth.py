"""Dates of birth that may be partly known, and how far two of them agree."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from verification.errors import MalformedDocument

_FORMS = (
    re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"),
    re.compile(r"(?:(?:(?P<day>[0-9]{1,2})[/.-])?(?P<month>[0-9]{1,2})[/.-])?(?P<year>[0-9]{4})"),
    re.compile(r"(?P<day>[0-9]{2})(?P<month>[0-9]{2})(?P<year>[0-9]{4})"),
)
_EARLIEST_YEAR = 1850


@dataclass(frozen=True, slots=True)
class BirthDate:
    """Year, month and day; 0 for what is not known. Many old papers carry the year alone."""

    year: int
    month: int = 0
    day: int = 0

    def __post_init__(self) -> None:
        known = self.month or not self.day
        if not (known and self.year >= _EARLIEST_YEAR and _names_a_day(self)):
            raise MalformedDocument("a date of birth names no day")

    @classmethod
    def of(cls, day: date) -> BirthDate:
        """A date that is wholly known."""
        return cls(day.year, day.month, day.day)

    @classmethod
    def known_to(cls, day: date, last: str) -> BirthDate:
        """A date that is known to its ``year``, its ``month`` or its ``day``."""
        return cls(day.year, day.month if last != "year" else 0, day.day if last == "day" else 0)

    @classmethod
    def from_number(cls, number: int) -> BirthDate:
        """What :attr:`number` wrote."""
        return cls(number // 10_000, number // 100 % 100, number % 100)

    @property
    def text(self) -> str:
        """yyyy, yyyy-mm or yyyy-mm-dd."""
        parts = [f"{self.year:04d}", *(f"{part:02d}" for part in (self.month, self.day) if part)]
        return "-".join(parts)

    @property
    def number(self) -> int:
        """yyyymmdd with zeros for what is not known."""
        return self.year * 10_000 + self.month * 100 + self.day

    @property
    def first_day(self) -> date:
        """The first day that it can mean."""
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last_day(self) -> date:
        """The last day that it can mean."""
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])


def read_birth_date(text: str) -> BirthDate:
    """Read yyyy-mm-dd, dd/mm/yyyy (one digit allowed), ddmmyyyy, mm/yyyy or yyyy; zeros mean unknown.

    Raises MalformedDocument.
    """
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found:
            parts = {name: int(value or 0) for name, value in found.groupdict().items()}
            return BirthDate(**parts)
    raise MalformedDocument("a date of birth is in no known form")


def _names_a_day(born: BirthDate) -> bool:
    try:
        date(born.year, born.month or 1, born.day or 1)
    except ValueError:
        return False
    return True


class BirthLevel(StrEnum):
    """How two dates of birth agree, from best to worst."""

    SAME = "same"
    SAME_MONTH = "same-month"  # one of them does not know the day
    SAME_YEAR = "same-year"  # one of them knows the year only
    DAY_AND_MONTH_SWAPPED = "day-and-month-swapped"
    ONE_DIGIT_OTHER = "one-digit-other"
    YEAR_FOR_DATE = "first-of-january-for-year"
    SAME_YEAR_OTHER_DAY = "same-year-other-day"
    OTHER = "other"


_OF_ONE_DAY = frozenset({BirthLevel.SAME, BirthLevel.SAME_MONTH, BirthLevel.SAME_YEAR})


def compare_births(one: BirthDate, other: BirthDate) -> BirthLevel:
    """How far two dates agree."""
    if one.year == other.year:
        return _within_year(one, other)
    if one.day and other.day and _one_digit(f"{one.number:08d}", f"{other.number:08d}"):
        return BirthLevel.ONE_DIGIT_OTHER
    if abs(one.year - other.year) == 1 and (one.month, one.day) == (other.month, other.day) and one.day:
        return BirthLevel.ONE_DIGIT_OTHER  # 1999 and 2000
    return BirthLevel.OTHER


def may_be_one_day(one: BirthDate, other: BirthDate) -> bool:
    """Whether nothing that both know tells the two days apart: a year agrees with every day of it."""
    return compare_births(one, other) in _OF_ONE_DAY


def _within_year(one: BirthDate, other: BirthDate) -> BirthLevel:
    if not one.month or not other.month:
        return BirthLevel.SAME if one == other else BirthLevel.SAME_YEAR
    if not one.day or not other.day:
        return BirthLevel.SAME_MONTH if one.month == other.month else BirthLevel.SAME_YEAR_OTHER_DAY
    return _whole_dates(one, other)


def _whole_dates(one: BirthDate, other: BirthDate) -> BirthLevel:
    if one == other:
        return BirthLevel.SAME
    if (one.month, one.day) == (other.day, other.month):
        return BirthLevel.DAY_AND_MONTH_SWAPPED
    if _one_digit(f"{one.number}", f"{other.number}"):
        return BirthLevel.ONE_DIGIT_OTHER
    if (1, 1) in {(one.month, one.day), (other.month, other.day)}:
        return BirthLevel.YEAR_FOR_DATE
    return BirthLevel.SAME_YEAR_OTHER_DAY


def _one_digit(one: str, other: str) -> bool:
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
