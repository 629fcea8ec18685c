"""The gate of prints: each is judged when it is taken, and a poor one is taken again (F02, F03).

After the last attempt the best available goes on with its coded exception, for which the supervisor
answers: nobody is sent away for what their fingers are. What no rule lets pass is a print of another finger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import msgspec

from verification.capture_form.print_pictures import seen_print, seen_slap
from verification.encoding.dates import full_years
from verification.errors import FieldsRefused
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.print_attempts import (
    TWO_FINGERS,
    FingerAttempts,
    Impression,
    judge,
    twin_of,
)
from verification.fingerprint.quality_limits import QualityLimits
from verification.fingerprint.slap import MISPLACED, misplaced
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.asked_prints import (
    QUALITY_EXCEPTION,
    finger_item,
    fingers_of_slap,
    is_best_available,
    is_single_finger,
    is_slap,
    position_of,
)
from verification.messages.enrollment_packet import CaptureException
from verification.messages.prints_taken import MAX_ATTEMPTS, CaptureMethod, PrintTaken

INK_TOO_EARLY = "PRINT_INK_TOO_EARLY"


@dataclass(frozen=True, slots=True)
class JudgedPrints:
    """What became of prints that were taken together: ``refused`` are codes by finger or slap."""

    attempts: dict[str, FingerAttempts]
    slaps: dict[str, SlapAttempts] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    refused: dict[str, str] = field(default_factory=dict)

    def without(self, item: str) -> JudgedPrints:
        """The same after a print was taken away; its attempts stay."""
        attempts, slaps = dict(self.attempts), dict(self.slaps)
        if item in attempts:
            attempts[item] = attempts[item].without_print()
        if item in slaps:
            slaps[item] = slaps[item].without_picture()
        return replace(self, attempts=attempts, slaps=slaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPrint:
    """How one finger stands: ``kept`` is the NFIQ 2 of the print that is here, which should be ``least``.

    ``code`` is what was wrong with the last attempt; ``left`` are the attempts until the best will do.
    """

    scores: tuple[int, ...]
    kept: int | None
    least: int
    code: str | None
    left: int
    is_again: bool
    is_best_available: bool


@dataclass(frozen=True, slots=True)
class PrintGate:
    """The limits of a day for somebody of an age."""

    limits: QualityLimits
    born: date | None
    day: date

    def least(self, item: str) -> int:
        """The NFIQ 2 that this finger's print needs."""
        age = None if self.born is None else full_years(self.born, self.day)
        return self.limits.least_of(position_of(item), age)

    def taken(
        self,
        engine: FingerEngine,
        standing: JudgedPrints,
        taken: Mapping[str, bytes],
        method: CaptureMethod,
        absent: Collection[int],
    ) -> JudgedPrints:
        """Put prints of fingers and slaps, taken at once by one method, to what stands.

        ``absent`` are fingers that have reasons. Raises FieldsRefused, with nothing counted, for what is no
        picture of a print and for ink that is not due.
        """
        singles = {item: content for item, content in taken.items() if is_single_finger(item)}
        slaps = {item: content for item, content in taken.items() if is_slap(item)}
        if method is CaptureMethod.INK_RESCAN:
            self.require_ink_due(standing.attempts, singles)
        seen = {item: seen_print(engine, item, content) for item, content in singles.items()}
        judged = self.judged(engine, standing, seen, method)
        judged = self.with_slaps(engine, judged, slaps, absent)
        return self.held_against_slaps(engine, standing, judged, absent)

    def judged(
        self,
        engine: FingerEngine,
        standing: JudgedPrints,
        taken: Mapping[str, Impression],
        method: CaptureMethod,
    ) -> JudgedPrints:
        """Put what was taken now, all of it by one method, to what stands."""
        attempts, kept, refused = dict(standing.attempts), set[str](), dict[str, str]()
        for item, impression in taken.items():
            former = attempts.get(item, FingerAttempts())
            others = {name: each for name, each in attempts.items() if name != item}
            twin = twin_of(engine, impression, others, self.limits)
            if twin is not None:
                attempts[item] = former.refused(impression, TWO_FINGERS)
                refused |= {item: TWO_FINGERS, twin: TWO_FINGERS}
                continue
            found = judge(engine, former, impression, self.least(item), self.limits)
            attempts[item] = found.attempts
            if found.is_kept:
                attempts[item] = msgspec.structs.replace(found.attempts, method=method)
                kept.add(item)
            if found.refused is not None:
                refused[item] = found.refused
        return JudgedPrints(attempts, dict(standing.slaps), frozenset(kept), refused)

    def with_slaps(
        self, engine: FingerEngine, judged: JudgedPrints, taken: Mapping[str, bytes], absent: Collection[int]
    ) -> JudgedPrints:
        """The same with slaps that were taken now; raises FieldsRefused for what is no picture of one."""
        slaps = dict(judged.slaps)
        for item, content in taken.items():
            former = slaps.get(item, SlapAttempts())
            slaps[item] = seen_slap(engine, former, item, content, absent)
        refused = {item: code for item in taken if (code := slaps[item].code)}
        kept = judged.kept | (taken.keys() - refused.keys())
        return replace(judged, slaps=slaps, kept=kept, refused=judged.refused | refused)

    def held_against_slaps(
        self, engine: FingerEngine, before: JudgedPrints, judged: JudgedPrints, absent: Collection[int]
    ) -> JudgedPrints:
        """The same, without what slaps show to be of another finger: whichever came last is refused.

        Where a print stood before, that is the slap; its fingers are named all the same.
        """
        shown: dict[int, bytes] = {}
        for item, each in judged.slaps.items():
            # One that was whole says nothing once a finger has no reason any more.
            shown |= each.templates if each.is_whole(position_of(item), absent) else {}
        singles = {position_of(item): each.template for item, each in judged.attempts.items()}
        templates = {position: each for position, each in singles.items() if each is not None}
        found = misplaced(engine, shown, templates, self.limits.same_finger)
        attempts, slaps, kept = dict(judged.attempts), dict(judged.slaps), set(judged.kept)
        for position, other in found.items():
            item = finger_item(position)
            if item in judged.kept:
                former = before.attempts.get(item, FingerAttempts())
                scores = attempts[item].scores
                attempts[item] = msgspec.structs.replace(former, scores=scores, code=MISPLACED)
                kept.discard(item)
                continue
            for slap in [each for each in kept if is_slap(each) and other in fingers_of_slap(each)]:
                former_slap = before.slaps.get(slap, SlapAttempts())
                slaps[slap] = former_slap.refused(MISPLACED, slaps[slap].scores[-1])
                kept.discard(slap)
        refused = {finger_item(position): MISPLACED for position in found}
        return JudgedPrints(attempts, slaps, frozenset(kept), refused | judged.refused)

    def require_ink_due(self, standing: Mapping[str, FingerAttempts], items: Collection[str]) -> None:
        """Ink is for fingers that a scanner had every attempt of, or where none is; raises FieldsRefused."""
        here = [each.method for each in standing.values() if each.kept is not None]
        if CaptureMethod.DEVICE not in here:
            return
        tried = {item: len(standing[item].scores) if item in standing else 0 for item in items}
        early = [item for item in sorted(tried) if tried[item] < self.limits.attempts]
        if early:
            raise FieldsRefused(dict.fromkeys(early, INK_TOO_EARLY))

    def seen(self, attempts: Mapping[str, FingerAttempts]) -> dict[str, SeenPrint]:
        """How each finger stands that was tried."""
        return {item: self._seen(item, each) for item, each in attempts.items()}

    def _seen(self, item: str, each: FingerAttempts) -> SeenPrint:
        least = self.least(item)
        is_poor = each.kept is not None and each.kept < least
        is_enough = each.is_enough(least, self.limits)
        left = max(0, self.limits.attempts - len(each.scores))
        return SeenPrint(
            scores=each.scores,
            kept=each.kept,
            least=least,
            code=each.code,
            left=left,
            is_again=is_poor and not is_enough,
            is_best_available=is_poor and is_enough,
        )

    def with_best_available(
        self, exceptions: Sequence[CaptureException], attempts: Mapping[str, FingerAttempts]
    ) -> tuple[CaptureException, ...]:
        """What is stated, with the exception of each finger whose print is poor and will not be better."""
        stated = [each for each in exceptions if not is_best_available(each.item, each.code)]
        best = (item for item, each in sorted(self.seen(attempts).items()) if each.is_best_available)
        return (*stated, *(CaptureException(item, QUALITY_EXCEPTION) for item in best))


def incomplete_slaps(slaps: Mapping[str, SlapAttempts], absent: Collection[int]) -> frozenset[str]:
    """The slaps that lack a finger of which nobody says any more that it is absent."""
    return frozenset(item for item, each in slaps.items() if not each.is_whole(position_of(item), absent))


def prints_told(
    attempts: Mapping[str, FingerAttempts], slaps: Mapping[str, SlapAttempts] | None = None
) -> tuple[PrintTaken, ...]:
    """How fingers and slaps were taken, as the centre is told."""
    singles = (
        PrintTaken(item, each.scores[-MAX_ATTEMPTS:], CaptureMethod(each.method or CaptureMethod.DEVICE))
        for item, each in sorted(attempts.items())
    )
    several = (PrintTaken(item, each.scores[-MAX_ATTEMPTS:]) for item, each in sorted((slaps or {}).items()))
    return (*singles, *several)
