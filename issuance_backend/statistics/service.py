"""The office of statistics: reports for any moment, the records behind a figure, texts to check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked, page_of
from issuance_backend.refusals import FigureUnknown, UnitUnknown
from issuance_backend.statistics import (
    averages,
    claims,
    contradictions,
    figures,
    number_repository,
    pace,
    repository,
    return_repository,
    roll_up,
)
from issuance_backend.statistics.definitions import Vocabulary, vocabulary
from issuance_backend.statistics.domain import age_of, count_of, into, out_of, spent_in
from issuance_backend.statistics.figure_names import MISSING, STOCK, known_figure
from issuance_backend.statistics.figures import Figures
from issuance_backend.statistics.pace import PACE_DAYS, Progress
from issuance_backend.statistics.repository import Bound, RecordsAsked, Target
from issuance_backend.statistics.returns import Span, return_lines
from issuance_backend.statistics.units import (
    NATION,
    is_province,
    is_to_come,
    line_of,
    members_of,
    parent,
    unit_name,
)
from issuance_backend.statistics.working_days import working_days
from issuance_backend.unit_codes import is_unit, lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.national_time import VIETNAM, vietnam_date
from verification.messages.statistics import (
    CauseDefinition,
    ClockDefinition,
    ClockFigure,
    CounterDefinition,
    Definitions,
    DistributionDefinition,
    IdentityCheck,
    KitFigure,
    MeasureDefinition,
    OlderThan,
    RecordLine,
    Report,
    ReturnReport,
    ShareDefinition,
    StageFigure,
    StockFigure,
    TargetFigure,
    TextFindings,
    TextToCheck,
    UnitLine,
)

MAX_TEXT = 20_000
_LEADERS = (Role.SUPERVISOR, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.AUDITOR)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing was recorded here before."""
_SETTLED = timedelta(minutes=1)
"""Whoever records takes the moment first: until then a transaction under way may still bring an event."""


