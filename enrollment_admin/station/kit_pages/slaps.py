"""The slaps on a page: into which fingers each was cut, which has a reason, which is missing."""

from __future__ import annotations

from typing import NamedTuple

from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.kit_pages.hands import FingerState
from verification.capture_form.print_pictures import absent_fingers
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.lds.image_header import PNG
from verification.messages.asked_prints import ALL_SLAPS, FINGERPRINTS, finger_item, fingers_of_slap
from verification.messages.forms import FormEdition


class Slap(NamedTuple):
    """One slap: its ``fingers`` from left to right, cut out of it, with a reason, or missing from it.

    Its own state is None where nobody asks for it today. ``reason`` is why it has no picture, in the form's
    own words, ``is_shown`` whether a browser can show it, ``tried`` what its attempts came to.
    """

    item: str
    state: FingerState | None
    fingers: tuple[tuple[str, FingerState], ...]
    reason: tuple[str, str] | None
    is_shown: bool
    tried: SlapAttempts

    @property
    def is_here(self) -> bool:
        """Whether it has a picture."""
        return self.state in {FingerState.TAKEN, FingerState.AGAIN}


def slaps(draft: Draft, form: FormEdition) -> tuple[Slap, ...]:
    """The slaps that may be taken: four of the right hand, four of the left, both thumbs."""
    words = {each.code.upper(): (each.vi, each.en) for each in form.exceptions}
    stated = {each.item: words.get(each.code) for each in draft.exceptions}
    return tuple(_slap(item, draft, stated) for item in draft.slaps)


def _slap(item: str, draft: Draft, stated: dict[str, tuple[str, str] | None]) -> Slap:
    taken = {each.name: each.media_type for each in draft.items}
    tried = draft.tried_slaps.get(item, SlapAttempts())
    absent = absent_fingers(draft.exceptions)
    reason = next((each for name in (item, ALL_SLAPS, FINGERPRINTS) if (each := stated.get(name))), None)
    has_reason = reason is not None or absent.issuperset(fingers_of_slap(item))
    state = _state(is_here=item in taken, is_missing=item in draft.missing, has_reason=has_reason)
    without = absent if state is not FingerState.EXCUSED else frozenset(fingers_of_slap(item))
    fingers = tuple(
        (finger_item(each), _finger_state(each, tried, without)) for each in fingers_of_slap(item)
    )
    return Slap(item, state, fingers, reason, taken.get(item) == PNG, tried)


def _finger_state(position: int, tried: SlapAttempts, absent: frozenset[int]) -> FingerState:
    if position in tried.fingers:
        return FingerState.TAKEN
    return FingerState.EXCUSED if position in absent else FingerState.MISSING


def _state(*, is_here: bool, is_missing: bool, has_reason: bool) -> FingerState | None:
    if is_here:
        return FingerState.AGAIN if is_missing else FingerState.TAKEN
    if is_missing:
        return FingerState.MISSING
    return FingerState.EXCUSED if has_reason else None
