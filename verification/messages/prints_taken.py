"""How the fingers of a capture were taken, as its packet tells it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from verification.messages.asked_prints import is_finger
from verification.messages.refusals import PacketMalformed

MAX_ATTEMPTS = 50
"""Of a finger that is taken more often the last are told."""

_BEST_SCORE = 100


class CaptureMethod(StrEnum):
    """By what a print was taken; for an ink print that was scanned the officer who signs answers."""

    DEVICE = "device"
    INK_RESCAN = "ink_rescan"


class PrintTaken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One finger: the NFIQ 2 of every attempt, in their order, and how the print that stands was taken.

    Of a slap it is the lowest of its fingers, 0 where it could not be cut into them.
    """

    item: str
    scores: tuple[int, ...]
    capture_method: CaptureMethod = CaptureMethod.DEVICE


def require_told(prints: Sequence[PrintTaken]) -> None:
    """Each finger is told of once, in scores that NFIQ 2 has; raises PacketMalformed."""
    items = {each.item for each in prints}
    if len(items) != len(prints) or not all(is_finger(item) for item in items):
        raise PacketMalformed("a finger is told of twice, or is none")
    for each in prints:
        if len(each.scores) > MAX_ATTEMPTS or not all(0 <= score <= _BEST_SCORE for score in each.scores):
            raise PacketMalformed("scores that no attempts have")