class Period(StrEnum):
    """What a report's second column covers, up to its day."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    def first_day(self, day: date) -> date:
        """The first day of the period that holds a day."""
        firsts = {
            Period.DAY: day,
            Period.WEEK: day - timedelta(days=day.weekday()),
            Period.MONTH: day.replace(day=1),
            Period.YEAR: day.replace(month=1, day=1),
        }
        return firsts[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is to be about: an area, a moment (now unless given), a period."""

    unit: str = NATION
    as_of: datetime | None = None
    period: Period = Period.DAY


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where a report stands: its moment, day and version, and the areas it speaks of."""

    connection: Connection
    asked: Asked
    as_of: datetime
    day: date
    bound: Bound | None
    version: int
    final: bool
    names: tuple[str, ...]
    units: tuple[str, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        return (*members_of(self.asked.unit, self.day), *self.units)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(sorted({line_of(unit, self.day) for unit in self.units}))


class StatisticsOffice:
    """Reads figures; nothing here counts, that happened when the events were recorded."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @staticmethod
    def definitions() -> Definitions:
        """What is counted, divided and timed."""
        words = vocabulary()
        return Definitions(
            version=words.version,
            calendar=working_days().version,
            counters=tuple(
                CounterDefinition(each.id, each.version, each.kind, each.vi, each.en, each.means)
                for each in words.counters
            ),
            causes=tuple(
                CauseDefinition(each.id, each.version, each.kind, each.vi, each.en, each.means)
                for each in words.causes
            ),
            shares=tuple(
                ShareDefinition(each.id, each.version, each.part, each.whole) for each in words.shares
            ),
            clocks=tuple(
                ClockDefinition(each.id, each.version, each.kind, each.days, each.basis, each.vi, each.en)
                for each in words.clocks
            ),
            measures=tuple(
                MeasureDefinition(each.id, each.version, each.kind, each.vi, each.en, each.means)
                for each in words.measures
            ),
            distributions=tuple(
                DistributionDefinition(
                    each.id, each.version, each.kind, each.parts, each.bands, each.vi, each.en, each.means
                )
                for each in words.distributions
            ),
        )

    def report(self, asked: Asked) -> Report:
        """A whole report; raises FigureUnknown for a moment that is to come, UnitUnknown, FiguresOutdated."""
        now = self._clock()
        as_of = _moment(asked, now)
        with self._database.reading() as connection:
            roll_up.require_current(connection)
            require_unit(connection, asked.unit, vietnam_date(as_of))
            return _report(_seen(connection, asked, as_of, now))

    def records(self, asked: Asked, figure: str, page: PageAsked) -> Page[RecordLine]:
        """The records behind a figure, one page: exactly those whose sizes add up to it.

        ``figure`` is a counter, ``stock.KIND.STATE``, ``cause.CAUSE.CODE``, ``missing.KIT`` (the numbers that
        are missing) or any figure's own name; raises FigureUnknown, UnitUnknown and FiguresOutdated.
        """
        as_of = _moment(asked, self._clock())
        with self._database.reading() as connection:
            roll_up.require_current(connection)
            require_unit(connection, asked.unit, vietnam_date(as_of))
            version, _ = repository.version_at(connection, as_of)
            wanted = RecordsAsked(
                figure=known_figure(connection, figure),
                areas=members_of(asked.unit, vietnam_date(as_of)),
                first=_after(page) + 1,
                last=version,
                limit=page.limit + 1,
            )
            kind, _, state = wanted.figure.removeprefix(STOCK).partition(".")
            if wanted.figure.startswith(MISSING):
                rows = _missing_numbers(connection, wanted)
            elif wanted.figure.startswith(STOCK):
                rows = repository.stays_at(connection, (kind, state), wanted)
            else:
                rows = repository.moves_behind(connection, wanted)
        return page_of([RecordLine(*row) for row in rows], page, lambda line: (str(line.sequence),))

    def returns(self, officer: Officer, asked: Asked) -> ReturnReport:
        """Captures of a period that were sent back, by officer and kit, for whoever leads there.

        Without a unit it is the officer's whole area. Raises RoleMissing, FigureUnknown and UnitUnknown, also
        for a unit of another area.
        """
        officer.require(*_LEADERS)
        as_of = _moment(asked, self._clock())
        day, area = vietnam_date(as_of), officer.area or NATION
        unit = asked.unit or area
        if area != NATION and not lies_in(unit, area):
            raise UnitUnknown("not a unit of this officer's area")
        first_day = asked.period.first_day(day)
        with self._database.reading() as connection:
            roll_up.require_current(connection)
            require_unit(connection, unit, day)
            before, _ = repository.version_at(connection, end_of_day(first_day - timedelta(days=1)))
            version, _ = repository.version_at(connection, as_of)
            span = Span(before + 1, version)
            steps = return_repository.steps_of_captures(connection, members_of(unit, day), span)
            lines = return_lines(steps, span)
        return ReturnReport(
            as_of=rfc3339(as_of),
            version=version,
            unit=unit,
            unit_name=unit_name(unit),
            period_from=first_day.isoformat(),
            period_to=day.isoformat(),
            lines=lines,
        )

    @staticmethod
    def check_text(asked: TextToCheck) -> TextFindings:
        """What is wrong with the figures of a text, as far as they can be read; raises FieldsRefused."""
        if len(asked.text) > MAX_TEXT:
            raise FieldsRefused({"text": "FIELD_TOO_LONG"})
        try:
            as_of = date.fromisoformat(asked.as_of) if asked.as_of else None
        except ValueError:
            raise FieldsRefused({"as_of": "FIELD_DATE"}) from None
        statements = claims.read(asked.text, as_of)
        return TextFindings(len(statements), contradictions.findings(statements))


def _moment(asked: Asked, now: datetime) -> datetime:
    as_of = asked.as_of or now
    if not _FIRST <= as_of <= now:
        raise FigureUnknown("a moment that is not over")
    return as_of


def _missing_numbers(
    connection: Connection, asked: RecordsAsked
) -> list[tuple[int, str, str, str, str, int]]:
    """The missing numbers of a kit as records: each under its own number, missing since a moment."""
    kit = asked.figure.removeprefix(MISSING)
    found = number_repository.missing_numbers(
        connection, kit, asked.areas, asked.last, asked.first - 1, asked.limit
    )
    moments = repository.moments(connection, {since for _, _, since in found})
    return [
        (number, f"kit/{kit}/{number}", unit, "missing", moments[since], 1) for number, unit, since in found
    ]


