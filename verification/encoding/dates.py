"""Dates as cards write them: YYMMDD in the MRZ, dd/mm/yyyy in DG13, ddmmyyyy in the QR."""

from __future__ import annotations

import re
from datetime import date

from verification.errors import MalformedDocument

_EIGHT = re.compile(r"[0-9]{8}")
_PARTLY_KNOWN = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
_SLASHED = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}")


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


def is_partly_known(text: str) -> bool:
    """Whether a date as the registry writes it is a year, or a year and a month, alone."""
    return _PARTLY_KNOWN.fullmatch(text) is not None


def full_years(born: date, day: date) -> int:
    """How old somebody is on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


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
