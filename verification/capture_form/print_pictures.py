"""Pictures of prints as the engine sees them; what is none is refused by its name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from verification.errors import FieldsRefused, FingerImageUndecodable
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.print_attempts import Impression, impression
from verification.fingerprint.slap_attempts import SlapAttempts, take_slap
from verification.messages.asked_prints import (
    FINGERPRINTS,
    SINGLE_FINGERS,
    is_best_available,
    is_single_finger,
    is_slap,
    position_of,
)
from verification.messages.enrollment_packet import CaptureException

_NOT_PICTURE = "PRINT_NOT_PICTURE"


def is_judged(item: str) -> bool:
    """Whether an item is kept only as the gate of prints says."""
    return is_single_finger(item) or is_slap(item)


def seen_print(engine: FingerEngine, item: str, content: bytes) -> Impression:
    """A print as the engine sees it; what no program can show is no attempt, and no form can print it."""
    try:
        return impression(engine, content, position_of(item))
    except FingerImageUndecodable:
        raise FieldsRefused({item: _NOT_PICTURE}) from None


def seen_slap(
    engine: FingerEngine, former: SlapAttempts, item: str, content: bytes, absent: Collection[int]
) -> SlapAttempts:
    """A slap put to the attempts before; raises FieldsRefused for what no program can show."""
    try:
        return take_slap(engine, former, content, position_of(item), absent)
    except FingerImageUndecodable:
        raise FieldsRefused({item: _NOT_PICTURE}) from None


def absent_fingers(exceptions: Sequence[CaptureException]) -> frozenset[int]:
    """The fingers of which a slap may show nothing, as their reasons say."""
    stated = [each.item for each in exceptions if not is_best_available(each.item, each.code)]
    if FINGERPRINTS in stated:
        return frozenset(SINGLE_FINGERS)
    return frozenset(position_of(item) for item in stated if is_single_finger(item))
