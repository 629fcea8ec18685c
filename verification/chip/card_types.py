"""What cards of one type were found to carry, so that the next one is not asked for more."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

# A card lies about its type as easily as about anything else: what one said is not held against the
# others for longer than this many of them.
_CARDS_TO_SPARE = 50
_MAX_TYPES = 64


class CardLimits(NamedTuple):
    """Octets that a READ BINARY may ask for, and whether it may ask past the end of a file."""

    block_size: int
    past_the_end: bool


class _Remembered(NamedTuple):
    limits: CardLimits
    cards_left: int


class CardTypeMemory:
    """The limits of the types met lately, for all cards of one program; nothing in it names a card.

    A type is the digest of a file that is the same on all its cards: EF.CardAccess, or EF.COM on a
    card that has none.
    """

    def __init__(self) -> None:
        self._types: dict[bytes, _Remembered] = {}

    def recall(self, type_file: bytes) -> CardLimits | None:
        """What was found with cards of this type; None where it has to be found out (again)."""
        key = _digest(type_file)
        held = self._types.pop(key, None)
        if held is None or not held.cards_left:
            return None
        self._types[key] = _Remembered(held.limits, held.cards_left - 1)
        return held.limits

    def remember(self, type_file: bytes, limits: CardLimits) -> None:
        """Keep what was found; the type not met for longest makes room for a new one."""
        key = _digest(type_file)
        held = self._types.get(key)
        if held is not None and held.limits == limits:
            return
        self._types[key] = _Remembered(limits, _CARDS_TO_SPARE)
        if len(self._types) > _MAX_TYPES:
            del self._types[next(iter(self._types))]


def _digest(type_file: bytes) -> bytes:
    return hashlib.sha256(type_file).digest()
