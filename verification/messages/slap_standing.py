"""How the prints of a capture stand, finger by finger, as pages show it: at a kit and at a counter."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FingerState(StrEnum):
    """How one finger stands."""

    TAKEN = "taken"
    AGAIN = "again"
    BEST = "best"
    EXCUSED = "excused"
    MISSING = "missing"


class SlapFinger(msgspec.Struct, frozen=True):
    """One finger of a slap: cut out of it, with a reason, or missing from it."""

    item: str
    state: FingerState


class SlapStanding(msgspec.Struct, frozen=True):
    """One slap and its ``fingers`` from left to right; ``state`` is None where nobody asks for it today.

    ``reason`` is the code of why it has no picture, ``scores`` are the lowest NFIQ 2 of each attempt,
    ``code`` what was wrong with the last.
    """

    item: str
    state: FingerState | None
    fingers: tuple[SlapFinger, ...]
    media_type: str | None = None
    reason: str | None = None
    scores: tuple[int, ...] = ()
    code: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it has a picture."""
        return self.media_type is not None
