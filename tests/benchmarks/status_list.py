"""The list of card states for counters: bytes a card, strangers met by chance, and what a look costs."""

from __future__ import annotations

import hashlib
import time

from tests.benchmarks.figure import Figure, at_most
from verification.messages.status_list import decode_keys, encode_keys, holds, short_key

NOT_GOOD, GOOD, LOOKS = 100_000, 2_000_000, 2_000
CHANGED_A_DAY = 1_000


def run() -> list[Figure]:
    """A hundred thousand cards that are not good among two million."""
    return _measure(NOT_GOOD, GOOD, "")


def quick() -> list[Figure]:
    """The same with a tenth."""
    return _measure(NOT_GOOD // 10, GOOD // 10, "_tenth")


def _measure(listed: int, good: int, size: str) -> list[Figure]:
    keys = [_key(number) for number in range(listed)]
    began = time.perf_counter()
    content = encode_keys(keys)
    made = time.perf_counter() - began
    known = set(decode_keys(content))
    met = sum(_key(number) in known for number in range(listed, listed + good))
    day = encode_keys(_key(number) for number in range(listed, listed + CHANGED_A_DAY))

    def read(start: int, length: int) -> bytes:
        return content[start : start + length]

    began = time.perf_counter()
    found = sum(holds(read, key) for key in keys[:LOOKS])
    look = (time.perf_counter() - began) / LOOKS
    if found != LOOKS:
        raise RuntimeError("a card that is listed was not found")
    return [
        at_most(f"status_list{size}.bits_a_card", len(content) * 8 / listed, "bit", goal=32),
        at_most(f"status_list{size}.good_cards_met", met / good, "of 1", goal=1e-6),
        at_most(f"status_list{size}.bytes_a_changed_card", len(day) / CHANGED_A_DAY, "B", goal=6),
        at_most(f"status_list{size}.made", made / listed * 1e6, "us/card", goal=20),
        at_most(f"status_list{size}.look", look * 1e6, "us", goal=500),
    ]


def _key(number: int) -> int:
    return short_key(hashlib.sha256(number.to_bytes(8, "big")).hexdigest())
