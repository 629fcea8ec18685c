"""The figures held against the recorded events, all of them, once a day.

A report proves its figures from each other: what is wrong alike in a province and in the nation is not seen
there. Here each figure of each unit is formed again from the moves, and each move held against the line of
the record that it came from.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from sqlalchemy import Connection, Executable, case, func, or_, select, text

from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.schema import EVENTS
from issuance_backend.statistics import number_check, repository, roll_up
from issuance_backend.statistics.clocks import CAME_LATE, START, ClockRun
from issuance_backend.statistics.domain import age_of, kind_of, state_of, weighed
from issuance_backend.statistics.tables import FIGURE_CHECKS, FIGURE_DAYS, FIGURE_DUES, FIGURE_MOVES
from issuance_backend.statistics.units import NATION, lineage
from monitoring.database import Database
from verification.messages.statistics import DifferingFigure, RecordCheck

EVERY = timedelta(days=1)
MOST_NAMED = 100

_AT_ONCE = 1_000
_INTO, _OUT, _STOCK, _NUMBERS = "in.", "out.", "stock.", "numbers."
_moves = FIGURE_MOVES.c

_AGE, _CLOCK, _DUE = "age.", "clock.", "due."
_STILL_DUE = {
    **dict.fromkeys((START, "resume", "left_late"), 1),
    **dict.fromkeys((CAME_LATE, "on_time", "late", "ended", "pause"), -1),
}
"""By how much each mark of a clock changes what fell due, in time, and was not done with in time."""

# Each move with its day in UTC, and whether Viet Nam wrote the next one by then.
_dated = select(
    FIGURE_MOVES,
    func.substr(_moves.at, 1, 10).label("day"),
    case((func.substr(_moves.at, 12, 2) >= "17", 1), else_=0).label("is_next"),
).subquery("dated")
_on = _dated.c
_MOVED = select(
    _on.marks,
    _on.day,
    _on.is_next,
    func.sum(_on.size),
    func.sum(_on.size * _on.spent),
    func.sum(_on.size * _on.measured),
).group_by(_on.marks, _on.day, _on.is_next)
_AGED = (
    select(_on.unit, _on.day, _on.is_next, func.sum(_on.size))
    .where(_on.ended_by.is_(None))
    .group_by(_on.unit, _on.day, _on.is_next)
)
_RUNS = select(_moves.clocks, func.sum(_moves.size)).where(_moves.ended_by.is_(None)).group_by(_moves.clocks)
# What was late before it was told of fell due on no day.
_TOLD_LATE = (
    select(_moves.clocks, _moves.marks, func.sum(_moves.size))
    .where(_moves.marks.like(f"%.{CAME_LATE} %"))
    .group_by(_moves.clocks, _moves.marks)
)
_STANDING = (
    select(_moves.kind, _moves.state, _moves.unit, func.sum(_moves.size))
    .where(_moves.ended_by.is_(None))
    .group_by(_moves.kind, _moves.state, _moves.unit)
)
_days, _dues = FIGURE_DAYS.c, FIGURE_DUES.c
# A balance goes on from the day before: each must be the sum of all amounts up to its day.
_TOLD = select(
    _days.figure,
    _days.unit,
    _days.day,
    _days.amount,
    _days.balance != func.sum(_days.amount).over(partition_by=(_days.figure, _days.unit), order_by=_days.day),
)
_FELL_DUE = select(_dues.clock, _dues.unit, _dues.due_on, _dues.due - _dues.cleared)
_lines = select(
    EVENTS.c.sequence,
    EVENTS.c.subject,
    EVENTS.c.state,
    func.lead(EVENTS.c.sequence)
    .over(partition_by=EVENTS.c.subject, order_by=EVENTS.c.sequence)
    .label("following"),
).subquery("lines")
# The move of each line says the same of it, and names the subject's next line as its end.
_ASTRAY = (
    select(_lines.c.subject, _lines.c.state, _moves.unit)
    .select_from(_lines.outerjoin(FIGURE_MOVES, _moves.sequence == _lines.c.sequence))
    .where(
        or_(
            _moves.sequence.is_(None),
            _moves.subject != _lines.c.subject,
            _moves.state != case((_lines.c.state == "", state_of("")), else_=_lines.c.state),
            _moves.ended_by.is_distinct_from(_lines.c.following),
        )
    )
)
_UNRECORDED = (
    select(_moves.subject, _moves.state, _moves.unit)
    .select_from(FIGURE_MOVES.outerjoin(EVENTS, _moves.sequence == EVENTS.c.sequence))
    .where(EVENTS.c.sequence.is_(None))
)
_LAST_CHECK = select(FIGURE_CHECKS)
# Two programs that check at once both write; the later one stays.
_KEEP = text(
    "INSERT INTO figure_checks (id, checked_at, sequence, compared, differing, named)"
    " VALUES (1, :checked_at, :sequence, :compared, :differing, :named)"
    " ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at, sequence = excluded.sequence,"
    " compared = excluded.compared, differing = excluded.differing, named = excluded.named"
)

logger = logging.getLogger(__name__)


class FiguresDiffer(Exception):
    """The figures that stand are not what was recorded; the text names figures and units, nobody's data."""


