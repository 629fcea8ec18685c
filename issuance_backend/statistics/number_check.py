"""Kits' running numbers as the recorded steps tell them, held against those that stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import msgspec
from sqlalchemy import Connection, and_, or_, select

from issuance_backend.schema import EVENTS
from issuance_backend.statistics.kit_numbers import CLOSE_GAP, MAX_AHEAD, PACKET, number_of
from issuance_backend.statistics.tables import FIGURE_MOVES, FIGURE_NUMBERS

_AT_ONCE = 1_000
_CAME, _CLOSED = 1, 2
_moves, _earlier = FIGURE_MOVES.c, FIGURE_MOVES.alias("earlier")
_is_first = ~(
    select(_earlier.c.sequence)
    .where(_earlier.c.subject == _moves.subject, _earlier.c.sequence < _moves.sequence)
    .exists()
)
_came = and_(_moves.kind == PACKET, _is_first)
_TOLD = (
    select(_moves.sequence, _moves.unit, _came.label("came"), EVENTS.c.detail)
    .join(EVENTS, EVENTS.c.sequence == _moves.sequence)
    .where(or_(_came, _moves.state == CLOSE_GAP))
    .order_by(_moves.sequence)
)
_STANDING = select(FIGURE_NUMBERS)


def owed(connection: Connection) -> Counter[tuple[str, str]]:
    """By kit and unit, what is recorded of its numbers less what stands: nought where the two agree.

    Of each number a byte is held in memory, and of a range only its ends are looked at: however it is cut,
    the ends between its pieces cancel out.
    """
    sums: Counter[tuple[str, str]] = Counter()
    units: dict[str, str] = {}
    for kit, unit, amount in chain(_recorded(connection), _standing(connection)):
        sums[kit, units.setdefault(kit, unit)] += amount
    return sums


def _recorded(connection: Connection) -> Iterator[tuple[str, str, int]]:
    known: dict[str, bytearray] = {}
    for sequence, unit, came, detail in connection.execute(_TOLD, execution_options={"yield_per": _AT_ONCE}):
        kit, number = number_of(msgspec.json.decode(detail, type=dict[str, str])) or ("", 0)
        flags = known.setdefault(kit, bytearray())
        newest, flag = len(flags), _CAME if came else _CLOSED
        if not 0 < number <= newest + MAX_AHEAD:
            continue
        if number > newest:
            flags.extend(bytes(number - newest))
            yield kit, unit, _range(sequence, unit, newest + 1, number)
        if not flags[number - 1] & flag:
            flags[number - 1] |= flag
            yield kit, unit, _weight(flag, sequence, number, 0)


def _standing(connection: Connection) -> Iterator[tuple[str, str, int]]:
    rows = connection.execute(_STANDING, execution_options={"yield_per": _AT_ONCE})
    for kit, number, unit, since, came, closed, further in rows:
        yield kit, unit, -_range(since, unit, number, number + further)
        for flag, sequence in ((_CAME, came), (_CLOSED, closed)):
            if sequence is not None:
                yield kit, unit, -_weight(flag, sequence, number, further)


def _range(since: int, unit: str, first: int, last: int) -> int:
    return _weight(since, unit, last + 1) - _weight(since, unit, first)


def _weight(*said: int | str) -> int:
    """A number of its own for all that is said, in this process: equal sums say the same as often."""
    # Of the words: a tuple's own hash hardly mixes its last item in, and differences would cancel out.
    return hash(repr(said))
