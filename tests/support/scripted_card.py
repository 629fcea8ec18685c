"""A card and a random source that follow a script to the letter."""

from __future__ import annotations

import random
from collections.abc import Iterable


class ScriptedCard:
    """The next command must be the expected one; it is answered with what the script says."""

    def __init__(self, exchanges: Iterable[tuple[str, str]]) -> None:
        self._exchanges = [(command.lower(), answer) for command, answer in exchanges]

    def transmit(self, command: bytes) -> bytes:
        assert self._exchanges, f"unexpected command {command.hex()}"
        expected, answer = self._exchanges.pop(0)
        assert command.hex() == expected
        return bytes.fromhex(answer)

    @property
    def is_finished(self) -> bool:
        return not self._exchanges


class ScriptedRandom:
    """Gives out the prepared values in order; each must be asked for in its own length."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = list(values)

    def __call__(self, length: int) -> bytes:
        assert self._values, f"unexpected request for {length} octets"
        value = self._values.pop(0)
        assert len(value) == length
        return value


def seeded(seed: int) -> random.Random:
    """A random source that gives the same values in every run."""
    return random.Random(seed)  # noqa: S311 - a test must be repeatable


def random_for_private_key(private_key: str | int, order_length: int) -> bytes:
    """What a random source must give for ``Curve.private_key`` to make this key."""
    scalar = int(private_key, 16) if isinstance(private_key, str) else private_key
    return (scalar - 1).to_bytes(order_length + 8, "big")
