"""The SQL of figures: written with each recorded step, read by unit, day and figure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)

from issuance_backend.listing import lies_in
from issuance_backend.moments import parse_moment
from issuance_backend.schema import EVENT_HEAD, EVENTS, OFFICERS
from issuance_backend.statistics.clocks import ClockRun, Due
from issuance_backend.statistics.domain import Happening, Mark, Move, Position, stored, weighed
from issuance_backend.statistics.tables import (
    FIGURE_DAYS,
    FIGURE_DUES,
    FIGURE_MOVES,
    FIGURE_NUMBERS,
    FIGURE_RULES,
    FIGURE_TARGETS,
    FIGURE_UNITS,
)
from issuance_backend.statistics.units import lineage, parent
from monitoring.bulk_load import empty

_STILL_THERE = FIGURE_MOVES.c.ended_by.is_(None)
_SEPARATOR = ":"

# Both engines know these sentences; in SQLAlchemy each has its own word for them.
_ADD_FIGURE = text(
    "INSERT INTO figure_days (figure, unit, day, amount, balance)"
    " VALUES (:figure, :unit, :day, :amount, :amount"
    " + COALESCE((SELECT former.balance FROM figure_days AS former WHERE former.figure = :figure"
    " AND former.unit = :unit AND former.day < :day ORDER BY former.day DESC LIMIT 1), 0))"
    " ON CONFLICT (figure, unit, day) DO UPDATE SET amount = figure_days.amount + excluded.amount,"
    " balance = figure_days.balance + excluded.amount"
).bindparams(
    *(bindparam(name, type_=FIGURE_DAYS.c[name].type) for name in ("figure", "unit", "day", "amount"))
)
_ADD_DUE = text(
    "INSERT INTO figure_dues (clock, unit, due_on, due, cleared)"
    " VALUES (:clock, :unit, :due_on, :due, :cleared)"
    " ON CONFLICT (clock, unit, due_on) DO UPDATE SET due = figure_dues.due + excluded.due,"
    " cleared = figure_dues.cleared + excluded.cleared"
).bindparams(bindparam("due_on", type_=FIGURE_DUES.c.due_on.type))
# One look at the index for each name, instead of one at each day of each.
_NAMES = text(
    "WITH RECURSIVE names (figure) AS (SELECT min(figure) FROM figure_days"
    " UNION ALL SELECT (SELECT min(days.figure) FROM figure_days AS days WHERE days.figure > names.figure)"
    " FROM names WHERE names.figure IS NOT NULL)"
    " SELECT figure FROM names WHERE figure IS NOT NULL"
)
_ADD_UNIT = text(
    "INSERT INTO figure_units (unit, parent) VALUES (:unit, :parent) ON CONFLICT (unit) DO NOTHING"
)
_STANDS = select(FIGURE_MOVES).where(
    FIGURE_MOVES.c.subject.in_(bindparam("subjects", expanding=True)), _STILL_THERE
)
_LEAVE = (
    update(FIGURE_MOVES).where(FIGURE_MOVES.c.sequence == bindparam("left")).values(ended_by=bindparam("by"))
)
_ADD_MOVE = insert(FIGURE_MOVES)
_SET_CLOCKS = (
    update(FIGURE_MOVES)
    .where(FIGURE_MOVES.c.sequence == bindparam("at_move"))
    .values(clocks=bindparam("runs"))
)
_RECORDED = (
    select(EVENTS.c.sequence, EVENTS.c.subject, EVENTS.c.state, EVENTS.c.at, EVENTS.c.detail)
    .where(EVENTS.c.sequence > bindparam("after"))
    .order_by(EVENTS.c.sequence)
    .limit(bindparam("most"))
)
_FIRST_DETAILS = select(EVENTS.c.subject, EVENTS.c.detail).where(
    EVENTS.c.sequence.in_(
        select(func.min(EVENTS.c.sequence))
        .where(EVENTS.c.subject.in_(bindparam("subjects", expanding=True)))
        .group_by(EVENTS.c.subject)
    )
)
_HEAD = select(EVENT_HEAD.c.sequence)
_RULES = select(FIGURE_RULES.c.fingerprint, FIGURE_RULES.c.is_whole)
_SUBJECTS_AT_ONCE = 500
_MOMENTS = select(FIGURE_MOVES.c.sequence, FIGURE_MOVES.c.at).where(
    FIGURE_MOVES.c.sequence.in_(bindparam("numbers", expanding=True))
)
_LAST = select(FIGURE_MOVES.c.sequence, FIGURE_MOVES.c.at).order_by(FIGURE_MOVES.c.sequence.desc()).limit(1)

_Key = TypeVar("_Key", int, str)
RecordedLine = tuple[int, str, str, str, str]


def standing(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[int, Position]]:
    """Where subjects stand, each with the number of the move that led there; no entry for a new one."""
    return {
        row.subject: (row.sequence, _position(row))
        for some in _portions(subjects)
        for row in connection.execute(_STANDS, {"subjects": some})
    }


def leave(connection: Connection, ended: Mapping[int, int]) -> None:
    """Note for moves which later move took their subject out of its state again."""
    if ended:
        connection.execute(_LEAVE, [{"left": left, "by": by} for left, by in ended.items()])


def add_moves(connection: Connection, moves: Sequence[tuple[Move, int | None]]) -> None:
    """Write moves, each with the number of the move that ended it where that is known already."""
    connection.execute(_ADD_MOVE, [_row(move, ended_by) for move, ended_by in moves])


def set_clocks(connection: Connection, changed: Mapping[int, Position]) -> None:
    """Write the clocks that a step of another stopped, by the move that led to where their subject stands."""
    if changed:
        rows = [{"at_move": number, "runs": _encoded(position)} for number, position in changed.items()]
        connection.execute(_SET_CLOCKS, rows)


def add_to_figures(connection: Connection, day: date, amounts: Iterable[tuple[Mark, int]]) -> None:
    """Add amounts of one day to their units' figures and to those of every unit above.

    Days must come in their order: a balance goes on from the day before.
    """
    sums: dict[tuple[str, str], int] = {}
    for (unit, figure), amount in amounts:
        if amount:
            for area in lineage(unit):
                sums[figure, area] = sums.get((figure, area), 0) + amount
    rows = [
        {"figure": figure, "unit": unit, "day": day, "amount": amount}
        for (figure, unit), amount in sorted(sums.items())
    ]
    if rows:
        connection.execute(_ADD_FIGURE, rows)


def add_dues(connection: Connection, dues: Iterable[tuple[Due, int]]) -> None:
    """Add what falls due, and what no longer does, to the days of its units."""
    sums: dict[tuple[str, str, date], tuple[int, int]] = {}
    for due, size in dues:
        for area in lineage(due.unit):
            place = (due.clock, area, due.due_on)
            known = sums.get(place, (0, 0))
            sums[place] = (known[0] + due.due * size, known[1] + due.cleared * size)
    rows = [
        {"clock": clock, "unit": unit, "due_on": due_on, "due": due, "cleared": cleared}
        for (clock, unit, due_on), (due, cleared) in sorted(sums.items())
    ]
    if rows:
        connection.execute(_ADD_DUE, rows)


def add_units(connection: Connection, units: Iterable[str]) -> None:
    """Remember units in which something was counted."""
    known = {area for unit in units for area in lineage(unit) if area}
    connection.execute(_ADD_UNIT, [{"unit": unit, "parent": parent(unit)} for unit in sorted(known)])


def last(connection: Connection) -> tuple[int, datetime | None]:
    """The number and moment of the move that was written last; 0 and none before the first."""
    row = connection.execute(_LAST).one_or_none()
    return (row.sequence, parse_moment(row.at)) if row else (0, None)


def moments(connection: Connection, moves: Collection[int]) -> dict[int, str]:
    """When moves were recorded, by their numbers."""
    return {
        row.sequence: row.at
        for some in _portions(moves)
        for row in connection.execute(_MOMENTS, {"numbers": some})
    }


def first_details(connection: Connection, subjects: Collection[str]) -> dict[str, str]:
    """What the first recorded step of each subject says, as JSON."""
    return {
        row.subject: row.detail
        for some in _portions(subjects)
        for row in connection.execute(_FIRST_DETAILS, {"subjects": some})
    }


def recorded_steps(connection: Connection, after: int, most: int) -> list[RecordedLine]:
    """Recorded steps behind a number: number, subject, state, moment, detail."""
    return [tuple(row) for row in connection.execute(_RECORDED, {"after": after, "most": most})]


def forget(connection: Connection) -> None:
    """Remove every figure; targets stay, they were never counted. Nothing is recorded until the commit."""
    hold_head(connection)
    # Moves first: a report asks for the last of them before anything else, and is waited for there.
    empty(connection, FIGURE_MOVES, FIGURE_DAYS, FIGURE_DUES, FIGURE_UNITS, FIGURE_NUMBERS)


def hold_head(connection: Connection) -> None:
    """Let nobody record until this transaction ends."""
    connection.execute(select(EVENT_HEAD).with_for_update()).one()


def lies_behind(connection: Connection, sequence: int) -> bool:
    """Whether anything was recorded after a step."""
    return int(connection.execute(_HEAD).scalar_one()) > sequence


@dataclass(frozen=True, slots=True)
class CountedBy:
    """The rules by which everything that stands was counted, and whether that is done."""

    fingerprint: str
    is_whole: bool


def counted_by(connection: Connection) -> CountedBy | None:
    """By which rules the figures were counted; None where nobody said."""
    row = connection.execute(_RULES).one_or_none()
    return CountedBy(*row) if row else None


def set_counted_by(connection: Connection, by: CountedBy) -> None:
    """Say by which rules the figures are counted from now on."""
    connection.execute(delete(FIGURE_RULES))
    connection.execute(insert(FIGURE_RULES).values(id=1, fingerprint=by.fingerprint, is_whole=by.is_whole))


@dataclass(frozen=True, slots=True)
class Bound:
    """Up to where a report counts: all to the end of ``day``, and moves ``first`` .. ``last`` besides."""

    day: date
    first: int
    last: int


def version_at(connection: Connection, moment: datetime) -> tuple[int, datetime | None]:
    """The number and moment of the last move recorded at or before a moment."""
    low, low_at = 0, None
    newest, newest_at = last(connection)
    if newest_at is None or newest_at <= moment:
        return newest, newest_at
    high = newest
    while high - low > 1:
        middle = (low + high) // 2
        row = _at_or_after(connection, middle)
        if row[1] <= moment:
            low, low_at = max(row[0], middle), row[1]
        else:
            high = middle
    return low, low_at


def _at_or_after(connection: Connection, sequence: int) -> tuple[int, datetime]:
    question = select(FIGURE_MOVES.c.sequence, FIGURE_MOVES.c.at).where(FIGURE_MOVES.c.sequence >= sequence)
    row = connection.execute(question.order_by(FIGURE_MOVES.c.sequence).limit(1)).one()
    return row.sequence, parse_moment(row.at)


def units_below(connection: Connection, area: str) -> list[str]:
    """The units right below an area in which something was ever counted."""
    question = select(FIGURE_UNITS.c.unit).where(FIGURE_UNITS.c.parent == area).order_by(FIGURE_UNITS.c.unit)
    return list(connection.execute(question).scalars())


def knows_unit(connection: Connection, unit: str) -> bool:
    """Whether anything was counted in a unit, is to be reached in it, or somebody works there."""
    for column in (FIGURE_UNITS.c.unit, FIGURE_TARGETS.c.unit, OFFICERS.c.unit):
        if connection.execute(select(column).where(lies_in(column, unit)).limit(1)).first() is not None:
            return True
    return False


def figure_names(connection: Connection) -> list[str]:
    """Every figure that was ever counted for the nation."""
    return list(connection.execute(_NAMES).scalars())


def balances(
    connection: Connection, units: Sequence[str], figures: Sequence[str], day: date
) -> dict[tuple[str, str], int]:
    """How much of each figure each unit had at the end of a day, by (unit, figure); zeros are left out."""
    if not units or not figures:
        return {}
    wanted_units = union_all(*(select(literal(unit).label("unit")) for unit in units)).subquery("units")
    wanted = union_all(*(select(literal(figure).label("figure")) for figure in figures)).subquery("figures")
    balance = (
        select(FIGURE_DAYS.c.balance)
        .where(
            FIGURE_DAYS.c.figure == wanted.c.figure,
            FIGURE_DAYS.c.unit == wanted_units.c.unit,
            FIGURE_DAYS.c.day <= day,
        )
        .order_by(FIGURE_DAYS.c.day.desc())
        .limit(1)
        .scalar_subquery()
    )
    every = select(wanted_units.c.unit, wanted.c.figure, balance.label("balance"))
    question = every.select_from(wanted_units).join(wanted, true())
    return {(row.unit, row.figure): row.balance for row in connection.execute(question) if row.balance}


def tail(connection: Connection, bound: Bound) -> dict[Mark, int]:
    """What the moves of a bound's last, unfinished day changed, by (unit, figure), units above included."""
    moves = FIGURE_MOVES.c
    totals = (func.sum(moves.size), func.sum(moves.size * moves.spent), func.sum(moves.size * moves.measured))
    question = (
        select(moves.marks, *totals)
        .where(moves.sequence >= bound.first, moves.sequence <= bound.last)
        .group_by(moves.marks)
    )
    sums: dict[Mark, int] = {}
    for marks, *amounts in connection.execute(question):
        for (unit, figure), amount in weighed(read_marks(marks), *map(int, amounts)):
            for area in lineage(unit):
                sums[area, figure] = sums.get((area, figure), 0) + amount
    return sums


