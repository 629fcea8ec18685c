"""An answer to a return takes what was sent back, and repeats the rest as it stands (F38). Pure."""

from __future__ import annotations

import msgspec

from enrollment_admin.station.capture_rules import EDITABLE, require_unchanged
from enrollment_admin.station.kit_store import Answered, Particulars
from verification.errors import FieldsRefused
from verification.messages.asked_prints import (
    ALL_SLAPS,
    finger_item,
    fingers_of_slap,
    fingers_sent_back,
    is_finger,
    is_slap,
)
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.hand_photos import HAND_PHOTOS
from verification.messages.kit_returns import ReturnedCapture

NOT_RETURNED = "ITEM_NOT_RETURNED"


def particulars_of_return(returned: ReturnedCapture) -> Particulars:
    """What an answer begins with: the capture as it stands, without what the officer writes anew."""
    anew = dict.fromkeys(EDITABLE.intersection(returned.items), "")
    return Particulars(
        returned.citizen_number,
        msgspec.structs.replace(returned.person, **anew),
        is_registered=True,
        answers=Answered(returned.dossier, returned.items, returned.fields),
    )


def is_asked(answers: Answered | None, item: str) -> bool:
    """Whether an item may be taken: everything in a first capture, in an answer what was sent back.

    The citizen signs whatever is sealed. A photograph of a hand goes with its reason (``DraftBook``).
    """
    if answers is None or item == CITIZEN_SIGNATURE or item in HAND_PHOTOS:
        return True
    if is_finger(item):
        return item in fingers_sent_back(answers.items)
    return item in answers.items or item in answers.fields


def require_asked(answers: Answered | None, item: str) -> None:
    """Raise FieldsRefused for an item that was not sent back."""
    if not is_asked(answers, item):
        raise FieldsRefused({item: NOT_RETURNED})


def require_reason_asked(answers: Answered | None, item: str) -> None:
    """Raise FieldsRefused for a reason of what was not sent back; of a slap its fingers may have reasons."""
    if answers is not None and not is_asked(answers, item):
        slaps = [each for each in fingers_sent_back(answers.items) if is_slap(each)]
        shown = {finger_item(position) for each in slaps for position in fingers_of_slap(each)}
        if item not in shown and not (item == ALL_SLAPS and slaps):
            raise FieldsRefused({item: NOT_RETURNED})


def require_confirmed(said: Particulars, person: PersonFields) -> None:
    """What an officer typed is theirs to type; raises FieldsRefused.

    In a first capture as the gate had it, in an answer what was sent back.
    """
    if said.answers is None or said.person is None:
        require_unchanged(said, person)
        return
    held, typed, asked = (
        msgspec.structs.asdict(said.person),
        msgspec.structs.asdict(person),
        said.answers.fields,
    )
    faults = {name: NOT_RETURNED for name in sorted(held) if name not in asked and typed[name] != held[name]}
    if faults:
        raise FieldsRefused(faults)
