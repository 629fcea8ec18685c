"""Pictures of prints as the engine sees them; what is none is refused by its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from verification.errors import FieldsRefused, FingerImageUndecodable, SlapMiscounted
from verification.fingerprint.engine import FingerEngine
from verification.fingerprint.print_attempts import Impression, impression
from verification.fingerprint.print_picture import read_print
from verification.fingerprint.slap import slap_templates
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


def shown_fingers(
    engine: FingerEngine, slaps: Mapping[str, bytes], new: Collection[str], absent: Collection[int]
) -> dict[int, bytes]:
    """The templates of the fingers in slaps; raises FieldsRefused for a new one that does not show its own.

    One that was right says nothing once a finger has no reason any more, and holds nobody up.
    """
    made: dict[int, bytes] = {}
    for item, content in slaps.items():
        try:
            made |= slap_templates(engine, {position_of(item): read_print(content)}, absent)
        except FingerImageUndecodable:
            raise FieldsRefused({item: _NOT_PICTURE}) from None
        except SlapMiscounted as fault:
            if item not in new:
                continue
            raise FieldsRefused({item: fault.code}) from None
    return made


def absent_fingers(exceptions: Sequence[CaptureException]) -> frozenset[int]:
    """The fingers of which a slap may show nothing, as their reasons say."""
    stated = [each.item for each in exceptions if not is_best_available(each.item, each.code)]
    if FINGERPRINTS in stated:
        return frozenset(SINGLE_FINGERS)
    return frozenset(position_of(item) for item in stated if is_single_finger(item))
