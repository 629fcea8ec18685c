"""The SQL of kits' running numbers: written with each announced packet, read for any moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from issuance_backend.listing import lies_in
from issuance_backend.statistics.kit_numbers import KitNumbers, NumberTold, Place, numbers_after
from issuance_backend.statistics.tables import FIGURE_NUMBERS, IS_RANGE, WAS_MISSING
from issuance_backend.statistics.units import NATION

_AT_ONCE = 500
_NUMBERS = FIGURE_NUMBERS.c
_NEWEST = (
    select(_NUMBERS.kit, func.max(_NUMBERS.number))
    .where(_NUMBERS.kit.in_(bindparam("kits", expanding=True)))
    .group_by(_NUMBERS.kit)
)
_SINGLE = select(FIGURE_NUMBERS).where(
    _NUMBERS.kit == bindparam("of"), _NUMBERS.number.in_(bindparam("numbers", expanding=True))
)
_LAST = _NUMBERS.number + _NUMBERS.further
# Of ranges a kit has few, and an index of their own; it is used where its condition stands in these words.
_RANGES = select(FIGURE_NUMBERS).where(
    _NUMBERS.kit == bindparam("of"), _NUMBERS.number <= bindparam("highest"), text(IS_RANGE)
)
_ADD = insert(FIGURE_NUMBERS)
_CHANGE = (
    update(FIGURE_NUMBERS)
    .where(_NUMBERS.kit == bindparam("of"), _NUMBERS.number == bindparam("which"))
    .values(came=bindparam("came"), closed=bindparam("closed"), further=bindparam("further"))
)


@dataclass(frozen=True, slots=True)
class MissingOfKit:
    """What of a kit's numbers is missing or was given up, and the step since which the oldest is missing."""

    kit: str
    unit: str
    newest: int
    missing: int
    given_up: int
    since: int | None


def add(connection: Connection, told: Sequence[NumberTold]) -> None:
    """Write what recorded steps say of kits' numbers."""
    if not told:
        return
    kits = sorted({each.kit for each in told})
    newest = {row.kit: int(row[1]) for row in connection.execute(_NEWEST, {"kits": kits})}
    known: dict[Place, KitNumbers] = {}
    for kit in kits:
        numbers = [each.number for each in told if each.kit == kit and each.number <= newest.get(kit, 0)]
        known |= {(kit, each.number): each for each in _told_before(connection, kit, numbers)}
    changed = numbers_after(told, newest, known.values())
    new = [asdict(each) for place, each in changed.items() if place not in known]
    former = [
        {
            "of": each.kit,
            "which": each.number,
            "came": each.came,
            "closed": each.closed,
            "further": each.further,
        }
        for place, each in changed.items()
        if place in known
    ]
    for statement, rows in ((_ADD, new), (_CHANGE, former)):
        if rows:
            connection.execute(statement, rows)


def _told_before(connection: Connection, kit: str, numbers: Sequence[int]) -> Iterator[KitNumbers]:
    """The numbers of a kit that are known, alone or within ranges."""
    if not numbers:
        return
    for row in connection.execute(_RANGES, {"of": kit, "highest": max(numbers)}):
        yield KitNumbers(*row)
    for first in range(0, len(numbers), _AT_ONCE):
        asked = {"of": kit, "numbers": numbers[first : first + _AT_ONCE]}
        for row in connection.execute(_SINGLE, asked):
            yield KitNumbers(*row)


def knows_kit(connection: Connection, kit: str) -> bool:
    """Whether any number of a kit is known."""
    return connection.execute(select(_NUMBERS.kit).where(_NUMBERS.kit == kit).limit(1)).first() is not None


def missing(connection: Connection, areas: Sequence[str], version: int) -> list[MissingOfKit]:
    """The kits of some areas of which a number was missing or given up after step ``version``."""
    is_missing, is_given_up = _missing_at(version)
    other = FIGURE_NUMBERS.alias("other")
    newest = (
        select(other.c.number)
        .where(other.c.kit == _NUMBERS.kit, other.c.since <= version)
        .order_by(other.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    question = (
        select(
            _NUMBERS.kit,
            func.min(_NUMBERS.unit).label("unit"),
            func.sum(case((is_missing, 1 + _NUMBERS.further), else_=0)).label("missing"),
            func.sum(case((is_given_up, 1), else_=0)).label("given_up"),
            func.min(case((is_missing, _NUMBERS.since))).label("since"),
            newest.label("newest"),
        )
        .where(text(f"({WAS_MISSING})"), or_(is_missing, is_given_up), _in_areas(areas))
        .group_by(_NUMBERS.kit)
        .order_by(_NUMBERS.kit)
    )
    return [
        MissingOfKit(row.kit, row.unit, row.newest, int(row.missing), int(row.given_up), row.since)
        for row in connection.execute(question)
    ]


def missing_numbers(
    connection: Connection, kit: str, areas: Sequence[str], version: int, after: int, limit: int
) -> list[tuple[int, str, int]]:
    """The numbers of a kit that were missing after step ``version``, each with its unit and since when."""
    question = (
        select(_NUMBERS.number, _LAST, _NUMBERS.unit, _NUMBERS.since)
        .where(_NUMBERS.kit == kit, after < _LAST, _missing_at(version)[0], _in_areas(areas))
        .order_by(_NUMBERS.number)
        .limit(limit)
    )
    numbers = (
        (number, unit, since)
        for first, last, unit, since in connection.execute(question)
        for number in range(max(first, after + 1), last + 1)
    )
    return list(islice(numbers, limit))


def _missing_at(version: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Missing, and given up: of what a case gave up, what came all the same is neither."""
    had_not_come = and_(_NUMBERS.since <= version, or_(_NUMBERS.came.is_(None), _NUMBERS.came > version))
    was_open = or_(_NUMBERS.closed.is_(None), _NUMBERS.closed > version)
    return and_(had_not_come, was_open), and_(had_not_come, _NUMBERS.closed <= version)


def _in_areas(areas: Sequence[str]) -> ColumnElement[bool]:
    if NATION in areas:
        return _NUMBERS.kit.is_not(None)
    return or_(*(lies_in(_NUMBERS.unit, area) for area in areas))
