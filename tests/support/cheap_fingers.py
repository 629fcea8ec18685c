"""The engine of cheap prints: it knows whose each is, and takes other pictures for what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tests.support.cheap_prints import cheap_print
from verification.fingerprint.engine import FingerQuality, FingerSample, Print
from verification.fingerprint.print_picture import read_print
from verification.lds.finger_image import FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS

GOOD, MINUTIAE = 60, 40
SAME, STRANGE = 200.0, 12.0
SEEDS = range(4)
_NAME = len("finger 01")


@cache
def _known() -> dict[bytes, tuple[int, int]]:
    """The finger and seed of each cheap print, by its pixels."""
    return {
        read_print(cheap_print(position, seed)).tobytes(): (position, seed)
        for position in SINGLE_FINGERS
        for seed in SEEDS
    }


class CheapFinger:
    """A finger that is compared."""

    def __init__(self, template: bytes, same: float) -> None:
        self._finger = template[:_NAME]
        self._same = same

    def score(self, template: bytes) -> float:
        return self._same if template[:_NAME] == self._finger else STRANGE


class CheapFingers:
    """The engine's part, played for prints that no real engine reads: good ones, but for those named poor.

    With fewer minutiae none of them matches any.
    """

    id = "cheap"

    def __init__(self, poor: Mapping[tuple[int, int], int] | None = None, minutiae: int = MINUTIAE) -> None:
        self._poor = poor or {}
        self._minutiae = minutiae

    def extract(self, picture: Print, position: FingerPosition, ppi: int = 500) -> FingerSample:
        finger = _known().get(picture.tobytes(), (int(position), 0))
        quality = FingerQuality(self._poor.get(finger, GOOD), self._minutiae)
        return FingerSample("finger {:02} touch {}".format(*finger).encode(), quality)

    def prepare(self, template: bytes) -> CheapFinger:
        return CheapFinger(template, SAME if self._minutiae == MINUTIAE else STRANGE)
