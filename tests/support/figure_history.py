"""Histories of recorded events for figures, and what they add up to when everything is counted one by one.

The counting here shares no code with the office's: it walks the steps from the first to the last and looks
at every day on its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

from sqlalchemy import delete, update

from issuance_backend.recorded_events import append
from issuance_backend.schema import EVENT_HEAD, EVENTS
from issuance_backend.statistics.definitions import Clock, vocabulary
from issuance_backend.statistics.tables import (
    FIGURE_DAYS,
    FIGURE_DUES,
    FIGURE_MOVES,
    FIGURE_NUMBERS,
    FIGURE_RULES,
    FIGURE_UNITS,
)
from issuance_backend.statistics.working_days import working_days
from issuance_backend.steps import Step
from monitoring.database import Database

START = datetime(2021, 4, 5, 1, 0, tzinfo=UTC)
FIGURES = (FIGURE_MOVES, FIGURE_DAYS, FIGURE_DUES, FIGURE_UNITS, FIGURE_NUMBERS, FIGURE_RULES)
"""Everything that is counted, and by which rules."""

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class Told:
    """One step as a test tells it."""

    at: datetime
    subject: str
    state: str
    detail: dict[str, str] = field(default_factory=dict)


def record(database: Database, steps: Iterable[Told]) -> None:
    """Record steps as the office does, all in one transaction."""
    with database.writing() as connection:
        for told in steps:
            append(
                connection,
                Step(
                    subject=told.subject,
                    event="step",
                    state=told.state,
                    actor="lan",
                    at=told.at.isoformat(),
                    detail=told.detail,
                ),
            )


def wipe(database: Database) -> None:
    """Make a database new again, targets apart."""
    with database.writing() as connection:
        for table in (*FIGURES, EVENTS):
            connection.execute(delete(table))
        connection.execute(update(EVENT_HEAD).values(sequence=0, hash="0" * 64))


@dataclass
class _Life:
    unit: str
    size: int
    first_day: date
    steps: list[tuple[datetime, str]] = field(default_factory=list)
    days: list[tuple[date, str]] = field(default_factory=list)
    dossier: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    clock_units: dict[str, str] = field(default_factory=dict)


@dataclass
class Counted:
    """What a history adds up to at a moment, each thing by (unit, name)."""

    counters: Counter[tuple[str, str]] = field(default_factory=Counter)
    stocks: Counter[tuple[str, str]] = field(default_factory=Counter)
    clocks: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    older: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Counter[tuple[str, str]] = field(default_factory=Counter)
    measured: Counter[tuple[str, str]] = field(default_factory=Counter)
    totals: Counter[tuple[str, str]] = field(default_factory=Counter)
    bands: Counter[tuple[str, str]] = field(default_factory=Counter)
    held: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    numbers: dict[str, dict[str, set[int]]] = field(default_factory=dict)

    def within(self, name: str, area: str) -> Counter[str]:
        """One of the counters, added up over an area."""
        sums: Counter[str] = Counter()
        table: Mapping[tuple[str, str], int] = getattr(self, name)
        for (unit, thing), amount in table.items():
            if not area or unit == area or unit.startswith(area + "."):
                sums[thing] += amount
        return sums


def count(steps: Iterable[Told], moment: datetime) -> Counted:
    """Count everything that was recorded up to a moment."""
    lives: dict[str, _Life] = {}
    counted = Counted()
    for told in steps:
        if told.at <= moment:
            _live(told, lives, counted)
    today = moment.astimezone(_VIETNAM).date()
    for subject, life in lives.items():
        place = f"{_kind(subject)}.{life.steps[-1][1]}"
        counted.stocks[life.unit, place] += life.size
        counted.held.setdefault((life.unit, place), set()).add(subject)
        for days in (10, 30, 90, 180):
            if (today - life.steps[-1][0].astimezone(_VIETNAM).date()).days >= days:
                counted.older[life.unit, f"{place}.{days}"] += life.size
        for name, unit in life.clock_units.items():
            clock = next(each for each in vocabulary().clocks if each.id == name)
            counted.clocks[unit, f"{name}.{_where(clock, life, today)}"] += life.size
    return counted


def _live(told: Told, lives: dict[str, _Life], counted: Counted) -> None:
    is_first = told.subject not in lives
    if is_first:
        lives[told.subject] = _first(told, lives)
    life = lives[told.subject]
    _leave(told, life, counted)
    life.unit = told.detail.get("unit", life.unit)
    life.steps.append((told.at, told.state))
    life.days.append((_day(told.at), told.state))
    for counter in _reached(told, life):
        counted.counters[life.unit, counter] += life.size
        owner = lives.get(life.dossier)
        if owner is not None and owner.size == life.size:
            owner.days.append((_day(told.at), f"counted {counter}"))
    for cause in vocabulary().causes:
        said = ",".join(told.detail.get(name, "") for name in cause.details).replace(" ", ",").split(",")
        for code in {each.split(":")[-1] for each in said if each and cause.kind == _kind(told.subject)}:
            counted.causes[life.unit, f"{cause.id}.{code}"] += life.size
    _measure(told, life, counted)
    _number(told, counted, is_first=is_first)
    for clock in vocabulary().clocks:
        starts = told.state in clock.starts or (is_first and ("*" in clock.starts or _at_once(clock, life)))
        if clock.kind == _kind(told.subject) and starts:
            life.clock_units.setdefault(clock.id, life.unit)


def _reached(told: Told, life: _Life) -> list[str]:
    before = set(life.reached)
    found = []
    for counter in vocabulary().counters:
        new = counter.kind == _kind(told.subject) and counter.id not in before
        is_due = counter.after is None or counter.after in before
        if new and is_due and {"*", told.state}.intersection(counter.reached):
            found.append(counter.id)
    life.reached.update(found)
    return found


def _leave(told: Told, life: _Life, counted: Counted) -> None:
    for former_at, former_state in life.steps[-1:]:
        place = life.unit, f"{_kind(told.subject)}.{former_state}"
        counted.left[place] += life.size
        counted.seconds[place] += life.size * int((told.at - former_at).total_seconds())


def _measure(told: Told, life: _Life, counted: Counted) -> None:
    for measure in vocabulary().measures:
        amount = told.detail.get(measure.detail, "")
        if measure.kind == _kind(told.subject) and amount.isdigit() and int(amount) <= measure.most:
            counted.measured[life.unit, measure.id] += life.size
            counted.totals[life.unit, measure.id] += life.size * int(amount)
    for each in vocabulary().distributions:
        for word in told.detail.get(each.detail, "").split():
            part, _, band = word.partition(":")
            if each.kind == _kind(told.subject) and part in each.parts and band in each.bands:
                counted.bands[life.unit, f"{each.id}.{part}.{band}"] += life.size


def _number(told: Told, counted: Counted, *, is_first: bool) -> None:
    if "kit" not in told.detail or not (is_first or told.state == "close_gap"):
        return
    here = counted.numbers.setdefault(told.detail["kit"], {"came": set(), "closed": set()})
    here["closed" if told.state == "close_gap" else "came"].add(int(told.detail["sequence"]))


def _kind(subject: str) -> str:
    return subject.partition("/")[0]


def _first(told: Told, lives: Mapping[str, _Life]) -> _Life:
    first_day = _day(told.at)
    name = "dossier/" + told.detail.get("dossier", "none")
    unit = lives[name].unit if name in lives else "000"
    if "happened_at" in told.detail:
        first_day = min(first_day, _day(datetime.fromisoformat(told.detail["happened_at"])))
    size = int(told.detail.get("size", "1"))
    return _Life(told.detail.get("unit", unit), size, first_day, dossier=name, detail=told.detail)


def _day(moment: datetime) -> date:
    return moment.astimezone(_VIETNAM).date()


def _at_once(clock: Clock, life: _Life) -> bool:
    said = clock.at_once
    return said is not None and life.detail.get(said.detail) == said.says


def _where(clock: Clock, life: _Life, today: date) -> str:
    """In which of the six places a clock is at the end of a day: every day is looked at by itself."""
    at_once = _at_once(clock, life)
    begin = (
        0
        if at_once or "*" in clock.starts
        else next(index for index, (_, state) in enumerate(life.days) if state in clock.starts)
    )
    day = life.first_day if begin == 0 else life.days[begin][0]
    left, late, paused = clock.at_once.days if clock.at_once and at_once else clock.days, False, False
    for step_day, state in life.days[begin:]:
        left, late = _pass(day, step_day, left, late) if not paused else (left, late)
        day = max(day, step_day)
        if state in clock.stops or state.removeprefix("counted ") in clock.stopped_by:
            return "late" if late else "on_time"
        if state in clock.ends:
            return "ended"
        paused = state in clock.pauses or (paused and state.startswith("counted "))
    if paused:
        return "paused"
    return "overdue" if _pass(day, today, left, late)[1] else "inside"


def _pass(day: date, until: date, left: int, late: bool) -> tuple[int, bool]:
    while day < until:
        day += timedelta(days=1)
        if left == 0:
            late = True
        elif working_days().between(day - timedelta(days=1), day):
            left -= 1
    return left, late
