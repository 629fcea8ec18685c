"""A slap is taken until it can be cut into the fingers that it has to show; every attempt is counted."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from verification.errors import SlapMiscounted
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.slap import slap_samples
from verification.lds.finger_image import SLAPS, FingerPosition


class SlapAttempts(msgspec.Struct, frozen=True):
    """How one slap was taken so far.

    ``scores`` are the lowest NFIQ 2 among the fingers of each attempt, 0 for one that could not be cut;
    ``fingers`` those that the slap that stands was cut into, ``templates`` theirs where they show ridges;
    ``code`` is what was wrong with the last attempt.
    """

    scores: tuple[int, ...] = ()
    fingers: tuple[int, ...] = ()
    templates: dict[int, bytes] = {}
    code: str | None = None

    def refused(self, code: str, score: int = 0) -> SlapAttempts:
        """One more attempt, of which nothing is kept: what stood before stands."""
        return msgspec.structs.replace(self, scores=(*self.scores, score), code=code)

    def without_picture(self) -> SlapAttempts:
        """The slap was taken away; what was tried stays."""
        return SlapAttempts(self.scores)

    def is_whole(self, slap: int, absent: Collection[int]) -> bool:
        """Whether it shows every finger that is not absent: one of which nobody said so is not known."""
        return set(SLAPS[FingerPosition(slap)]).difference(absent) <= set(self.fingers)


def take_slap(
    engine: FingerEngine, former: SlapAttempts, content: bytes, slap: int, absent: Collection[int]
) -> SlapAttempts:
    """Put one more attempt to those before; raises FingerImageUndecodable for what is no slap at 500 ppi."""
    picture = read_print(content)
    try:
        samples = slap_samples(engine, slap, picture, absent)
    except SlapMiscounted as fault:
        return former.refused(fault.code)
    score = min(each.quality.nfiq2 if each else 0 for each in samples.values())
    templates = {position: each.template for position, each in samples.items() if each}
    return SlapAttempts((*former.scores, score), tuple(samples), templates)
