"""Keys made ahead: never twice, never awaited, bounded."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.data_preparation import ChipKeys


def numbers(keys: ChipKeys) -> tuple[int, int]:
    return keys.chip.private_numbers().private_value, keys.active.private_numbers().private_value


def until_full(pool: ChipKeyPool, size: int) -> None:
    ends = time.monotonic() + 30
    while len(pool._ready) < size:
        assert time.monotonic() < ends, "nobody fills the pool"
        time.sleep(0.01)


def test_a_pool_fills_itself_and_is_filled_again_when_keys_are_taken() -> None:
    with ChipKeyPool(4) as pool:
        until_full(pool, 4)
        first = {number for _ in range(3) for number in numbers(pool.take())}
        until_full(pool, 4)
        assert len(pool._ready) == 4
        second = {number for _ in range(4) for number in numbers(pool.take())}
    assert len(first | second) == 14
    assert len(pool._ready) == 0, "what was not used is forgotten"


def test_no_two_takers_have_the_same_keys_and_nobody_waits_for_the_filler() -> None:
    held = threading.Event()

    def slow_filler() -> ChipKeys:
        if threading.current_thread().name == "chip keys":
            held.wait(30)
        return ChipKeys.made()

    with ChipKeyPool(2, slow_filler) as pool, ThreadPoolExecutor(4) as takers:
        taken = list(takers.map(lambda _: numbers(pool.take()), range(20)))
        held.set()
    assert len({number for pair in taken for number in pair}) == 40
