"""The life of an identity, and how old a record may be before it is no longer called living.

claimed   somebody presented himself with it                  a registrar validates or invalidates
valid     checked; may become the person's reference           found wrong later, or revoked
invalid   it was never this person's                           reopened when that was a mistake
revoked   it was this person's and is no more                  the end
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from enum import StrEnum

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.state_table import StateTable

ROOT = "root"
"""The layer of the registry's own data."""

LOADED = "bulk-load"
"""The source of what stood in the registry before anything happened to it."""

ATTRIBUTES = tuple(
    field.name for field in fields(RegistryPerson) if field.name not in {"citizen_number", "birth_known"}
)
"""What the registry itself holds of a person; a date of birth says itself how far it is known."""

ONLY_ENRICHED = frozenset({"tax_code", "health_insurance_number", "social_insurance_number", "email"})
"""What other agencies hold and form DC01 does not ask for."""

_LIVING_MONTHS = 24


class IdentityStatus(StrEnum):
    """Where an identity stands; the four words of the OSIA specification."""

    CLAIMED = "claimed"
    VALID = "valid"
    INVALID = "invalid"
    REVOKED = "revoked"


class IdentityEvent(StrEnum):
    """What can happen to an identity."""

    CLAIM = "claim"
    VALIDATE = "validate"
    INVALIDATE = "invalidate"
    REVOKE = "revoke"
    REOPEN = "reopen"


class IdentityKind(StrEnum):
    """What an identity rests on."""

    CIVIL_REGISTER = "civil_register"
    DC01_FORM = "dc01_form"
    CMND_9 = "cmnd_9"
    BARCODE_CARD = "barcode_card"
    CHIP_CARD = "chip_card"
    PASSPORT = "passport"


TABLE = StateTable[IdentityStatus, IdentityEvent](
    {
        (None, IdentityEvent.CLAIM): IdentityStatus.CLAIMED,
        (IdentityStatus.CLAIMED, IdentityEvent.VALIDATE): IdentityStatus.VALID,
        (IdentityStatus.CLAIMED, IdentityEvent.INVALIDATE): IdentityStatus.INVALID,
        (IdentityStatus.VALID, IdentityEvent.INVALIDATE): IdentityStatus.INVALID,
        (IdentityStatus.VALID, IdentityEvent.REVOKE): IdentityStatus.REVOKED,
        (IdentityStatus.INVALID, IdentityEvent.REOPEN): IdentityStatus.CLAIMED,
    }
)
advance = TABLE.advance


class Freshness(StrEnum):
    """Whether life has confirmed a record lately."""

    LIVE = "live"
    STALE = "stale"


def freshness(confirmed_on: date | None, today: date) -> Freshness:
    """Live while the last confirmed event is at most 24 months old."""
    if confirmed_on is None:
        return Freshness.STALE
    months = (today.year - confirmed_on.year) * 12 + today.month - confirmed_on.month
    is_past = today.day > confirmed_on.day
    return Freshness.STALE if months + is_past > _LIVING_MONTHS else Freshness.LIVE
