"""Dates as form DC01 has them: two digits for the day, one or two for the months 3 to 9, four for the year.

The circular writes the months 3 to 9 with one digit, local guidance writes 03 to 09; both stand in the
archive. One digit for January or February is refused: a stroke in front of it makes another month. Zeros,
or nothing, stand for what is not known.
"""

from __future__ import annotations

import re
from functools import lru_cache

from issuance_backend.population_registry.birth import BirthDate
from verification.errors import MalformedDocument

_MONTH = r"(?P<month>0[0-9]|1[0-2]|[3-9])"
_ON_PAPER = (
    re.compile(rf"(?:(?:(?P<day>[0-9]{{2}})/)?{_MONTH}/)?(?P<year>[0-9]{{4}})"),
    re.compile(rf"(?:(?:(?P<day>[0-9]{{2}})-)?{_MONTH}-)?(?P<year>[0-9]{{4}})"),
    re.compile(rf"(?:(?:(?P<day>[0-9]{{2}})\.)?{_MONTH}\.)?(?P<year>[0-9]{{4}})"),
    # Boxes are keyed as they follow one another.
    re.compile(rf"(?P<day>[0-9]{{2}}){_MONTH}(?P<year>[0-9]{{4}})"),
)


@lru_cache(maxsize=65_536)
def read_form_date(text: str) -> BirthDate | None:
    """The date, wholly or partly known, as the form's rule writes it; None for anything else."""
    for form in _ON_PAPER:
        found = form.fullmatch(text)
        if found:
            parts = {name: int(value or 0) for name, value in found.groupdict().items()}
            return _date_or_none(parts)
    return None


def _date_or_none(parts: dict[str, int]) -> BirthDate | None:
    try:
        return BirthDate(**parts)
    except MalformedDocument:
        return None
