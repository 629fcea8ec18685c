"""The SQL of citizen numbers and their blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, column, exists, func, insert, or_, select, table, update

from issuance_backend.population_registry.numbers.domain import NumberState
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS, NUMBER_BLOCKS
from issuance_backend.population_registry.tables import PERSONS

_AT_ONCE = 500
# By its name: the package of forms asks this one and cannot be asked for its table.
_FORMS = table("dc01_forms", column("citizen_number"))
_HELD = (PERSONS.c.citizen_number, _FORMS.c.citizen_number)
"""Numbers that people brought with them: of loaded entries, and on paper that may become one."""


@dataclass(frozen=True, slots=True)
class Block:
    """The numbers of one prefix, and how far they are drawn."""

    prefix: str
    order_key: bytes
    position: int
    alarmed_at: str | None


@dataclass(frozen=True, slots=True)
class DrawnNumber:
    """A number that was drawn; ``request_id`` is whoever it is reserved for or was issued to."""

    citizen_number: str
    prefix: str
    state: NumberState
    request_id: str | None
    expires_at: str | None
    changed_at: str


def locked_block(connection: Connection, prefix: str) -> Block | None:
    """The block, kept from everybody else until the transaction ends."""
    question = select(NUMBER_BLOCKS).where(NUMBER_BLOCKS.c.prefix == prefix).with_for_update()
    row = connection.execute(question).one_or_none()
    return Block(*row) if row else None


def add_block(connection: Connection, prefix: str, order_key: bytes) -> Block:
    """Open a block."""
    connection.execute(insert(NUMBER_BLOCKS).values(prefix=prefix, order_key=order_key, position=0))
    return Block(prefix, order_key, 0, None)


def save_block(connection: Connection, block: Block) -> None:
    """Write how far a block is drawn and whether that was reported."""
    connection.execute(
        update(NUMBER_BLOCKS)
        .where(NUMBER_BLOCKS.c.prefix == block.prefix)
        .values(position=block.position, alarmed_at=block.alarmed_at)
    )


def blocks(connection: Connection, *, after: str, limit: int, drawn_at_least: int) -> list[Block]:
    """Blocks by prefix of which at least so many numbers are drawn."""
    question = (
        select(NUMBER_BLOCKS)
        .where(NUMBER_BLOCKS.c.prefix > after, NUMBER_BLOCKS.c.position >= drawn_at_least)
        .order_by(NUMBER_BLOCKS.c.prefix)
        .limit(limit)
    )
    return [Block(*row) for row in connection.execute(question)]


def counted(connection: Connection, prefix: str) -> dict[NumberState, int]:
    """How many numbers of a block stand in each state."""
    question = (
        select(CITIZEN_NUMBERS.c.state, func.count())
        .where(CITIZEN_NUMBERS.c.prefix == prefix)
        .group_by(CITIZEN_NUMBERS.c.state)
    )
    found = {NumberState(state): amount for state, amount in connection.execute(question)}
    return {state: found.get(state, 0) for state in NumberState}


def of_requests(connection: Connection, requests: Sequence[str]) -> dict[str, DrawnNumber]:
    """The numbers that requests were given, by request."""
    found: dict[str, DrawnNumber] = {}
    for some in _portions(requests):
        rows = connection.execute(select(CITIZEN_NUMBERS).where(CITIZEN_NUMBERS.c.request_id.in_(some)))
        found.update((row.request_id, _drawn(row)) for row in rows)
    return found


def find(connection: Connection, citizen_number: str) -> DrawnNumber | None:
    """A number that was drawn or adopted."""
    question = select(CITIZEN_NUMBERS).where(CITIZEN_NUMBERS.c.citizen_number == citizen_number)
    row = connection.execute(question).one_or_none()
    return _drawn(row) if row else None


def free(connection: Connection, prefix: str, limit: int) -> list[str]:
    """Numbers of a block that were given back, and that nobody turned out to have brought along."""
    held = or_(*(exists().where(brought == CITIZEN_NUMBERS.c.citizen_number) for brought in _HELD))
    question = (
        select(CITIZEN_NUMBERS.c.citizen_number)
        .where(CITIZEN_NUMBERS.c.prefix == prefix, CITIZEN_NUMBERS.c.state == NumberState.FREE.value, ~held)
        .order_by(CITIZEN_NUMBERS.c.changed_at, CITIZEN_NUMBERS.c.citizen_number)
        .limit(limit)
    )
    return list(connection.execute(question).scalars())


def free_overdue(connection: Connection, prefix: str, now: str) -> int:
    """Give back the numbers of a block whose reservation ran out; how many."""
    overdue = (
        update(CITIZEN_NUMBERS)
        .where(
            CITIZEN_NUMBERS.c.prefix == prefix,
            CITIZEN_NUMBERS.c.state == NumberState.RESERVED.value,
            CITIZEN_NUMBERS.c.expires_at <= now,
        )
        .values(state=NumberState.FREE.value, request_id=None, expires_at=None, changed_at=now)
    )
    return connection.execute(overdue).rowcount


def taken(connection: Connection, numbers: Sequence[str]) -> set[str]:
    """Which of these were drawn before, or somebody brought along: a loaded person, a form DC01."""
    found: set[str] = set()
    for some in _portions(numbers):
        for numbered in (CITIZEN_NUMBERS.c.citizen_number, *_HELD):
            found.update(connection.execute(select(numbered).where(numbered.in_(some))).scalars())
    return found


def stands_on_a_form(connection: Connection, citizen_number: str) -> bool:
    """Whether a form DC01 says that somebody has the number."""
    question = select(_FORMS).where(_FORMS.c.citizen_number == citizen_number).limit(1)
    return connection.execute(question).first() is not None


def add(connection: Connection, numbers: Iterable[DrawnNumber]) -> None:
    """Write numbers that are drawn for the first time."""
    rows = [_values(number) for number in numbers]
    if rows:
        connection.execute(insert(CITIZEN_NUMBERS), rows)


def save(connection: Connection, number: DrawnNumber) -> None:
    """Write a number's new state."""
    values = _values(number)
    del values["citizen_number"]
    connection.execute(
        update(CITIZEN_NUMBERS)
        .where(CITIZEN_NUMBERS.c.citizen_number == number.citizen_number)
        .values(**values)
    )


def _portions(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _values(number: DrawnNumber) -> dict[str, object]:
    return {
        "citizen_number": number.citizen_number,
        "prefix": number.prefix,
        "state": number.state.value,
        "request_id": number.request_id,
        "expires_at": number.expires_at,
        "changed_at": number.changed_at,
    }


def _drawn(row: Row[Any]) -> DrawnNumber:
    values = tuple(row)
    return DrawnNumber(values[0], values[1], NumberState(values[2]), *values[3:])