def require_unit(connection: Connection, unit: str, day: date) -> None:
    """Refuse where nobody works and nothing was ever counted, and a unit of a later map.

    Zeros would look like figures.
    """
    if is_to_come(unit, day):
        raise UnitUnknown("no unit of that day")
    if unit == NATION or is_province(unit):
        return
    areas = members_of(unit, day) if is_unit(unit) else ()
    if not any(repository.knows_unit(connection, area) for area in areas):
        raise UnitUnknown("no such unit")


def end_of_day(day: date) -> datetime:
    """The last moment of a day in Viet Nam."""
    return datetime.combine(day, time.max, VIETNAM).astimezone(UTC)


def _seen(connection: Connection, asked: Asked, as_of: datetime, now: datetime) -> _Seen:
    version, _ = repository.version_at(connection, as_of)
    day = vietnam_date(as_of)
    bound = None
    if as_of < now:
        # Told as it will always be, whether or not anything was recorded since.
        # Whole days come from their sums; of the last day, only what was recorded by then.
        before = datetime.combine(day, time.min, VIETNAM) - timedelta(microseconds=1)
        first, _ = repository.version_at(connection, before)
        bound = Bound(day - timedelta(days=1), first + 1, version)
    units = [
        unit for area in members_of(asked.unit, day) for unit in repository.units_below(connection, area)
    ]
    names = tuple(repository.figure_names(connection))
    is_final = as_of <= now - _SETTLED
    return _Seen(connection, asked, as_of, day, bound, version, is_final, names, tuple(units))


class _Names(NamedTuple):
    """The figures that a report reads, by name."""

    at: tuple[tuple[str, str], ...]
    """The kinds and states that are told."""
    causes: tuple[str, ...]
    everywhere: list[str]
    """For every area of the report."""
    own: list[str]
    """For the report's own area."""
    to_date: list[str]
    """For every area, as they were before the period."""
    lately: list[str]
    """For the report's own area, as they were before the period."""


def _names(seen: _Seen, words: Vocabulary) -> _Names:
    at = tuple(place for place in figures.places(seen.names) if words.is_reported(place[0]))
    known, causes = set(seen.names), figures.cause_names(seen.names, words)
    counts = [count_of(counter.id) for counter in words.counters]
    flows = [name for kind, state in at for name in (into(kind, state), out_of(kind, state))]
    stays = [name for kind, state in at for name in (out_of(kind, state), spent_in(kind, state))]
    clocks = [f"clock.{clock.id}.{part}" for clock in words.clocks for part in figures.CLOCK_PARTS]
    measures = [name for name in averages.measure_names(words) if name in known]
    lately = [name for name in (*stays, *measures, *averages.band_names(words)) if name in known]
    return _Names(
        at,
        causes,
        everywhere=[*(name for name in (*counts, *flows) if name in known), *causes, *measures],
        own=[name for name in (*clocks, *figures.time_names(at), *lately) if name in known],
        to_date=[*(name for name in counts if name in known), *causes],
        lately=lately,
    )


