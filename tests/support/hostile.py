"""Damage done to good bytes, for tests that expect a refusal or a clean answer and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from verification.errors import VerificationError


def truncations(data: bytes) -> Iterator[bytes]:
    """Every proper beginning of the data."""
    return (data[:length] for length in range(len(data)))


def damaged(data: bytes, *, count: int, seed: int) -> Iterator[bytes]:
    """Copies with one to four random octets changed; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable damage, nothing secret
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            copy[chance.randrange(len(copy))] ^= chance.randint(1, 255)
        yield bytes(copy)


def is_refused(parse: Callable[[bytes], object], data: bytes) -> bool:
    """Whether our own error refuses the data; any other exception goes through to the test."""
    try:
        parse(data)
    except VerificationError:
        return True
    return False
