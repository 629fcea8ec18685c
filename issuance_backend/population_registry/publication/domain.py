"""The way of an attribute to those who receive it: a quality gate, then two officers who sign.

checked      the gate found nothing                         a first officer signs
refused      the gate's faults are named                    corrected first, proposed again
signed_once  one officer has signed                         another one signs
published    both signed for the same values                receivers are told
rejected     an officer said no                             the end
outdated     a value changed before the second signature    proposed again
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from datetime import date
from enum import StrEnum

import msgspec

from issuance_backend.population_registry.domain import RegistryPerson, value_of
from issuance_backend.refusals import SameOfficer
from issuance_backend.state_table import StateTable
from verification.errors import CitizenNumberMalformed
from verification.identity.citizen_number import CitizenNumber, NumberDoubt

QualityGate = Callable[[RegistryPerson, date], tuple[str, ...]]
"""Codes of what is wrong with an entry on a day; nothing may be published while there is one."""


class PublicationState(StrEnum):
    """Where a publication stands."""

    CHECKED = "checked"
    REFUSED = "refused"
    SIGNED_ONCE = "signed_once"
    PUBLISHED = "published"
    REJECTED = "rejected"
    OUTDATED = "outdated"


class PublicationEvent(StrEnum):
    """What can happen to a publication."""

    PASS = "pass"  # noqa: S105 - the gate's verdict, no secret
    FAIL = "fail"
    SIGN = "sign"
    REJECT = "reject"
    OUTDATE = "outdate"


TABLE = StateTable[PublicationState, PublicationEvent](
    {
        (None, PublicationEvent.PASS): PublicationState.CHECKED,
        (None, PublicationEvent.FAIL): PublicationState.REFUSED,
        (PublicationState.CHECKED, PublicationEvent.SIGN): PublicationState.SIGNED_ONCE,
        (PublicationState.SIGNED_ONCE, PublicationEvent.SIGN): PublicationState.PUBLISHED,
        (PublicationState.CHECKED, PublicationEvent.REJECT): PublicationState.REJECTED,
        (PublicationState.SIGNED_ONCE, PublicationEvent.REJECT): PublicationState.REJECTED,
        (PublicationState.CHECKED, PublicationEvent.OUTDATE): PublicationState.OUTDATED,
        (PublicationState.SIGNED_ONCE, PublicationEvent.OUTDATE): PublicationState.OUTDATED,
    }
)
advance = TABLE.advance
OPEN_STATES = (PublicationState.CHECKED, PublicationState.SIGNED_ONCE)


class DeliveryKind(StrEnum):
    """What a receiver is to do with an attribute."""

    PUBLISH = "publish"
    WITHDRAW = "withdraw"


def require_new_signer(officer: str, proposed_by: str, signed_by: tuple[str, ...]) -> None:
    """Raise SameOfficer for whoever proposed the values or has signed for them."""
    if officer in {proposed_by, *signed_by}:
        raise SameOfficer("two other officers sign for what is published")


def value_digest(entry: RegistryPerson, attribute: str) -> str:
    """What one signature covers: whose attribute it is, which one, and the value."""
    signed = (entry.citizen_number, attribute, value_of(entry, attribute))
    return hashlib.sha256(msgspec.json.encode(signed)).hexdigest()


def values_digest(entry: RegistryPerson, attributes: tuple[str, ...]) -> str:
    """What a signature over several attributes covers."""
    parts = [value_digest(entry, attribute) for attribute in sorted(attributes)]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def entry_faults(entry: RegistryPerson, today: date) -> tuple[str, ...]:
    """The gate: what is wrong with an entry by itself, without another to compare it with."""
    faults = set(number_faults(entry))
    if not all(part.isalpha() for part in _letters(entry.full_name)):
        faults.add("FIELD_CHARACTERS")
    if not entry.full_name.strip():
        faults.add("FIELD_MISSING")
    if not unicodedata.is_normalized("NFC", entry.full_name):
        faults.add("FIELD_CHARACTERS")
    if entry.date_of_birth > today or _died_before_birth(entry):
        faults.add("FIELD_DATE")
    return tuple(sorted(faults))


def number_faults(entry: RegistryPerson) -> tuple[str, ...]:
    """Where an entry's number does not agree with its year of birth (century and all) or its sex."""
    try:
        number = CitizenNumber(entry.citizen_number)
    except CitizenNumberMalformed as fault:
        return (fault.code,)
    doubts = number.doubts(birth_year=entry.date_of_birth.year, sex=entry.sex)
    return tuple(doubt.value for doubt in doubts if doubt is not NumberDoubt.PROVINCE_UNKNOWN)


def _letters(name: str) -> list[str]:
    return unicodedata.normalize("NFC", name).replace("'", "").replace("’", "").split()


def _died_before_birth(entry: RegistryPerson) -> bool:
    return entry.life_status_since is not None and entry.life_status_since < entry.date_of_birth
