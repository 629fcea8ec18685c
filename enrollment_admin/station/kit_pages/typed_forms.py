"""What an officer typed on the kit's pages, read or refused beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime

import msgspec
from werkzeug.datastructures import FileStorage, MultiDict

from enrollment_admin.station.capture_rules import DECLARED, EDITABLE, PORTRAIT, Captured
from enrollment_admin.station.draft_book import Draft
from enrollment_admin.station.gate import Declaration
from enrollment_admin.station.kit_pages.tasks import is_registered
from enrollment_admin.station.scanned_prints import scanned
from enrollment_admin.ui.chosen_prints import chosen_prints
from enrollment_admin.ui.consent_languages import LANGUAGES_OF_CONSENT
from verification.errors import FieldsRefused
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, MAX_ITEM_BYTES
from verification.messages.hand_photos import HAND_PHOTOS

MEDIA_TYPES = {
    PORTRAIT: "image/jpeg",
    CITIZEN_SIGNATURE: "image/png",
    **dict.fromkeys(HAND_PHOTOS, "image/jpeg"),
}
SEXES = ("M", "F")

_ALL = tuple(field.name for field in msgspec.structs.fields(PersonFields))
_OPTIONAL = frozenset({"spouse", "old_id"})
_BEGINNINGS = {PORTRAIT: b"\xff\xd8\xff", CITIZEN_SIGNATURE: b"\x89PNG\r\n\x1a\n"}
_OTHER_KIND = {PORTRAIT: "PORTRAIT_NOT_JPEG", CITIZEN_SIGNATURE: "SIGNATURE_NOT_PNG"}
_TOO_LARGE = {PORTRAIT: "PORTRAIT_TOO_LARGE", CITIZEN_SIGNATURE: "SIGNATURE_TOO_LARGE"}
_DAYS = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d")


def read_declaration(form: Mapping[str, str]) -> Declaration:
    """What somebody says of themselves; raises FieldsRefused."""
    said = {name: form.get(name, "").strip() for name in ("full_name", "date_of_birth", "sex")}
    number = "".join(form.get("citizen_number", "").split())
    faults = {name: "FIELD_MISSING" for name, value in said.items() if not value}
    if bool(number) == bool(form.get("has_no_number")):
        faults["citizen_number"] = "GATE_NUMBER_OR_NONE" if number else "FIELD_MISSING"
    if said["sex"] not in SEXES:
        faults["sex"] = "FIELD_MISSING"
    born = _day(said["date_of_birth"])
    if born is None:
        faults.setdefault("date_of_birth", "FIELD_DATE")
    if faults or born is None:
        raise FieldsRefused(faults)
    return Declaration(number or None, said["full_name"], born, said["sex"])


def fields_to_type(*, is_registered: bool) -> tuple[str, ...]:
    """The particulars that are the officer's to write: where the registry has none, nearly all."""
    return tuple(name for name in _ALL if (name in EDITABLE if is_registered else name not in DECLARED))


def fields_of(draft: Draft) -> tuple[str, ...]:
    """Those of a capture; in an answer to a return, those that were sent back."""
    if draft.answers is None:
        return fields_to_type(is_registered=is_registered(draft))
    return tuple(name for name in _ALL if name in draft.answers.fields)


def read_particulars(form: Mapping[str, str], person: PersonFields, fields: tuple[str, ...]) -> PersonFields:
    """The particulars with what was typed over them; raises FieldsRefused for a day that is none."""
    said = {name: " ".join(form.get(name, "").split()) for name in fields}
    if "date_of_birth" in said:
        born = _day(said["date_of_birth"])
        if born is None:
            raise FieldsRefused({"date_of_birth": "FIELD_DATE"})
        said["date_of_birth"] = born.isoformat()
    return msgspec.structs.replace(
        person, **{name: value or (None if name in _OPTIONAL else "") for name, value in said.items()}
    )


def require_picture(item: str, content: bytes) -> None:
    """A picture of the kind that the item is; raises FieldsRefused."""
    if not content:
        raise FieldsRefused({item: "FIELD_MISSING"})
    if len(content) > MAX_ITEM_BYTES:
        raise FieldsRefused({item: _TOO_LARGE[item]})
    if not content.startswith(_BEGINNINGS[item]):
        raise FieldsRefused({item: _OTHER_KIND[item]})


def read_prints(files: MultiDict[str, FileStorage], method: str) -> list[Captured]:
    """The prints that were chosen, finger by finger or as a scanner's files, and photographs of hands.

    Raises FieldsRefused.
    """
    chosen, taken_by = chosen_prints(files, method)
    return [
        Captured(item, MEDIA_TYPES[item], content)
        if item in HAND_PHOTOS
        else scanned(item, content, taken_by)
        for item, content in chosen.items()
    ]


def read_consent(form: Mapping[str, str]) -> str:
    """The language in which the citizen was told what they agree to; raises FieldsRefused."""
    faults = {}
    if form.get("agreed") != "yes":
        faults["agreed"] = "CITIZEN_AGREEMENT_MISSING"
    if form.get("language") not in LANGUAGES_OF_CONSENT:
        faults["language"] = "FIELD_MISSING"
    if faults:
        raise FieldsRefused(faults)
    return form["language"]


def _day(text: str) -> date | None:
    """A day as people here write it, or as programs do."""
    for written in _DAYS:
        with suppress(ValueError):
            return datetime.strptime(text, written).date()  # noqa: DTZ007 - a day has no zone
    return None
