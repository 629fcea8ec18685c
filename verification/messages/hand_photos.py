"""A photograph of the hand shows that a finger is missing for good: for kit and centre. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from verification.errors import ImageUndecodable, LimitExceeded
from verification.lds.image_header import JPEG, read_image_header
from verification.messages.asked_prints import FINGERPRINTS, is_reason_for, is_single_finger, position_of
from verification.messages.enrollment_packet import CaptureException
from verification.messages.forms import FormException

LEFT, RIGHT = HAND_PHOTOS = ("hand_photo_left", "hand_photo_right")
"""The items; where both hands are missing, the photograph is of the arm."""

MISSING, NOT_JPEG, TOO_LARGE = "HAND_PHOTO_MISSING", "HAND_PHOTO_NOT_JPEG", "HAND_PHOTO_TOO_LARGE"
NEEDLESS = "HAND_PHOTO_NEEDLESS"
"""No reason asks for one."""

MAX_BYTES = 2 * 1024 * 1024
_RIGHT_HAND = range(1, 6)


def asked_hand_photos(
    reasons: Collection[FormException],
    stated: Iterable[CaptureException],
    day: date,
    sent_back: Collection[str] = (),
) -> tuple[str, ...]:
    """The items that stated reasons ask on a day; those that were sent back on any day."""
    asked = {item for each in stated if _needs_photo(reasons, each, day) for item in _hands_of(each.item)}
    return tuple(item for item in HAND_PHOTOS if item in asked or item in sent_back)


def photo_fault(content: bytes) -> str | None:
    """The fault code of bytes that are no photograph of 2 MiB and four megapixels at most."""
    if len(content) > MAX_BYTES:
        return TOO_LARGE
    try:
        is_jpeg = read_image_header(content).media_type == JPEG
    except LimitExceeded:
        return TOO_LARGE
    except ImageUndecodable:
        return NOT_JPEG
    return None if is_jpeg else NOT_JPEG


def _needs_photo(reasons: Collection[FormException], stated: CaptureException, day: date) -> bool:
    return any(
        each.photo_from is not None
        and each.code.upper() == stated.code
        and is_reason_for(each, stated.item)
        and day >= date.fromisoformat(each.photo_from)
        for each in reasons
    )


def _hands_of(item: str) -> tuple[str, ...]:
    if item == FINGERPRINTS:
        return HAND_PHOTOS
    if not is_single_finger(item):
        return ()
    return (RIGHT if position_of(item) in _RIGHT_HAND else LEFT,)
