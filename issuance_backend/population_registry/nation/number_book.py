"""Numbers for invented people: as if drawn at random within a block, and none twice.

The six last digits are a counter shuffled by a small cipher, one for each block: no list of the numbers
that were given has to be kept, whatever the size of the nation.
"""

from __future__ import annotations

import random
from collections.abc import Container

_ROUNDS = 4


class BlockExhausted(ValueError):
    """Every number of a block was given."""


class Shuffle:
    """A permutation of 0 .. left * right - 1, fixed by its seed."""

    def __init__(self, seed: int, left: int, right: int) -> None:
        draw = random.Random(seed).random  # noqa: S311 - not a secret: the same nation must come out again
        self._right = right
        self._left = left
        of_left = [[int(draw() * right) for _ in range(left)] for _ in range(_ROUNDS)]
        of_right = [[int(draw() * left) for _ in range(right)] for _ in range(_ROUNDS)]
        self._rounds = tuple(zip(of_left, of_right, strict=True))

    @property
    def size(self) -> int:
        """How many values there are."""
        return self._left * self._right

    def of(self, position: int) -> int:
        """The value at a position; two positions never have the same."""
        high, low = divmod(position, self._right)
        for add_low, add_high in self._rounds:
            low = (low + add_low[high]) % self._right
            high = (high + add_high[low]) % self._left
        return high * self._right + low


class NumberBook:
    """Gives 12-digit numbers and old 9-digit ones, never one in ``taken``."""

    def __init__(self, seed: int, taken: Container[str] = ()) -> None:
        self._taken = taken
        self._serials = Shuffle(seed, 1000, 1000)
        self._old_serials = Shuffle(seed + 1, 1000, 10_000)
        self._given: dict[str, int] = {}

    def citizen_number(self, province: str, year: int, sex: str) -> str:
        """A number of the block of this province, century, sex and year (circular 07/2016/TT-BCA)."""
        block = f"{province}{2 * ((year - 1900) // 100) + (sex == 'F')}{year % 100:02d}"
        return self._next(block, self._serials, 6)

    def old_id(self, issuing_office: int) -> str:
        """A 9-digit number as identity cards carried; which office has which prefix is invented."""
        return self._next(f"{issuing_office:02d}", self._old_serials, 7)

    def _next(self, block: str, shuffle: Shuffle, digits: int) -> str:
        # Blocks start at different places of the one permutation.
        offset = int(block) * 7919
        while (position := self._given.get(block, 0)) < shuffle.size:
            self._given[block] = position + 1
            number = f"{block}{shuffle.of((position + offset) % shuffle.size):0{digits}d}"
            if number not in self._taken:
                return number
        raise BlockExhausted("every number of a block was given")
