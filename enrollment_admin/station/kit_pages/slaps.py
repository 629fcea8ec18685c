"""The slaps on a page: into which fingers each was cut, which has a reason, which is missing."""

from __future__ import annotations

from enrollment_admin.station.draft_book import Draft
from verification.capture_form.slap_standing import slap_standing
from verification.fingerprint.slap_attempts import SlapAttempts
from verification.messages.slap_standing import SlapStanding


def slaps(draft: Draft) -> tuple[SlapStanding, ...]:
    """The slaps that may be taken: four of the right hand, four of the left, both thumbs."""
    return tuple(_slap(item, draft) for item in draft.slaps)


def _slap(item: str, draft: Draft) -> SlapStanding:
    taken = {each.name: each.media_type for each in draft.items}
    tried = draft.tried_slaps.get(item, SlapAttempts())
    is_missing = item in draft.missing
    return slap_standing(item, taken.get(item), draft.exceptions, tried, is_missing=is_missing)
