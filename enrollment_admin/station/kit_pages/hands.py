"""Two hands on a page: which finger is here, which has a reason, which is still to be taken."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from enrollment_admin.station.capture_desk import Draft
from verification.lds.image_header import PNG
from verification.messages.asked_prints import FINGER_ITEMS, FINGERPRINTS
from verification.messages.forms import FormEdition


class FingerState(StrEnum):
    """How one finger stands."""

    TAKEN = "taken"
    EXCUSED = "excused"
    MISSING = "missing"


class Finger(NamedTuple):
    """One finger; ``reason`` is why it has no print, in the form's own words, ``is_shown`` whether a browser
    can show its print.
    """

    item: str
    state: FingerState
    reason: tuple[str, str] | None
    is_shown: bool


def hands(draft: Draft, form: FormEdition) -> tuple[Finger, ...]:
    """The fingers that the form asks, right hand first, thumb to little finger."""
    taken = {each.name: each.media_type for each in draft.items if each.name in FINGER_ITEMS}
    words = {each.code.upper(): (each.vi, each.en) for each in form.exceptions}
    stated = {each.item: words.get(each.code) for each in draft.exceptions}
    return tuple(_finger(item, taken, stated) for item in draft.fingers)


def _finger(item: str, taken: dict[str, str], stated: dict[str, tuple[str, str] | None]) -> Finger:
    if item in taken:
        return Finger(item, FingerState.TAKEN, None, taken[item] == PNG)
    reason = stated.get(item) or stated.get(FINGERPRINTS)
    return Finger(item, FingerState.EXCUSED if reason else FingerState.MISSING, reason, is_shown=False)
