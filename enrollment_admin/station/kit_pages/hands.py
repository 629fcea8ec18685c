"""Two hands on a page: which finger is here, which has a reason, which is still to be taken."""

from __future__ import annotations

from typing import NamedTuple

from enrollment_admin.station.draft_book import Draft
from verification.capture_form.print_gate import SeenPrint
from verification.lds.image_header import PNG
from verification.messages.asked_prints import FINGER_ITEMS, FINGERPRINTS
from verification.messages.forms import FormEdition
from verification.messages.slap_standing import FingerState


class Finger(NamedTuple):
    """One finger; ``reason`` is why it has no print, in the form's own words, ``is_shown`` whether a browser
    can show its print, ``tried`` how good the attempts were.
    """

    item: str
    state: FingerState
    reason: tuple[str, str] | None
    is_shown: bool
    tried: SeenPrint | None = None

    @property
    def is_here(self) -> bool:
        """Whether it has a print."""
        return self.state in {FingerState.TAKEN, FingerState.AGAIN, FingerState.BEST}


def hands(draft: Draft, form: FormEdition) -> tuple[Finger, ...]:
    """The fingers that the form asks, right hand first, thumb to little finger."""
    taken = {each.name: each.media_type for each in draft.items if each.name in FINGER_ITEMS}
    words = {each.code.upper(): (each.vi, each.en) for each in form.exceptions}
    stated = {each.item: words.get(each.code) for each in draft.exceptions}
    return tuple(_finger(item, taken, stated, draft.prints.get(item)) for item in draft.fingers)


def _finger(
    item: str, taken: dict[str, str], stated: dict[str, tuple[str, str] | None], tried: SeenPrint | None
) -> Finger:
    if item in taken:
        return Finger(item, _taken_state(tried), None, taken[item] == PNG, tried)
    reason = stated.get(item) or stated.get(FINGERPRINTS)
    state = FingerState.EXCUSED if reason else FingerState.MISSING
    return Finger(item, state, reason, is_shown=False, tried=tried)


def _taken_state(tried: SeenPrint | None) -> FingerState:
    if tried is not None and tried.is_again:
        return FingerState.AGAIN
    return FingerState.BEST if tried is not None and tried.is_best_available else FingerState.TAKEN
