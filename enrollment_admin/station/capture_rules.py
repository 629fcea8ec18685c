"""What may be captured: the form's mandatory items, its coded reasons, and what nobody types over. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import NamedTuple

import msgspec

from enrollment_admin.station.kit_store import GateAttempt, Particulars
from enrollment_admin.station.refusals import FormOutdated
from verification.errors import FieldsRefused, LimitExceeded
from verification.messages.asked_prints import (
    asked_fingers,
    is_contradicted,
    is_finger,
    is_reason_for,
    may_take_prints,
    missing_fingers,
)
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import (
    CANNOT_SIGN,
    CITIZEN_SIGNATURE,
    MAX_ITEM_BYTES,
    CaptureException,
)
from verification.messages.forms import FormEdition
from verification.messages.hand_photos import HAND_PHOTOS, photo_fault
from verification.messages.prints_taken import CaptureMethod

PORTRAIT = "portrait"
EDITABLE = frozenset({"place_of_residence", "identification"})
"""What an officer may type over the registry's particulars; the rest the registry has to correct."""
DECLARED = frozenset({"full_name", "date_of_birth", "sex"})
"""What the gate asked; where no extract has the person, the officer types the rest."""

_ITEM = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")


class Captured(NamedTuple):
    """A picture, print or scan as it was taken; a print is of a scanner's glass, or of ink on paper."""

    item: str
    media_type: str
    content: bytes
    method: CaptureMethod = CaptureMethod.DEVICE


def has_passed(attempts: Sequence[GateAttempt]) -> bool:
    """Whether the last attempt was let through, with the number that a packet needs."""
    if not attempts:
        return False
    return attempts[-1].answer.is_open and attempts[-1].declaration.citizen_number is not None


def particulars_of(attempt: GateAttempt) -> Particulars:
    """What a capture begins with: the registry's entry, or what alone was declared."""
    declared, entry = attempt.declaration, attempt.answer.person
    if entry is not None:
        return Particulars(entry.citizen_number, entry.person, is_registered=True)
    person = PersonFields(
        full_name=declared.full_name,
        date_of_birth=declared.date_of_birth.isoformat(),
        sex=declared.sex,
        nationality="",
        ethnicity="",
        religion="",
        place_of_origin="",
        place_of_residence="",
        identification="",
        father="",
        mother="",
    )
    return Particulars(declared.citizen_number, person)


def require_unchanged(said: Particulars, person: PersonFields) -> None:
    """What the gate held against the registry is not typed over; raises FieldsRefused."""
    held = msgspec.structs.asdict(said.person) if said.person else {}
    typed = msgspec.structs.asdict(person)
    fixed = held.keys() - EDITABLE if said.is_registered else DECLARED
    faults = {name: "FIELD_NOT_AS_REGISTERED" for name in sorted(fixed) if typed[name] != held[name]}
    if faults:
        raise FieldsRefused(faults)


def require_item(captured: Captured) -> None:
    """An item that a packet can hold; raises FieldsRefused and LimitExceeded."""
    item, media_type, content, _ = captured
    if not _ITEM.fullmatch(item):
        raise FieldsRefused({"item": "FIELD_CHARACTERS"})
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise FieldsRefused({item: "FIELD_CHARACTERS"})
    if not content:
        raise FieldsRefused({item: "FIELD_MISSING"})
    if len(content) > MAX_ITEM_BYTES:
        raise LimitExceeded(f"an item of {len(content)} bytes")
    fault = photo_fault(content) if item in HAND_PHOTOS else None
    if fault is not None:
        raise FieldsRefused({item: fault})


def require_excusable(
    form: FormEdition, values: Mapping[str, str], kept: Set[str], stated: CaptureException
) -> None:
    """The form knows this reason for this item, and the item is not here; raises FieldsRefused."""
    if not _knows(form, stated):
        raise FieldsRefused({stated.item: "EXCEPTION_UNKNOWN"})
    if is_contradicted(stated.item, kept) or values.get(stated.item):
        raise FieldsRefused({stated.item: "EXCEPTION_CONTRADICTED"})


def _knows(form: FormEdition, stated: CaptureException) -> bool:
    if stated.item == CITIZEN_SIGNATURE:
        return stated.code == CANNOT_SIGN
    return any(
        each.code.upper() == stated.code and is_reason_for(each, stated.item) for each in form.exceptions
    )


def require_lawful(form: FormEdition, values: Mapping[str, str], item: str, day: date) -> None:
    """No print is taken of whom the law takes none; raises FieldsRefused."""
    if is_finger(item) and not may_take_prints(form.prints, born(values), day):
        raise FieldsRefused({item: "PRINT_NOT_TAKEN_AT_THIS_AGE"})


def fingers_asked(form: FormEdition, values: Mapping[str, str], day: date) -> tuple[str, ...]:
    """The fingers whose prints the form asks of this citizen on a day."""
    return asked_fingers(form.prints, born(values), day)


def missing_items(
    form: FormEdition, values: Mapping[str, str], kept: Set[str], excused: Set[str], day: date
) -> list[str]:
    """What the form asks and has neither been captured nor excused."""
    asked = [PORTRAIT] if form.layout.portrait and PORTRAIT not in kept else []
    asked += [
        field.item for field in form.fields if field.mandatory and not values.get(field.item, "").strip()
    ]
    fingers = missing_fingers(fingers_asked(form, values, day), kept, excused)
    return [item for item in asked if item not in excused] + list(fingers)


def born(values: Mapping[str, str]) -> date | None:
    """The day of birth, if it is one."""
    try:
        return date.fromisoformat(values.get("date_of_birth", ""))
    except ValueError:
        return None


def require_in_force(form: FormEdition, day: date) -> None:
    """The edition is the one of this day; its last day is one of its days. Raises FormOutdated."""
    if not _is_in_force(form, day):
        raise FormOutdated("another edition is in force")


def is_current(form: FormEdition, day: date) -> bool:
    """Whether a kit that keeps this form asks for what the centre asks: kits of before asked less."""
    return _is_in_force(form, day) and form.prints is not None and form.prints.slaps is not None


def _is_in_force(form: FormEdition, day: date) -> bool:
    since, until = date.fromisoformat(form.valid_from), date.fromisoformat(form.valid_to or day.isoformat())
    return since <= day <= until
