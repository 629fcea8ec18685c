"""The figures of partners' calls: all of them for the operator, its own for a partner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from gateway.domain.call_figures import (
    CountedCalls,
    FacilityLine,
    ResultLine,
    ServiceLine,
    count_place,
    facility_lines,
    facility_place,
    result_lines,
    result_place,
    service_lines,
)
from gateway.domain.line_pages import MOST_LINES, page_of
from gateway.domain.partner import Caller
from gateway.ports import CallFigures, Clock
from verification.errors import RequestMalformed
from verification.messages.national_time import vietnam_date

USUAL_DAYS = 30
MOST_DAYS = 92


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Viet Nam, both included; one that is not said is up to today, or the usual time before."""

    since: date | None = None
    until: date | None = None


class CallReport(msgspec.Struct, frozen=True):
    """What calls came to.

    ``records`` are all entries of the evidence log and ``counted`` all counted calls, of any day: they are
    equal; null for a partner, whose calls are not all. ``definition`` says by language what is counted.
    """

    since: str
    until: str
    as_of: str
    definition: Mapping[str, str]
    records: int | None
    counted: int | None
    results: tuple[ResultLine, ...]
    services: tuple[ServiceLine, ...]
    facilities: tuple[FacilityLine, ...]
    results_next: str | None
    facilities_next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """How many lines of each list, and behind which; every sum is of the whole time all the same."""

    limit: int = MOST_LINES
    results_after: str | None = None
    facilities_after: str | None = None
    calls_after: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read for one question."""

    since: date
    until: date
    at: datetime
    calls: tuple[CountedCalls, ...]
    records: int | None = None
    counted: int | None = None


class CallFiguresDesk:
    """Answers how often partners called, with what result, and how long it took."""

    def __init__(self, figures: CallFigures, clock: Clock, definition: Mapping[str, str]) -> None:
        self._figures = figures
        self._clock = clock
        self._definition = definition

    def of_all(self, period: Period) -> Asked:
        """Every partner's calls; raises RequestMalformed for a time that is none, or too long."""
        at, since, until = self._days(period)
        found = self._figures.between(since, until, None)
        return Asked(since, until, at, found.calls, found.records, found.counted)

    def of(self, caller: Caller, period: Period) -> Asked:
        """The caller's own calls and nobody else's; raises RequestMalformed."""
        at, since, until = self._days(period)
        return Asked(since, until, at, self._figures.between(since, until, caller.partner).calls)

    def counts(self, asked: Asked, lines: Lines) -> tuple[tuple[CountedCalls, ...], str | None]:
        """A page of what was counted, and the cursor of what follows; raises RequestMalformed."""
        return page_of(asked.calls, count_place, lines.calls_after, lines.limit)

    def report(self, asked: Asked, lines: Lines) -> CallReport:
        """The figures by result, by product and by facility; raises RequestMalformed."""
        results, results_next = page_of(
            result_lines(asked.calls), result_place, lines.results_after, lines.limit
        )
        facilities, facilities_next = page_of(
            facility_lines(asked.calls), facility_place, lines.facilities_after, lines.limit
        )
        return CallReport(
            since=asked.since.isoformat(),
            until=asked.until.isoformat(),
            as_of=asked.at.isoformat(timespec="milliseconds"),
            definition=self._definition,
            records=asked.records,
            counted=asked.counted,
            results=results,
            services=service_lines(asked.calls),
            facilities=facilities,
            results_next=results_next,
            facilities_next=facilities_next,
        )

    def _days(self, period: Period) -> tuple[datetime, date, date]:
        at = self._clock()
        until = period.until or vietnam_date(at)
        since = period.since or date.fromordinal(max(1, until.toordinal() - USUAL_DAYS + 1))
        if not timedelta() <= until - since < timedelta(days=MOST_DAYS):
            raise RequestMalformed(f"from a day to the same or a later one, at most {MOST_DAYS} days")
        return at, since, until
