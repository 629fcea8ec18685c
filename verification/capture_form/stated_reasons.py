"""Coded reasons for what is not captured, as one follows another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from verification.messages.asked_prints import (
    ALL_SLAPS,
    FINGERPRINTS,
    NO_SLAP_SCANNER,
    is_best_available,
    is_contradicted,
    is_finger,
    is_slap,
)
from verification.messages.enrollment_packet import CaptureException


def with_exception(
    exceptions: Sequence[CaptureException], stated: CaptureException
) -> tuple[CaptureException, ...]:
    """What is stated, with one more: of fingers either each has its reason, or all have one."""
    together = {FINGERPRINTS} if is_finger(stated.item) else set()
    together |= {ALL_SLAPS} if is_slap(stated.item) else set()
    others = [each for each in exceptions if each.item not in {stated.item, *together}]
    if stated.item == FINGERPRINTS:
        others = [each for each in others if not (is_finger(each.item) or each.item == ALL_SLAPS)]
    if stated.item == ALL_SLAPS:
        others = [each for each in others if not is_slap(each.item)]
    return (*others, stated)


def without_contradicted(
    exceptions: Sequence[CaptureException], taken: Set[str]
) -> tuple[CaptureException, ...]:
    """What is still stated when these items are here after all."""
    return tuple(each for each in exceptions if not is_contradicted(each.item, taken))


def with_equipment(
    exceptions: Sequence[CaptureException], missing: Set[str], kept: Set[str]
) -> tuple[CaptureException, ...]:
    """What is stated where a scanner takes one finger at a time: no slap can be taken there."""
    if not any(is_slap(item) for item in missing) or any(is_slap(item) for item in kept):
        return tuple(exceptions)
    return with_exception(exceptions, CaptureException(ALL_SLAPS, NO_SLAP_SCANNER))


def reason_codes(reasons: Iterable[CaptureException]) -> tuple[str, ...]:
    """Reasons for prints that are not there, as codes of the form, each once."""
    return tuple(
        sorted({each.code.lower() for each in reasons if not is_best_available(each.item, each.code)})
    )
