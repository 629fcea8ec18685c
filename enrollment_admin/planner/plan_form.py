"""What a planner typed, as a campaign to be planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from enrollment_admin.planner.measured_pace import Measured, minutes_for_one
from verification.errors import FieldsRefused
from verification.messages.campaign_plan import MAX_AREAS, MAX_DAYS, Area, CycleTimes, PlanRequest

MEANS = ("target", "remote", "officers", "stations", "mobile_teams")
REST = {"none": frozenset[int](), "sundays": frozenset({6}), "weekends": frozenset({5, 6})}
"""On which days of the week nobody works; Monday is 0."""

SPARE_ROWS = 2
_MORE_ROWS = 5
_USUAL_DAYS = 90
_OPTIONAL = frozenset({"remote", "mobile_teams", "reserve"})
_PEOPLE, _FEW = range(100_000_001), range(100_001)
_RANGES: Mapping[str, range] = {
    "target": _PEOPLE,
    "remote": _PEOPLE,
    "shifts_a_day": range(1, 4),
    "officers_a_station": range(1, 21),
    "officers_a_team": range(1, 51),
}
"""As the message's; whatever is not named may be up to 100,000."""

_MOST_MINUTES = 480.0

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PlanForm:
    """The fields of the page by name, as typed; those of an area end with its row's number."""

    typed: Mapping[str, str]
    rows: int
    faults: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, areas: Iterable[Measured], today: date) -> PlanForm:
        """A fresh form, filled in from what was measured."""
        known = tuple(areas)
        last = max((each.ends_on for each in known if each.ends_on), default=today + timedelta(_USUAL_DAYS))
        typed = {
            "starts_on": (today + timedelta(1)).isoformat(),
            "ends_on": last.isoformat(),
            "rest": "sundays",
            "allows_overtime": "on",
            "shifts_a_day": "1",
            "reserve": "0",
            "officers_a_station": "2",
            "officers_a_team": "5",
        }
        for row, each in enumerate(known):
            typed |= {f"unit-{row}": each.unit, f"target-{row}": str(each.left or "")}
        return cls(typed, len(known) + SPARE_ROWS)

    @classmethod
    def posted(cls, form: Mapping[str, str]) -> PlanForm:
        """What came back from the page, with room for further areas."""
        typed = {name: value.strip() for name, value in form.items()}
        filled = [row for row in range(MAX_AREAS) if typed.get(f"unit-{row}")]
        extra = _MORE_ROWS if "more" in typed else SPARE_ROWS
        return cls(typed, min(MAX_AREAS, max(filled, default=-1) + 1 + extra))

    def refused(self, faults: dict[str, str]) -> PlanForm:
        """The same form with faults beside their fields."""
        return PlanForm(self.typed, self.rows, faults)

    @property
    def officers(self) -> dict[str, int]:
        """How many officers were typed for each area, where that is a number."""
        found = ((self.typed.get(f"unit-{row}"), self.typed.get(f"officers-{row}", "")) for row in self._rows)
        return {unit: int(count) for unit, count in found if unit and _is_number(count)}

    def request(self, areas: Iterable[Measured]) -> PlanRequest:
        """The campaign; raises FieldsRefused. A time that was left empty is the measured one."""
        read = _Reading(self.typed)
        period = read.day("starts_on"), read.day("ends_on")
        planned = tuple(self._area(read, row) for row in self._rows if self.typed.get(f"unit-{row}"))
        times = self._times(read, minutes_for_one(areas, self.officers))
        made = PlanRequest(
            starts_on=period[0],
            ends_on=period[1],
            areas=planned,
            times=times,
            reserve=read.number("reserve"),
            shifts_a_day=read.number("shifts_a_day"),
            rest_days=tuple(self._rest_days(read, *period)),
            works_rest_days="works_rest_days" in self.typed,
            allows_overtime="allows_overtime" in self.typed,
        )
        if not planned:
            read.faults["areas"] = "FIELD_MISSING"
        if read.faults:
            raise FieldsRefused(read.faults)
        return made

    @property
    def _rows(self) -> range:
        return range(self.rows)

    def _area(self, read: _Reading, row: int) -> Area:
        means = {name: read.number(f"{name}-{row}") for name in MEANS}
        return Area(unit=self.typed[f"unit-{row}"][:20], **means)

    def _times(self, read: _Reading, found: float | None) -> CycleTimes:
        at_station = read.minutes("officer_minutes", found)
        return CycleTimes(
            officer_minutes=at_station,
            mobile_officer_minutes=read.minutes("mobile_officer_minutes", at_station),
            officers_a_station=read.number("officers_a_station"),
            officers_a_team=read.number("officers_a_team"),
        )

    def _rest_days(self, read: _Reading, starts_on: date, ends_on: date) -> list[date]:
        weekly = REST.get(self.typed.get("rest", ""), frozenset())
        count = min(MAX_DAYS, (ends_on - starts_on).days + 1)
        every = (starts_on + timedelta(number) for number in range(count))
        holidays = read.days("holidays")
        return [day for day in every if day.weekday() in weekly or day in holidays]


class _Reading:
    """Reads fields of a form, and notes beside which of them a fault stands."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self._typed = typed
        self.faults: dict[str, str] = {}

    def number(self, name: str) -> int:
        """A whole number; what may be left out is nothing."""
        kind = name.partition("-")[0]
        text = self._typed.get(name, "").replace(".", "")
        if not text:
            return 0 if kind in _OPTIONAL else self._fault(name, "FIELD_MISSING", 0)
        if not _is_number(text) or int(text) not in _RANGES.get(kind, _FEW):
            return self._fault(name, "FIELD_CHARACTERS", 0)
        return int(text)

    def minutes(self, name: str, otherwise: float | None) -> float:
        """Minutes with a comma or a point; where it is empty, what was measured."""
        text = self._typed.get(name, "").replace(",", ".")
        if not text and otherwise is not None:
            return min(otherwise, _MOST_MINUTES)
        if not text:
            return self._fault(name, "FIELD_MISSING", 1.0)
        whole, _, part = text.partition(".")
        if not _is_number(whole) or not _is_number(part or "0") or not 0 < float(text) <= _MOST_MINUTES:
            return self._fault(name, "FIELD_CHARACTERS", 1.0)
        return float(text)

    def day(self, name: str) -> date:
        """A day."""
        try:
            return _day(self._typed.get(name, ""))
        except ValueError:
            return self._fault(name, "FIELD_DATE", date.min)

    def days(self, name: str) -> frozenset[date]:
        """Days, apart at spaces and commas."""
        words = self._typed.get(name, "").replace(",", " ").split()
        try:
            return frozenset(_day(word) for word in words)
        except ValueError:
            return self._fault(name, "FIELD_DATE", frozenset())

    def _fault(self, name: str, code: str, stand_in: Value) -> Value:
        self.faults[name] = code
        return stand_in


def _day(text: str) -> date:
    """A day as a browser sends it, or as people here write it."""
    day, slash, rest = text.partition("/")
    month, _, year = rest.partition("/")
    return date.fromisoformat(f"{year}-{month:0>2}-{day:0>2}" if slash else text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9
