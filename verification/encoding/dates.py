"""Dates as cards write them: YYMMDD in the MRZ, dd/mm/yyyy in DG13, ddmmyyyy in the QR."""

from __future__ import annotations

import re
from datetime import date

from verification.errors import MalformedDocument

_SIX = re.compile(r"[0-9]{6}")
_EIGHT = re.compile(r"[0-9]{8}")
_SLASHED = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")


def date_from_yymmdd(text: str, latest: date) -> date:
    """Read YYMMDD as the last such date that is not after ``latest``.

    A date of birth is at most the day of the check; an expiry is some decades ahead of it.
    Raises MalformedDocument for anything but six digits that name a day.
    """
    if not _SIX.fullmatch(text):
        raise MalformedDocument("date is not YYMMDD")
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    century = latest.year - latest.year % 100
    # 29 February may exist in one of the two centuries only: 2000 was a leap year, 1900 was not.
    for candidate in (century + year, century - 100 + year):
        found = _day_or_none(candidate, month, day)
        if found is not None and found <= latest:
            return found
    raise MalformedDocument("date names no day")


def yymmdd(day: date) -> str:
    """Write a date for the MRZ."""
    return f"{day.year % 100:02d}{day.month:02d}{day.day:02d}"


def date_from_slashed(text: str) -> date:
    """Read dd/mm/yyyy; raises MalformedDocument."""
    if not _SLASHED.fullmatch(text):
        raise MalformedDocument("date is not dd/mm/yyyy")
    return _day(int(text[6:]), int(text[3:5]), int(text[:2]))


def slashed(day: date) -> str:
    """Write dd/mm/yyyy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def date_from_compact(text: str) -> date:
    """Read ddmmyyyy; raises MalformedDocument."""
    if not _EIGHT.fullmatch(text):
        raise MalformedDocument("date is not ddmmyyyy")
    return _day(int(text[4:]), int(text[2:4]), int(text[:2]))


def compact(day: date) -> str:
    """Write ddmmyyyy."""
    return f"{day.day:02d}{day.month:02d}{day.year:04d}"


def _day(year: int, month: int, day: int) -> date:
    found = _day_or_none(year, month, day)
    if found is None:
        raise MalformedDocument("date names no day")
    return found


def _day_or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
