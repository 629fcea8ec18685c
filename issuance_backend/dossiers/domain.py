"""The life cycle of an application, and what a capture must be to become one.

captured    the officer has sealed the capture          the registry check runs
validated   the registry agrees, the portrait is good   another officer approves or returns
returned    items to redo are named                     the capture officer captures again
approved    a card is ordered                           production, then hand-over
completed   the card was handed over                    nobody
withdrawn   the citizen no longer wants it              nobody
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from issuance_backend.refusals import SameOfficer
from verification.errors import TransitionRefused
from verification.messages.enrollment import DossierCapture, PersonFields


class DossierState(StrEnum):
    """Where an application stands."""

    CAPTURED = "captured"
    VALIDATED = "validated"
    RETURNED = "returned"
    APPROVED = "approved"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class DossierEvent(StrEnum):
    """What can happen to an application."""

    CAPTURE = "capture"
    VALIDATE = "validate"
    RETURN = "return"
    APPROVE = "approve"
    COMPLETE = "complete"
    WITHDRAW = "withdraw"


TRANSITIONS: Mapping[tuple[DossierState | None, DossierEvent], DossierState] = {
    (None, DossierEvent.CAPTURE): DossierState.CAPTURED,
    (DossierState.CAPTURED, DossierEvent.VALIDATE): DossierState.VALIDATED,
    (DossierState.VALIDATED, DossierEvent.RETURN): DossierState.RETURNED,
    (DossierState.VALIDATED, DossierEvent.APPROVE): DossierState.APPROVED,
    (DossierState.VALIDATED, DossierEvent.WITHDRAW): DossierState.WITHDRAWN,
    (DossierState.RETURNED, DossierEvent.CAPTURE): DossierState.CAPTURED,
    (DossierState.RETURNED, DossierEvent.WITHDRAW): DossierState.WITHDRAWN,
    (DossierState.APPROVED, DossierEvent.COMPLETE): DossierState.COMPLETED,
}


def advance(state: DossierState | None, event: DossierEvent) -> DossierState:
    """The state after an event; a pair that is not in the table raises TransitionRefused."""
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise TransitionRefused(f"{event} is not possible in {state or 'no state'}") from None


def fold(events: Iterable[DossierEvent]) -> DossierState | None:
    """The state that recorded events add up to."""
    state: DossierState | None = None
    for event in events:
        state = advance(state, event)
    return state


def require_other_officer(approver: str, former: Iterable[str]) -> None:
    """Raise SameOfficer when the approver took any earlier part (invariant I4, four eyes)."""
    if approver in set(former):
        raise SameOfficer("the approver took part in this dossier before")


_MAX_LENGTHS: Mapping[str, int] = {"identification": 200, "place_of_origin": 200, "place_of_residence": 200}
_MAX_LENGTH = 120
_OPTIONAL = frozenset({"spouse", "old_id"})

# A card repeats these from the registry: who finds them wrong corrects the registry first.
REGISTERED_FIELDS = (
    "full_name",
    "date_of_birth",
    "sex",
    "nationality",
    "ethnicity",
    "religion",
    "place_of_origin",
    "father",
    "mother",
    "spouse",
    "old_id",
)


def normalised(person: PersonFields) -> PersonFields:
    """The particulars in one Unicode form (NFC), with single spaces, and empty options as none."""
    values: dict[str, str | None] = {}
    for name in person.__struct_fields__:
        text = getattr(person, name)
        clean = " ".join(unicodedata.normalize("NFC", text).split()) if text else ""
        values[name] = clean or (None if name in _OPTIONAL else "")
    return msgspec.convert(values, PersonFields)


def field_faults(person: PersonFields) -> dict[str, str]:
    """Fault codes by field for what cannot go on a card: missing, too long, control characters."""
    faults: dict[str, str] = {}
    for name in person.__struct_fields__:
        text = getattr(person, name) or ""
        if not text and name not in _OPTIONAL:
            faults[name] = "FIELD_MISSING"
        elif len(text) > _MAX_LENGTHS.get(name, _MAX_LENGTH):
            faults[name] = "FIELD_TOO_LONG"
        elif not _is_plain(text):
            faults[name] = "FIELD_CHARACTERS"
    if "sex" not in faults and person.sex not in {"M", "F"}:
        faults["sex"] = "FIELD_CHARACTERS"
    if "date_of_birth" not in faults and not _is_date(person.date_of_birth):
        faults["date_of_birth"] = "FIELD_DATE"
    return faults


def registry_faults(person: PersonFields, registered: PersonFields) -> dict[str, str]:
    """Fault codes by field for what the registry says otherwise."""
    return {
        name: "FIELD_NOT_AS_REGISTERED"
        for name in REGISTERED_FIELDS
        if getattr(person, name) != getattr(registered, name)
    }


def content_digest(capture: DossierCapture) -> str:
    """Identifies what was captured, apart from the id of the capture itself."""
    content = msgspec.structs.replace(capture, capture_id="")
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def _is_plain(text: str) -> bool:
    # The quick question settles nearly every text: what is printable holds no control character.
    return text.isprintable() or not any(unicodedata.category(each).startswith("C") for each in text)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