class RecordCheckDesk:
    """Checks, and keeps how the last check ended."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def last(self) -> RecordCheck:
        """How the last check ended."""
        with self._database.reading() as connection:
            row = connection.execute(_LAST_CHECK).one_or_none()
        if row is None:
            return RecordCheck()
        named = msgspec.json.decode(row.named, type=tuple[DifferingFigure, ...])
        return RecordCheck(row.checked_at, row.sequence, row.compared, row.differing, named)

    def check(self) -> RecordCheck:
        """Check everything and keep what was found; raises FiguresOutdated while events are counted again."""
        checked_at = self._clock()
        with self._database.reading() as connection:
            # First of all: a recount empties the moves before anything else, and waits for whoever read them.
            roll_up.require_current(connection)
            found = _found(connection, checked_at)
        if found.differing:
            logger.error(
                "figures are not what was recorded",
                extra={"code": "FIGURES_DIFFER", "step": "record check"},
            )
        kept = {
            "checked_at": found.checked_at,
            "sequence": found.version,
            "compared": found.compared,
            "differing": found.differing,
            "named": msgspec.json.encode(found.named).decode(),
        }
        with self._database.writing() as connection:
            connection.execute(_KEEP, kept)
        return found

    def what_is_due(self) -> int:
        """Check where the last check is a day old; how many figures were compared, else 0.

        Raises FiguresOutdated as ``check`` does.
        """
        former = self.last().checked_at
        if former is not None and self._clock() - parse_moment(former) < EVERY:
            return 0
        return self.check().compared

    def told(self) -> str:
        """Check everything and say so; raises FiguresDiffer and FiguresOutdated."""
        found = self.check()
        said = f"{found.compared} figures compared, up to event {found.version}"
        if not found.differing:
            return f"{said}: all are what was recorded"
        names = ", ".join(f"{each.figure} in {each.unit or 'nation'}" for each in found.named)
        raise FiguresDiffer(f"{said}: {found.differing} differ: {names}")


def _found(connection: Connection, checked_at: datetime) -> RecordCheck:
    version, _ = repository.last(connection)
    # What is recorded of each figure less what is told of it; it grows with units, not with records.
    owed, differing = _recorded(connection), set()
    for figure, unit, day, amount, is_uneven in _rows(connection, _TOLD):
        owed[figure, unit] -= amount * _weight(day)
        if is_uneven:
            differing.add((figure, unit))
        if figure.startswith(_INTO):
            owed[figure.replace(_INTO, _STOCK, 1), unit] -= amount
        elif figure.startswith(_OUT):
            owed[figure.replace(_OUT, _STOCK, 1), unit] += amount
    for clock, unit, day, amount in _rows(connection, _FELL_DUE):
        owed[_due(clock), unit] -= amount * _weight_due(clock, day)
    owed.update({(_NUMBERS + kit, unit): left for (kit, unit), left in number_check.owed(connection).items()})
    differing.update(place for place, amount in owed.items() if amount)
    # A subject is a person's dossier: only its kind is told.
    for question in (_ASTRAY, _UNRECORDED):
        for subject, state, unit in _rows(connection, question):
            differing.add((f"moves.{kind_of(subject)}.{state_of(state)}", unit or NATION))
    named = tuple(DifferingFigure(*place) for place in sorted(differing)[:MOST_NAMED])
    return RecordCheck(rfc3339(checked_at), version, len(owed), len(differing), named)


def _recorded(connection: Connection) -> Counter[tuple[str, str]]:
    """Every figure of every unit as the moves say it; stocks are what has not left."""
    sums: Counter[tuple[str, str]] = Counter()
    for marks, day, is_next, *amounts in _rows(connection, _MOVED):
        weight = _weight(_vietnam_day(day, is_next))
        for (unit, figure), amount in weighed(repository.read_marks(marks), *map(int, amounts)):
            for area in lineage(unit):
                sums[figure, area] += amount * weight
                if figure.startswith(_CLOCK):
                    _tell_due(sums, figure, area, amount)
    for unit, figure, amount in chain(_standing(connection), _not_kept(connection)):
        for area in lineage(unit):
            sums[figure, area] += amount
    return sums


def _tell_due(sums: Counter[tuple[str, str]], mark: str, area: str, amount: int) -> None:
    _, clock, what = mark.split(".", 2)
    sums[_due(clock), area] += amount * _STILL_DUE[what]


def _standing(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """What has not moved on, by unit and figure: stocks, and the days from which ages are counted."""
    for kind, state, unit, size in _rows(connection, _STANDING):
        yield unit, f"{_STOCK}{kind}.{state}", int(size)
    for ages in roll_up.rules().vocabulary.ages:
        asked = _AGED.where(_on.kind == ages.kind, _on.state == ages.state)
        for unit, day, is_next, size in _rows(connection, asked):
            yield unit, age_of(ages.kind, ages.state), int(size) * _weight(_vietnam_day(day, is_next))


def _not_kept(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """What waits for its day or missed it, by unit and clock, weighed by the day."""
    for clocks, size in _rows(connection, _RUNS):
        for run in _read_runs(clocks):
            if run.is_missed:
                yield run.unit, _due(run.clock), int(size) * _weight(run.due_on)
    for clocks, marks, size in _rows(connection, _TOLD_LATE):
        told = set(repository.read_marks(marks))
        for run in _read_runs(clocks):
            if told.issuperset((run.unit, f"{_CLOCK}{run.clock}.{what}") for what in (START, CAME_LATE)):
                yield run.unit, _due(run.clock), -int(size) * _weight(run.due_on)


def _due(clock: str) -> str:
    return clock if clock.startswith(_AGE) else f"{_DUE}{clock}"


def _weight_due(clock: str, day: date) -> int:
    """Ages stand on their days; of clocks all days together are known as well."""
    return _weight(day) + (0 if clock.startswith(_AGE) else 1)


def _read_runs(clocks: str) -> tuple[ClockRun, ...]:
    return msgspec.json.decode(clocks, type=tuple[ClockRun, ...])


def _vietnam_day(day: str, is_next: int) -> date:
    return date.fromisoformat(day) + timedelta(days=is_next)


@cache
def _weight(day: date) -> int:
    """A number of its own for each day: sums weighted by it agree where the amounts of every day do."""
    return int.from_bytes(hashlib.blake2b(day.isoformat().encode(), digest_size=8).digest())


def _rows(connection: Connection, question: Executable) -> Iterator[Sequence[Any]]:
    """The rows of a question, never all of them in memory."""
    yield from connection.execute(question, execution_options={"yield_per": _AT_ONCE})
