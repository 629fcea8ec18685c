"""A finger is taken until it is good enough, and no more than so often: then the best available will do.

Two attempts that match each other and are both poor are a worn finger, of which no better print comes.
Two of the same quality that do not match are two fingers: whichever came last is refused. A poor print
beside a good one says nothing, for poor prints of one finger often do not match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from verification.errors import FingerQualityInsufficient
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.print_cause import PrintCause, cause_of
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.quality_limits import QualityLimits
from verification.lds.finger_image import FingerPosition

OTHER_FINGER = "PRINT_OF_OTHER_FINGER"
TWO_FINGERS = "PRINT_OF_TWO_FINGERS"

_COMPARABLE = 12
"""Minutiae: with fewer, two prints that do not match may be of one finger."""


class Impression(NamedTuple):
    """One attempt as the engine sees it; without ridges it has no template, and ``cause`` says why."""

    nfiq2: int
    minutiae: int
    template: bytes | None
    cause: PrintCause


class FingerAttempts(msgspec.Struct, frozen=True):
    """How one finger was taken so far.

    ``scores`` are the NFIQ 2 of every attempt; ``kept`` that of the print that stands, with its template
    and minutiae, ``method`` by what it was taken; ``code`` is what was wrong with the last attempt.
    """

    scores: tuple[int, ...] = ()
    kept: int | None = None
    minutiae: int = 0
    template: bytes | None = None
    code: str | None = None
    is_worn: bool = False
    method: str | None = None

    def is_enough(self, least: int, limits: QualityLimits) -> bool:
        """Whether nobody has to take it again."""
        if self.kept is None:
            return False
        return self.kept >= least or self.is_worn or len(self.scores) >= limits.attempts

    def refused(self, taken: Impression, code: str) -> FingerAttempts:
        """One more attempt, of which nothing is kept."""
        return msgspec.structs.replace(self, scores=(*self.scores, taken.nfiq2), code=code)

    def without_print(self) -> FingerAttempts:
        """The print was taken away; what was tried stays."""
        return FingerAttempts(self.scores)


class Judged(NamedTuple):
    """What an attempt came to; ``refused`` is the code of a print that cannot be this finger's."""

    attempts: FingerAttempts
    is_kept: bool
    refused: str | None = None


def impression(engine: FingerEngine, content: bytes, position: int) -> Impression:
    """One attempt, whatever it shows; raises FingerImageUndecodable for what is no print at 500 ppi."""
    picture = read_print(content)
    try:
        sample = engine.extract(picture, FingerPosition(position))
    except FingerQualityInsufficient:
        return Impression(0, 0, None, cause_of(picture))
    return Impression(sample.quality.nfiq2, sample.quality.minutiae, sample.template, cause_of(picture))


def judge(
    engine: FingerEngine, former: FingerAttempts, taken: Impression, least: int, limits: QualityLimits
) -> Judged:
    """Put one more attempt to those before; raises FingerTemplateMalformed.

    Of one without ridges nothing is kept: a finger that never shows any has a reason instead of a print.
    """
    if taken.template is None:
        return Judged(former.refused(taken, str(taken.cause)), is_kept=False)
    scores = (*former.scores, taken.nfiq2)
    is_poor = taken.nfiq2 < least
    code = str(taken.cause) if is_poor else None
    is_same = _is_same(engine, former, taken, limits)
    was_poor = former.kept is not None and former.kept < least
    if is_same is False and was_poor == is_poor:
        return Judged(former.refused(taken, OTHER_FINGER), is_kept=False, refused=OTHER_FINGER)
    # The very picture once more is no second touch.
    is_new = taken.template != former.template
    is_worn = former.is_worn or bool(is_same and is_new and is_poor and was_poor)
    if former.kept is not None and taken.nfiq2 < former.kept:
        stays = msgspec.structs.replace(former, scores=scores, code=code, is_worn=is_worn)
        return Judged(stays, is_kept=False)
    stands = FingerAttempts(scores, taken.nfiq2, taken.minutiae, taken.template, code, is_worn)
    return Judged(stands, is_kept=True)


def twin_of(
    engine: FingerEngine, taken: Impression, others: Mapping[str, FingerAttempts], limits: QualityLimits
) -> str | None:
    """The other finger whose print this one is as well; raises FingerTemplateMalformed."""
    if taken.template is None:
        return None
    prepared = engine.prepare(taken.template)
    return next(
        (item for item, template in _templates(others) if prepared.score(template) >= limits.same_finger),
        None,
    )


def _templates(attempts: Mapping[str, FingerAttempts]) -> Iterable[tuple[str, bytes]]:
    return ((item, each.template) for item, each in attempts.items() if each.template is not None)


def _is_same(
    engine: FingerEngine, former: FingerAttempts, taken: Impression, limits: QualityLimits
) -> bool | None:
    """Whether two attempts are of one finger; None where one of them shows too little."""
    if former.template is None or taken.template is None:
        return None
    score = engine.prepare(former.template).score(taken.template)
    if score >= limits.same_finger:
        return True
    shows_enough = min(former.minutiae, taken.minutiae) >= _COMPARABLE
    return False if shows_enough and score < limits.other_finger else None
