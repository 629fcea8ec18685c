"""Private keys from the injected random source."""

from __future__ import annotations

from collections.abc import Callable

# 64 bits more than the order: the remainder is then uniform for all purposes (FIPS 186-5, A.2.1).
_EXTRA_OCTETS = 8


def draw_scalar(order: int, random: Callable[[int], bytes]) -> int:
    """A number from 1 to ``order`` - 1."""
    length = (order.bit_length() + 7) // 8
    drawn = int.from_bytes(random(length + _EXTRA_OCTETS), "big")
    return drawn % (order - 1) + 1
