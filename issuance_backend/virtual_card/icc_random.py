"""The chip's random numbers: where they come from is handed in."""

from __future__ import annotations

from collections.abc import Callable

Random = Callable[[int], bytes]
"""Gives that many random octets."""


def draw_below(bound: int, random: Random) -> int:
    """A number from 1 to below ``bound``, all equally likely."""
    octets = (bound.bit_length() + 7) // 8
    surplus = 8 * octets - bound.bit_length()
    while True:
        number = int.from_bytes(random(octets), "big") >> surplus
        if 0 < number < bound:
            return number