def overdue_dues(connection: Connection, units: Sequence[str], day: date) -> dict[tuple[str, str], int]:
    """What fell due before a day and was not done with in time, by (unit, clock)."""
    question = (
        select(
            FIGURE_DUES.c.unit,
            FIGURE_DUES.c.clock,
            func.sum(FIGURE_DUES.c.due - FIGURE_DUES.c.cleared).label("missed"),
        )
        .where(FIGURE_DUES.c.unit.in_(units), FIGURE_DUES.c.due_on < day)
        .group_by(FIGURE_DUES.c.unit, FIGURE_DUES.c.clock)
    )
    return {(row.unit, row.clock): int(row.missed) for row in connection.execute(question)}


def oldest(connection: Connection, kind: str, state: str, area: str) -> str | None:
    """Since when the subject that waits longest in a state of an area has waited there."""
    question = select(FIGURE_MOVES.c.at).where(
        FIGURE_MOVES.c.kind == kind, FIGURE_MOVES.c.state == state, _STILL_THERE
    )
    question = question.where(_inside(area))
    return connection.execute(question.order_by(FIGURE_MOVES.c.sequence).limit(1)).scalar_one_or_none()


def still_there(connection: Connection, units: Sequence[str], age: str, since: Sequence[date]) -> list[int]:
    """How much of what came into a state by each of these days, in some units, has not left it."""
    there = FIGURE_DUES.c.due - FIGURE_DUES.c.cleared
    question = select(
        *(func.coalesce(func.sum(case((FIGURE_DUES.c.due_on <= day, there), else_=0)), 0) for day in since)
    ).where(FIGURE_DUES.c.clock == age, FIGURE_DUES.c.unit.in_(units), FIGURE_DUES.c.due_on <= max(since))
    return [int(amount) for amount in connection.execute(question).one()]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsAsked:
    """Which records stand behind a figure: its moves in some areas, after a number and up to another."""

    figure: str
    areas: tuple[str, ...]
    first: int
    last: int
    limit: int


