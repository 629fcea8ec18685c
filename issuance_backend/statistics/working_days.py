"""Which days the offices of the state work, year by year: what every time limit is counted in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

_SATURDAY = 5


class _Year(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    year: int
    closed: tuple[str, ...]
    worked: tuple[str, ...]


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: str
    version: str
    fixed_days: tuple[str, ...]
    years: tuple[_Year, ...]


class WorkingDays:
    """A calendar that counts working days; days are those of Viet Nam.

    ``counting`` is all that a due day depends on.
    """

    def __init__(self, tables: _Tables) -> None:
        self.version = tables.version
        self.counting = msgspec.json.encode((tables.fixed_days, tables.years))
        self._fixed = tables.fixed_days
        self._years = {entry.year: entry for entry in tables.years}
        self._listed: dict[int, tuple[date, ...]] = {}

    def is_provisional(self, year: int) -> bool:
        """Whether this year's holidays are not announced yet, as far as this calendar knows."""
        return year not in self._years

    def after(self, day: date, count: int) -> date:
        """The ``count``-th working day after a day; the day itself for a count of 0 or less."""
        if count <= 0:
            return day
        year, left = day.year, count
        while True:
            listed = self._of_year(year)
            first = bisect_right(listed, day)
            if first + left <= len(listed):
                return listed[first + left - 1]
            left -= len(listed) - first
            year += 1

    def between(self, after: date, until: date) -> int:
        """How many working days lie behind ``after``, up to and with ``until``."""
        if until <= after:
            return 0
        years = range(after.year, until.year + 1)
        return sum(
            bisect_right(self._of_year(year), until) - bisect_right(self._of_year(year), after)
            for year in years
        )

    def _of_year(self, year: int) -> tuple[date, ...]:
        if year not in self._listed:
            self._listed[year] = tuple(self._working_days(year))
        return self._listed[year]

    def _working_days(self, year: int) -> Iterator[date]:
        entry = self._years.get(year) or _Year(year, self._fixed, ())
        closed, worked = set(entry.closed), set(entry.worked)
        day = date(year, 1, 1)
        while day.year == year:
            name = f"{day:%m-%d}"
            if name in worked or (day.weekday() < _SATURDAY and name not in closed):
                yield day
            if day == date.max:
                return
            day += timedelta(days=1)


@cache
def working_days() -> WorkingDays:
    """The calendar that lies beside this file."""
    content = resources.files("issuance_backend.statistics").joinpath("working_days.json").read_bytes()
    return WorkingDays(msgspec.json.decode(content, type=_Tables))
