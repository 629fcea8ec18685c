"""Into which fingers a slap was cut, which has a reason, which is missing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from verification.capture_form.print_pictures import absent_fingers
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.asked_prints import ALL_SLAPS, FINGERPRINTS, finger_item, fingers_of_slap
from verification.messages.enrollment_packet import CaptureException
from verification.messages.slap_standing import FingerState, SlapFinger, SlapStanding


def slap_standing(
    item: str,
    media_type: str | None,
    exceptions: Sequence[CaptureException],
    tried: SlapAttempts,
    *,
    is_missing: bool,
) -> SlapStanding:
    """How a slap stands: its picture's type, what is stated, and how it was tried."""
    stated = {each.item: each.code for each in exceptions}
    reason = next((stated[name] for name in (item, ALL_SLAPS, FINGERPRINTS) if name in stated), None)
    absent, shown = absent_fingers(exceptions), fingers_of_slap(item)
    has_reason = reason is not None or absent.issuperset(shown)
    state = _state(is_here=media_type is not None, is_missing=is_missing, has_reason=has_reason)
    without = absent if state is not FingerState.EXCUSED else frozenset(shown)
    fingers = tuple(SlapFinger(finger_item(each), _finger_state(each, tried, without)) for each in shown)
    return SlapStanding(item, state, fingers, media_type, reason, tried.scores, tried.code)


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
