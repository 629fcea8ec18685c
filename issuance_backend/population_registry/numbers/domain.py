"""How a citizen number is chosen, and its life from reservation to issue.

free       was reserved and given back, or its reservation ran out: nobody ever held it
reserved   kept for one request until it is confirmed
issued     somebody's, for ever: also after death, correction or merge
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from issuance_backend.state_table import StateTable

BLOCK_SIZE: Final = 1_000_000
"""Six random digits."""

ALARM_AT: Final = 900_000
"""A block of which so many numbers are drawn soon needs a decision of the ministry."""

RESERVATION_LENGTH: Final = timedelta(days=7)
_SIDE: Final = 1_000
_ROUNDS: Final = 10
_KEY_BYTES: Final = 32
_CENTURIES: Final = (1900, 2400)


class NumberState(StrEnum):
    """Where a number stands that was drawn at least once."""

    FREE = "free"
    RESERVED = "reserved"
    ISSUED = "issued"


class NumberEvent(StrEnum):
    """What can happen to a number."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    RELEASE = "release"
    ADOPT = "adopt"


TABLE = StateTable[NumberState, NumberEvent](
    {
        (None, NumberEvent.RESERVE): NumberState.RESERVED,
        (NumberState.FREE, NumberEvent.RESERVE): NumberState.RESERVED,
        (NumberState.RESERVED, NumberEvent.CONFIRM): NumberState.ISSUED,
        (NumberState.RESERVED, NumberEvent.RELEASE): NumberState.FREE,
        # A number on an older card or in loaded data: its holder has it, whoever it was reserved for has not.
        (None, NumberEvent.ADOPT): NumberState.ISSUED,
        (NumberState.FREE, NumberEvent.ADOPT): NumberState.ISSUED,
        (NumberState.RESERVED, NumberEvent.ADOPT): NumberState.ISSUED,
    }
)
advance = TABLE.advance


@dataclass(frozen=True, slots=True)
class NumberRequest:
    """Who asks for a number: the same ``request_id`` always gets the same one."""

    request_id: str
    prefix: str


def has_century(born: date) -> bool:
    """Whether the number has a digit for the century of a birth."""
    first, end = _CENTURIES
    return first <= born.year < end


def prefix_of(province: str, born: date, sex: str) -> str:
    """Province of birth registration, century with sex, year (Circular 59/2021/TT-BCA, article 4)."""
    if not has_century(born):
        raise ValueError("the number has no digit for this century")
    century = 2 * ((born.year - _CENTURIES[0]) // 100) + (1 if sex == "F" else 0)
    return f"{province}{century}{born.year % 100:02d}"


def serials(key: bytes, position: int) -> Iterator[int]:
    """The serials of a block in its own order, from a position on; each comes exactly once.

    The order is a keyed permutation of 1,000 x 1,000 (ten Feistel rounds, as many as NIST SP 800-38G
    asks of FF1): nothing has to be remembered but the position, and a number tells nothing of the next.
    """
    rounds = _round_tables(key)
    for index in range(position, BLOCK_SIZE):
        left, right = divmod(index, _SIDE)
        for table in rounds:
            left, right = right, (left + table[right]) % _SIDE
        yield left * _SIDE + right


@lru_cache(maxsize=256)
def _round_tables(key: bytes) -> tuple[tuple[int, ...], ...]:
    if len(key) != _KEY_BYTES:
        raise ValueError("the key of a block is 32 bytes")
    return tuple(
        tuple(_round(key, number * _SIDE + value) for value in range(_SIDE)) for number in range(_ROUNDS)
    )


def _round(key: bytes, point: int) -> int:
    digest = hashlib.blake2b(point.to_bytes(4), key=key, digest_size=8).digest()
    return int.from_bytes(digest) % _SIDE
