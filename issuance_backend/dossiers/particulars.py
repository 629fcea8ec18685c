"""What a capture must be to become a dossier, and what of it may be captured again."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date

import msgspec

from verification.encoding.dates import is_partly_known
from verification.identity.administrative_units import provinces, units_2025
from verification.messages.asked_prints import ALL_SLAPS, FINGER_ITEMS, FINGERPRINTS, SLAP_ITEMS, is_finger
from verification.messages.enrollment import DossierCapture, PersonFields
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.hand_photos import HAND_PHOTOS

_MAX_LENGTHS: Mapping[str, int] = {"identification": 200, "place_of_origin": 200, "place_of_residence": 200}
_MAX_LENGTH = 120
_OPTIONAL = frozenset({"spouse", "old_id"})

# Latin letters with all their marks, digits and marks of writing: what the card's typeface has. The bar parts
# the fields of the card's QR code. Anything else would stop the card when it is approved and ordered already.
_ON_CARDS = re.compile("[ -{}~\u00a1-\u00ac\u00ae-\u024f\u0300-\u034e\u1e00-\u1efb\u2010-\u2027]*")

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


def field_faults(person: PersonFields, excused: Collection[str] = ()) -> dict[str, str]:
    """Fault codes by field for what cannot go on a card: missing, too long, or of other than Latin letters.

    ``excused`` are fields that may be left out for a coded exception.
    """
    faults: dict[str, str] = {}
    for name in person.__struct_fields__:
        text = getattr(person, name) or ""
        if not text and name not in _OPTIONAL and name not in excused:
            faults[name] = "FIELD_MISSING"
        elif len(text) > _MAX_LENGTHS.get(name, _MAX_LENGTH):
            faults[name] = "FIELD_TOO_LONG"
        elif not _ON_CARDS.fullmatch(text):
            faults[name] = "FIELD_CHARACTERS"
    if "sex" not in faults and person.sex not in {"M", "F"}:
        faults["sex"] = "FIELD_CHARACTERS"
    if "date_of_birth" not in faults and not _is_date(person.date_of_birth):
        # A card has a day in its MRZ, on its face and for the end of its validity.
        is_partial = is_partly_known(person.date_of_birth)
        faults["date_of_birth"] = "FIELD_DATE_PARTIAL" if is_partial else "FIELD_DATE"
    return faults


def form_values(person: PersonFields, citizen_number: str, day: date) -> dict[str, str]:
    """What a capture has for the items of a form."""
    values = {name: getattr(person, name) or "" for name in person.__struct_fields__}
    return {**values, "citizen_number": citizen_number, "captured_on": day.isoformat()}


def registry_faults(person: PersonFields, registered: PersonFields) -> dict[str, str]:
    """Fault codes by field for what the registry says otherwise."""
    return {
        name: "FIELD_NOT_AS_REGISTERED"
        for name in REGISTERED_FIELDS
        if getattr(person, name) != getattr(registered, name)
    }


RETURN_ITEMS: Mapping[str, tuple[str, ...]] = {
    "portrait": (),
    FINGERPRINTS: (),
    **dict.fromkeys((*FINGER_ITEMS, *SLAP_ITEMS, *HAND_PHOTOS), ()),
    "form": (),
    "particulars": REGISTERED_FIELDS,
    "identification": ("identification",),
    "place_of_residence": ("place_of_residence",),
}
"""What a checker can send back, and the fields that may change then."""

BIOMETRIC_ITEMS = ("portrait", FINGERPRINTS)


def fields_of(items: Collection[str]) -> frozenset[str]:
    """The fields that may change where these items were sent back."""
    return frozenset(field for item in items for field in RETURN_ITEMS[item])


def unreturned_faults(
    person: PersonFields, standing: PersonFields, returned: Collection[str]
) -> dict[str, str]:
    """Fault codes by field for what was not sent back and is not what stands."""
    may_change = fields_of(returned)
    return {
        name: "ITEM_NOT_RETURNED"
        for name in person.__struct_fields__
        if name not in may_change and getattr(person, name) != getattr(standing, name)
    }


def items_of(faults: Collection[str]) -> tuple[str, ...]:
    """The items to send back for fields and items that have faults, in the order of RETURN_ITEMS."""
    at = set(faults)
    if ALL_SLAPS in at:
        at.update(SLAP_ITEMS)
    prints = {each for each in at if is_finger(each)}
    if FINGERPRINTS in at or at.issuperset(FINGER_ITEMS) or not prints <= RETURN_ITEMS.keys():
        # All prints: the slaps are among them.
        at = at - prints | {FINGERPRINTS}
    named = {item for item, fields in RETURN_ITEMS.items() if not {item, *fields}.isdisjoint(at)}
    if not {"portrait", "manual_portrait_reason"}.isdisjoint(faults):
        named.add("portrait")
    if CITIZEN_SIGNATURE in faults:
        # The citizen signs what is printed.
        named.add("form")
    return tuple(item for item in RETURN_ITEMS if item in named) or ("particulars",)


def residence_province(place: str) -> str | None:
    """The code of the province that a place of residence ends with; None where it names none."""
    named = _province_name(place.rpartition(",")[2])
    # Some units of 2025 have a name that no old province had: Thừa Thiên Huế is Huế since.
    names = [(code, old.name) for code, old in provinces().items()]
    names += [(code, unit.name) for code, unit in units_2025().items()]
    return next((code for code, name in names if _province_name(name) == named), None)


def is_same_province(code: str | None, other: str | None) -> bool:
    """Whether two codes mean the same province as provinces are drawn since July 2025."""
    if code is None or other is None:
        return False
    return code == other or _unit_2025(code) == _unit_2025(other) is not None


def _unit_2025(code: str) -> str | None:
    if code in units_2025():
        return code
    found = provinces().get(code)
    return found.merged_into_2025 if found else None


def _province_name(text: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    for prefix in ("thành phố ", "tỉnh ", "tp. ", "tp "):
        name = name.removeprefix(prefix)
    return name


def content_digest(capture: DossierCapture) -> str:
    """Identifies what was captured, apart from the id of the capture itself and its beginning."""
    content = msgspec.structs.replace(capture, capture_id="", begun_at=None)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def capture_key(capture_id: str, content_sha256: str) -> str:
    """Identifies one capture: the same content captured twice is two captures."""
    return hashlib.sha256(f"{capture_id}|{content_sha256}".encode()).hexdigest()


def birth_day(person: PersonFields) -> date | None:
    """The day of birth, if it is one."""
    return date.fromisoformat(person.date_of_birth) if _is_date(person.date_of_birth) else None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