def _report(seen: _Seen) -> Report:
    words, area = vocabulary(), seen.asked.unit
    names = _names(seen, words)
    at, causes = names.at, names.causes
    now = _figures(seen, names.everywhere, names.own)
    first_day = seen.asked.period.first_day(seen.day)
    before = _figures_before(seen, names.to_date, names.lately, first_day)
    stocks = figures.stocks(now, area, at)
    clock_figures = tuple(figures.clock_figure(now, area, clock) for clock in words.clocks)
    started = tuple(each for each in clock_figures if each.started)
    stages = _stages(seen, now, stocks)
    return Report(
        as_of=rfc3339(seen.as_of),
        version=seen.version,
        final=seen.final,
        definitions=words.version,
        calendar=working_days().version + ("?" if working_days().is_provisional(seen.day.year) else ""),
        unit=area,
        unit_name=unit_name(area),
        period_from=first_day.isoformat(),
        period_to=seen.day.isoformat(),
        total=_line(now, before, area),
        units=tuple(made for line in seen.lines if (made := _line(now, before, line)).to_date),
        shares=figures.shares(now, area, words),
        funnel=words.funnel,
        stocks=stocks,
        clocks=started,
        stages=stages,
        targets=_targets(seen, now),
        identities=(*_identities(seen, now, names.everywhere, started, at), figures.older_hold(stages)),
        causes=figures.causes(now, before, area, causes, words),
        account_funnel=words.account_funnel,
        averages=averages.averages(now, before, area, words),
        turnarounds=averages.turnarounds(now, before, area, at),
        parts=averages.parts(now, before, area, words),
        kits=_kits(seen),
    )


def _figures(seen: _Seen, wanted: list[str], own: list[str]) -> Figures:
    """Everything for every area, and what only the report's own area needs."""
    whole_days = seen.bound.day if seen.bound else seen.day
    areas = seen.areas
    members = members_of(seen.asked.unit, seen.day)
    sums = {
        **repository.balances(seen.connection, areas, wanted, whole_days),
        **repository.balances(seen.connection, members, own, whole_days),
    }
    if seen.bound:
        for place, amount in repository.tail(seen.connection, seen.bound).items():
            sums[place] = sums.get(place, 0) + amount
    missed = repository.overdue_dues(seen.connection, members, seen.day)
    return Figures(seen.day, rfc3339(seen.as_of), sums, missed)


def _figures_before(seen: _Seen, names: list[str], own: list[str], day: date) -> Figures:
    """What was counted before a day: for every area, and what only the report's own needs."""
    eve, members = day - timedelta(days=1), members_of(seen.asked.unit, seen.day)
    sums = {
        **repository.balances(seen.connection, seen.areas, names, eve),
        **repository.balances(seen.connection, members, own, eve),
    }
    return Figures(seen.day, rfc3339(seen.as_of), sums, {})


def _line(now: Figures, before: Figures, area: str) -> UnitLine:
    words = vocabulary()
    to_date = {counter.id: now.amount(area, count_of(counter.id)) for counter in words.counters}
    return UnitLine(
        unit=area,
        name=unit_name(area),
        to_date={name: amount for name, amount in to_date.items() if amount},
        in_period={
            name: amount - before.amount(area, count_of(name)) for name, amount in to_date.items() if amount
        },
    )


def _stages(seen: _Seen, now: Figures, stocks: tuple[StockFigure, ...]) -> tuple[StageFigure, ...]:
    words = vocabulary()
    waiting = [each for each in stocks if each.stock and words.is_waiting(each.kind, each.state)]
    names = [out_of(each.kind, each.state) for each in waiting]
    members = members_of(seen.asked.unit, seen.day)
    week_ago = seen.day - timedelta(days=PACE_DAYS)
    earlier = Figures(seen.day, "", repository.balances(seen.connection, members, names, week_ago), {})
    found = []
    for each in waiting:
        half, most = figures.time_limits(now, seen.asked.unit, each.kind, each.state)
        lately = each.left - earlier.amount(seen.asked.unit, out_of(each.kind, each.state))
        oldest = None
        if seen.bound is None:
            since = [repository.oldest(seen.connection, each.kind, each.state, area) for area in members]
            oldest = min((moment for moment in since if moment), default=None)
        found.append((each, half, most, oldest, lately))
    slowest = max((_days(each.stock, lately) for each, _, _, _, lately in found), default=None)
    return tuple(
        StageFigure(
            kind=each.kind,
            state=each.state,
            stock=each.stock,
            oldest_since=oldest,
            half_left_within_minutes=half,
            nineteen_of_twenty_left_within_minutes=most,
            days_to_clear=str(figures.a_day(each.stock * PACE_DAYS, lately)) if lately else None,
            is_bottleneck=_days(each.stock, lately) == slowest,
            older=_older(seen, each),
        )
        for each, half, most, oldest, lately in found
    )


