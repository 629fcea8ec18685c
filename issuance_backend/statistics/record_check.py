"""The figures held against the recorded events, all of them, once a day.

A report proves its figures from each other: what is wrong alike in a province and in the nation is not seen
there. Here each figure of each unit is formed again from the moves, and each move held against the line of
the record that it came from.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Executable, case, func, or_, select, text

from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.schema import EVENTS
from issuance_backend.statistics import repository, roll_up
from issuance_backend.statistics.domain import kind_of, state_of, weighed
from issuance_backend.statistics.tables import FIGURE_CHECKS, FIGURE_MOVES
from issuance_backend.statistics.units import NATION, lineage
from monitoring.database import Database
from verification.messages.statistics import DifferingFigure, RecordCheck

EVERY = timedelta(days=1)
MOST_NAMED = 100

_AT_ONCE = 1_000
_INTO, _OUT, _STOCK = "in.", "out.", "stock."
_moves = FIGURE_MOVES.c

_MOVED = select(
    _moves.marks,
    func.sum(_moves.size),
    func.sum(_moves.size * _moves.spent),
    func.sum(_moves.size * _moves.measured),
).group_by(_moves.marks)
_STANDING = (
    select(_moves.kind, _moves.state, _moves.unit, func.sum(_moves.size))
    .where(_moves.ended_by.is_(None))
    .group_by(_moves.kind, _moves.state, _moves.unit)
)
# A balance goes on from the day before: each must be the sum of all amounts up to its day.
_TOLD = text(
    "SELECT figure, unit, sum(amount), max(CASE WHEN balance <> running THEN 1 ELSE 0 END)"
    " FROM (SELECT figure, unit, amount, balance,"
    " sum(amount) OVER (PARTITION BY figure, unit ORDER BY day) AS running FROM figure_days) AS days"
    " GROUP BY figure, unit"
)
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
    for figure, unit, amount, is_uneven in _rows(connection, _TOLD):
        owed[figure, unit] -= int(amount)
        if is_uneven:
            differing.add((figure, unit))
        if figure.startswith(_INTO):
            owed[figure.replace(_INTO, _STOCK, 1), unit] -= int(amount)
        elif figure.startswith(_OUT):
            owed[figure.replace(_OUT, _STOCK, 1), unit] += int(amount)
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
    for marks, *amounts in _rows(connection, _MOVED):
        for (unit, figure), amount in weighed(repository.read_marks(marks), *map(int, amounts)):
            for area in lineage(unit):
                sums[figure, area] += amount
    for kind, state, unit, size in _rows(connection, _STANDING):
        for area in lineage(unit):
            sums[f"{_STOCK}{kind}.{state}", area] += int(size)
    return sums


def _rows(connection: Connection, question: Executable) -> Iterator[Sequence[Any]]:
    """The rows of a question, never all of them in memory."""
    yield from connection.execute(question, execution_options={"yield_per": _AT_ONCE})