def moves_behind(connection: Connection, asked: RecordsAsked) -> list[tuple[int, str, str, str, str, int]]:
    """The moves that changed a figure, oldest first: number, subject, unit, state, moment, size."""
    found: list[tuple[int, str, str, str, str, int]] = []
    position = asked.first - 1
    areas = or_(*(FIGURE_MOVES.c.marks.contains(f" {area}", autoescape=True) for area in asked.areas))
    question = (
        select(FIGURE_MOVES)
        .where(
            FIGURE_MOVES.c.marks.contains(f"{_SEPARATOR}{asked.figure} ", autoescape=True),
            areas,
            FIGURE_MOVES.c.sequence <= asked.last,
        )
        .order_by(FIGURE_MOVES.c.sequence)
        .limit(asked.limit)
    )
    while len(found) < asked.limit:
        rows = connection.execute(question.where(FIGURE_MOVES.c.sequence > position)).all()
        for row in rows:
            position = row.sequence
            unit = _unit_of_mark(row.marks, asked)
            if unit is not None and len(found) < asked.limit:
                found.append((row.sequence, row.subject, unit, row.state, row.at, row.size))
        if len(rows) < asked.limit:
            break
    return found


def stays_at(
    connection: Connection, place: tuple[str, str], asked: RecordsAsked
) -> list[tuple[int, str, str, str, str, int]]:
    """What stood in a (kind, state) of some areas after move ``asked.last``, the longest there first."""
    kind, state = place
    question = (
        select(FIGURE_MOVES)
        .where(
            FIGURE_MOVES.c.kind == kind,
            FIGURE_MOVES.c.state == state,
            FIGURE_MOVES.c.sequence >= asked.first,
            FIGURE_MOVES.c.sequence <= asked.last,
            or_(_STILL_THERE, FIGURE_MOVES.c.ended_by > asked.last),
            or_(*(_inside(area) for area in asked.areas)),
        )
        .order_by(FIGURE_MOVES.c.sequence)
        .limit(asked.limit)
    )
    return [
        (row.sequence, row.subject, row.unit, row.state, row.at, row.size)
        for row in connection.execute(question)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """So many of a counter, in a unit, between two days (both included)."""

    definition: str
    unit: str
    starts_on: date
    ends_on: date
    amount: int
    basis: str
    set_by: str


def add_target(connection: Connection, target: Target, set_at: datetime) -> None:
    """Set a target; an earlier one of the same counter, unit and days is history from now on."""
    number = connection.execute(select(func.coalesce(func.max(FIGURE_TARGETS.c.id), 0))).scalar_one() + 1
    row = insert(FIGURE_TARGETS).values(
        id=number,
        definition=target.definition,
        unit=target.unit,
        starts_on=target.starts_on,
        ends_on=target.ends_on,
        amount=target.amount,
        basis=target.basis,
        set_at=stored(set_at),
        set_by=target.set_by,
    )
    connection.execute(row)


def targets(connection: Connection, day: date, as_of: datetime) -> list[Target]:
    """The targets whose period holds a day, as they were set at a moment."""
    question = (
        select(FIGURE_TARGETS)
        .where(
            FIGURE_TARGETS.c.starts_on <= day,
            FIGURE_TARGETS.c.ends_on >= day,
            FIGURE_TARGETS.c.set_at <= stored(as_of),
        )
        .order_by(FIGURE_TARGETS.c.id)
    )
    newest: dict[tuple[str, str, date, date], Target] = {}
    for row in connection.execute(question):
        place = (row.definition, row.unit, row.starts_on, row.ends_on)
        newest[place] = Target(
            definition=row.definition,
            unit=row.unit,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            amount=row.amount,
            basis=row.basis,
            set_by=row.set_by,
        )
    return [newest[place] for place in sorted(newest)]


def read_marks(text_of_marks: str) -> list[Mark]:
    """The (unit, figure) pairs of a move."""
    parts = (mark.partition(_SEPARATOR) for mark in text_of_marks.split())
    return [(unit, figure) for unit, _, figure in parts]


def _unit_of_mark(marks: str, asked: RecordsAsked) -> str | None:
    for unit, figure in read_marks(marks):
        if figure == asked.figure and any(area in lineage(unit) for area in asked.areas):
            return unit
    return None


def _inside(area: str) -> ColumnElement[bool]:
    return lies_in(FIGURE_MOVES.c.unit, area) if area else true()


def _portions(keys: Collection[_Key]) -> Iterator[list[_Key]]:
    iterator = iter(keys)
    while some := list(islice(iterator, _SUBJECTS_AT_ONCE)):
        yield some


def _position(row: Row[Any]) -> Position:
    runs = msgspec.json.decode(row.clocks, type=tuple[ClockRun, ...])
    return Position(
        state=row.state,
        unit=row.unit,
        at=parse_moment(row.at),
        size=row.size,
        counted=frozenset(row.counted.split()),
        clocks=MappingProxyType({run.clock: run for run in runs}),
    )


def _encoded(position: Position) -> str:
    return msgspec.json.encode(tuple(position.clocks.values())).decode()


def _row(move: Move, ended_by: int | None) -> dict[str, object]:
    happening: Happening = move.happening
    position = move.position
    marks = " ".join(f"{unit}{_SEPARATOR}{figure}" for unit, figure in move.marks)
    return {
        "sequence": happening.sequence,
        "at": stored(position.at),
        "subject": happening.subject,
        "kind": happening.kind,
        "state": position.state,
        "unit": position.unit,
        "size": position.size,
        "ended_by": ended_by,
        "counted": " ".join(sorted(position.counted)),
        "clocks": _encoded(position),
        "marks": f" {marks} ",
        "spent": move.spent,
        "measured": move.measured,
    }