def _older(seen: _Seen, stock: StockFigure) -> tuple[OlderThan, ...]:
    """How much of a stock has waited for the days that are defined for it."""
    place = stock.kind, stock.state
    days = next((each.days for each in vocabulary().ages if (each.kind, each.state) == place), ())
    if seen.bound is not None or not days:
        return ()
    since = [seen.day - timedelta(days=each) for each in days]
    members = members_of(seen.asked.unit, seen.day)
    amounts = repository.still_there(seen.connection, members, age_of(*place), since)
    return tuple(OlderThan(*each) for each in zip(days, amounts, strict=True))


def _kits(seen: _Seen) -> tuple[KitFigure, ...]:
    """The kits of which running numbers were missing or given up at the report's moment."""
    members = members_of(seen.asked.unit, seen.day)
    found = number_repository.missing(seen.connection, members, seen.version)
    moments = repository.moments(seen.connection, {each.since for each in found if each.since is not None})
    return tuple(
        KitFigure(
            kit=each.kit,
            unit=each.unit,
            newest=each.newest,
            missing=each.missing,
            given_up=each.given_up,
            oldest_since=None if each.since is None else moments[each.since],
        )
        for each in found
    )


def _days(stock: int, lately: int) -> float:
    return stock * PACE_DAYS / lately if lately else float("inf")


def _targets(seen: _Seen, now: Figures) -> tuple[TargetFigure, ...]:
    lines = {seen.asked.unit, *seen.lines}
    # A target names a unit as it was drawn when it was set.
    found = [
        target
        for target in repository.targets(seen.connection, seen.day, seen.as_of)
        if not is_to_come(target.unit, seen.day)
        and (target.unit in lines or _is_line_below(seen, target.unit, lines))
    ]
    names = sorted({count_of(target.definition) for target in found})
    starts = {target: target.starts_on - timedelta(days=1) for target in found}
    weeks = {target: max(seen.day - timedelta(days=PACE_DAYS), starts[target]) for target in found}
    earlier = {
        day: Figures(seen.day, "", repository.balances(seen.connection, seen.areas, names, day), {})
        for day in {*starts.values(), *weeks.values()}
    }
    progress = [
        _progress(target, now, (earlier[starts[target]], earlier[weeks[target]]), weeks[target])
        for target in found
    ]
    return pace.ranked(pace.target_figure(each, seen.day) for each in progress)


def _is_line_below(seen: _Seen, unit: str, lines: set[str]) -> bool:
    """Whether a target's unit has a line here; one that has done nothing yet has its target all the same.

    An area of former codes is shown by them: of what is right below it, under its own as well.
    """
    line, area = line_of(unit, seen.day), seen.asked.unit
    return line in lines or (unit != NATION and area in {parent(line), parent(unit)})


def _progress(target: Target, now: Figures, earlier: tuple[Figures, Figures], week_ago: date) -> Progress:
    name = count_of(target.definition)
    done, before, lately = (each.amount(target.unit, name) for each in (now, *earlier))
    return Progress(
        definition=target.definition,
        unit=target.unit,
        starts_on=target.starts_on,
        ends_on=target.ends_on,
        target=target.amount,
        done=done - before,
        lately=done - lately,
        lately_days=(now.day - week_ago).days,
        basis=target.basis,
        set_by=target.set_by,
    )


def _identities(
    seen: _Seen,
    now: Figures,
    names: list[str],
    clocks: tuple[ClockFigure, ...],
    at: tuple[tuple[str, str], ...],
) -> tuple[IdentityCheck, ...]:
    checks = [figures.stocks_hold(now, (seen.asked.unit, *seen.lines), at)]
    if seen.asked.unit == NATION:
        checks.append(figures.parts_make_the_whole(now, NATION, seen.lines, names))
    checks.append(figures.clocks_hold(clocks))
    checks.append(averages.every_stay_was_timed(now, seen.asked.unit, at))
    return tuple(checks)


def _after(page: PageAsked) -> int:
    number = page.after[0] if page.after else "0"
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise FieldsRefused({"cursor": "FIELD_CHARACTERS"})
    return min(int(number), 2**31 - 2)
