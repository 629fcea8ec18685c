"""What a form DC01 must say to become an entry of the registry, and the entry that it becomes."""

from __future__ import annotations

from dataclasses import MISSING, fields

import msgspec

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.dc01.domain import Form, Values
from issuance_backend.population_registry.domain import RegistryPerson, birth_columns
from issuance_backend.population_registry.life_events.domain import value_faults
from issuance_backend.population_registry.matching.place import province_code
from issuance_backend.population_registry.numbers.domain import NumberRequest, has_century, prefix_of
from issuance_backend.population_registry.rules.checks import MANDATORY
from issuance_backend.population_registry.rules.form_date import read_form_date
from verification.identity.administrative_units import provinces
from verification.identity.person_name import normalized_name
from verification.messages.life_event import Attributes

SOURCE = "dc01"
"""Forms DC01 as the origin of what the registry holds."""

_ASKED = frozenset(field.name for field in fields(RegistryPerson) if field.default is MISSING)
_OPTIONAL = ("blood_group", "phone", "spouse", "old_id")


def obstacles(form: Form) -> tuple[str, ...]:
    """Why no entry can be made of a form; nothing that it does not say is made up."""
    values = form.values or {}
    found = [f"ENTRY_LACKS:{name}" for name in MANDATORY if name in _ASKED and not values.get(name)]
    kept: Attributes = {
        name: text for name, text in values.items() if name in _ASKED and name != "date_of_birth"
    }
    found += [f"ENTRY_CANNOT_HOLD:{name}" for name in value_faults(kept)]
    if not form.bears_own_number and _prefix(values) is None:
        found.append(_why_unformed(values))
    return tuple(found)


def number_request(form: Form) -> NumberRequest:
    """What asks for the number of a form's person: always the same name, which no other program can give."""
    prefix = _prefix(form.values or {})
    if prefix is None:
        raise ValueError("a form without obstacles tells the block of its number")
    return NumberRequest(form.subject, prefix)


def entry_of(form: Form, citizen_number: str) -> RegistryPerson:
    """The entry that a form without obstacles becomes; what DC01 does not ask stays empty."""
    values = form.values or {}
    said = {name: normalized_name(text) for name, text in values.items() if name in _ASKED}
    unasked = {name: None if name in _OPTIONAL else "" for name in _ASKED - said.keys()}
    born = _born(values)
    if born is None:
        raise ValueError("a form without obstacles tells at least the year of birth")
    own = {"citizen_number": citizen_number, **birth_columns(born)}
    return msgspec.convert({**unasked, **said, **own}, RegistryPerson)


def _born(values: Values) -> BirthDate | None:
    return read_form_date(values.get("date_of_birth", ""))


def _province(values: Values) -> str | None:
    unit = values.get("birth_registration_unit", "").partition(".")[0]
    return unit if unit in provinces() else province_code(values.get("birth_registration_place", ""))


def _prefix(values: Values) -> str | None:
    """Province of birth registration, century, sex and year; None where the form does not tell them."""
    born, sex, place = _born(values), values.get("sex"), _province(values)
    if born is None or sex is None or place is None or not has_century(born.first_day):
        return None
    return prefix_of(place, born.first_day, sex)


def _why_unformed(values: Values) -> str:
    """The code of the part of a number that a form does not tell.

    Who was registered abroad has a country's three digits, whose table is not published: the ministry gives
    such a number, and on the form it is kept like any other.
    """
    born = _born(values)
    if born is not None and not has_century(born.first_day):
        return "ENTRY_NUMBER_CENTURY"
    return "ENTRY_NUMBER_PLACE" if _province(values) is None else "ENTRY_NUMBER_UNFORMED"
