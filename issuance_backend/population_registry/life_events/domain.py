"""What a life event means for the record, and which ones cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

import msgspec

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.rules.domain import Measure, Weight, rules_on
from issuance_backend.population_registry.units.domain import UnitRegister
from verification.errors import FieldsRefused, TransitionRefused
from verification.identity.person_name import normalized_name
from verification.messages.life_event import (
    Attributes,
    Birth,
    Correction,
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Found,
    LifeEvent,
    LifeEventReport,
)
from verification.messages.person_query import LifeStatus

SINGLE, MARRIED, WIDOWED, DIVORCED = "Chưa kết hôn", "Đã kết hôn", "Góa", "Ly hôn"
MAX_TEXT = 200
_MARRIAGE_AGES = {"M": 20, "F": 18}
"""Law on Marriage and Family 52/2014/QH13, article 8."""

LIFE: Mapping[tuple[LifeStatus, type[LifeEvent]], LifeStatus] = {
    (LifeStatus.ALIVE, Death): LifeStatus.DECEASED,
    (LifeStatus.MISSING, Death): LifeStatus.DECEASED,
    (LifeStatus.ALIVE, DeclaredMissing): LifeStatus.MISSING,
    (LifeStatus.MISSING, Found): LifeStatus.ALIVE,
    (LifeStatus.DECEASED, DeathAnnulled): LifeStatus.ALIVE,
}

CORRECTABLE = frozenset(RegistryPerson.__dataclass_fields__) - {
    *("citizen_number", "life_status", "life_status_since", "birth_known")
}
"""Life and death are corrected by events of their own."""

_OPTIONAL = frozenset({"blood_group", "phone", "spouse", "old_id"})
_LENGTHS = {"sex": 1, "blood_group": 4, "marital_status": 20, "phone": 20, "old_id": 9}
_LENGTHS |= {"ethnicity": 40, "education": 40, "relation_to_head": 40, "nationality": 60, "religion": 60}
_LENGTHS |= {"occupation": 80, "full_name": 120, "father": 120, "mother": 120, "spouse": 120}
_LENGTHS |= {"household_head": 120}
_NO_UNITS = UnitRegister(())
"""An entry names places in words; the rules about codes of units are not concerned."""


def next_status(status: LifeStatus, event: LifeEvent) -> LifeStatus:
    """The life status after an event; raises TransitionRefused, as for a second death."""
    try:
        return LIFE[(status, type(event))]
    except KeyError:
        raise TransitionRefused(f"{type(event).__name__} is not possible for {status}") from None


def content_digest(report: LifeEventReport) -> str:
    """Equal for reports that say the same."""
    return hashlib.sha256(msgspec.json.encode(report, order="sorted")).hexdigest()


def require_alive_on(person: RegistryPerson, day: date) -> None:
    """Raise unless the person was born by then and had not died: reports may come late."""
    if day < person.date_of_birth:
        raise FieldsRefused({"occurred_on": "FIELD_DATE"})
    since = person.life_status_since
    if person.life_status is LifeStatus.DECEASED and (since is None or day > since):
        raise FieldsRefused({"citizen_number": "REGISTRY_PERSON_NOT_ALIVE"})


def require_may_marry(one: RegistryPerson, other: RegistryPerson, day: date) -> None:
    """Raise FieldsRefused where the law forbids a marriage: age, or a marriage that stands."""
    if one.citizen_number == other.citizen_number:
        raise FieldsRefused({"spouse_number": "FIELD_CHARACTERS"})
    for person, field in ((one, "citizen_number"), (other, "spouse_number")):
        require_alive_on(person, day)
        if person.marital_status == MARRIED:
            raise FieldsRefused({field: "LIFE_EVENT_MARRIED"})
        if _age(person.date_of_birth, day) < _MARRIAGE_AGES[person.sex]:
            raise FieldsRefused({field: "LIFE_EVENT_AGE"})


def require_married(one: RegistryPerson, other: RegistryPerson) -> None:
    """Raise FieldsRefused unless each record names the other as the spouse."""
    for person, spouse in ((one, other), (other, one)):
        if person.marital_status != MARRIED or _spoken(person.spouse or "") != _spoken(spouse.full_name):
            raise FieldsRefused({"spouse_number": "FIELD_NOT_AS_REGISTERED"})


def require_divorced(one: RegistryPerson, other: RegistryPerson) -> None:
    """Raise FieldsRefused where either is not divorced any more: a later marriage stands."""
    for person, field in ((one, "citizen_number"), (other, "spouse_number")):
        if person.marital_status == MARRIED:
            raise FieldsRefused({field: "LIFE_EVENT_MARRIED"})
        if person.marital_status != DIVORCED:
            raise FieldsRefused({field: "FIELD_NOT_AS_REGISTERED"})


def _spoken(name: str) -> str:
    return normalized_name(name).casefold()


def widowed_since(left: RegistryPerson, gone: RegistryPerson) -> date | None:
    """The day of a death that left somebody widowed; None where the one lives, or the other died before."""
    if gone.life_status is not LifeStatus.DECEASED or gone.life_status_since is None:
        return None
    outlived = left.life_status is not LifeStatus.DECEASED or (
        left.life_status_since is not None and left.life_status_since > gone.life_status_since
    )
    return gone.life_status_since if outlived else None


def written(values: Attributes) -> dict[str, str | None]:
    """The texts as the registry keeps them, whatever keyboard they come from: NFC with single spaces."""
    return {name: value if value is None else normalized_name(value) for name, value in values.items()}


def correction_faults(event: Correction, today: date) -> dict[str, str]:
    """Fault codes by attribute of a correction."""
    if not event.attributes:
        return {"attributes": "FIELD_MISSING"}
    unknown = event.attributes.keys() - CORRECTABLE
    if unknown:
        return dict.fromkeys(unknown, "FIELD_CHARACTERS")
    return value_faults(event.attributes) or _rule_faults(event.attributes, today)


def birth_faults(event: Birth, today: date) -> dict[str, str]:
    """Fault codes by attribute of a birth's particulars."""
    given = event.particulars
    allowed = CORRECTABLE - {"old_id"}
    wanted = CORRECTABLE - _OPTIONAL - {"marital_status", "occupation", "education", "identification"}
    faults = dict.fromkeys(given.keys() - allowed, "FIELD_CHARACTERS")
    faults |= {name: "FIELD_MISSING" for name in wanted if not (given.get(name) or "").strip()}
    faults |= value_faults({name: value for name, value in given.items() if name not in faults})
    if "date_of_birth" not in faults and date.fromisoformat(given["date_of_birth"] or "") > today:
        faults["date_of_birth"] = "FIELD_DATE"
    return faults or _rule_faults(given, today)


def newborn(citizen_number: str, event: Birth) -> RegistryPerson:
    """The entry of a child whose particulars have no faults."""
    before = {"marital_status": SINGLE, "occupation": "", "education": "", "identification": ""}
    values = {**before, **event.particulars, "citizen_number": citizen_number, "old_id": None}
    absent = dict.fromkeys(_OPTIONAL - values.keys())
    return msgspec.convert({**values, **absent}, RegistryPerson)


def value_faults(values: Attributes) -> dict[str, str]:
    """Fault codes by attribute of values that a record cannot hold."""
    faults = {}
    for name, value in values.items():
        code = _value_fault(name, value)
        if code is not None:
            faults[name] = code
    return faults


def _rule_faults(values: Attributes, today: date) -> dict[str, str]:
    """Fault codes of what no form DC01 of this day could say either; values that a record can hold.

    The number is not asked: it stays whose it is when a wrong year or sex is corrected.
    """
    record = {name: value for name, value in values.items() if value}
    if "date_of_birth" in record:
        record["date_of_birth"] = f"{date.fromisoformat(record['date_of_birth']):%d/%m/%Y}"
    return {
        found.field: "FIELD_DATE" if found.field == "date_of_birth" else "FIELD_CHARACTERS"
        for found in rules_on(today, _NO_UNITS).check(record)
        if (found.measure, found.weight) == (Measure.CLEAN, Weight.FAULT) and found.field in values
    }


def _value_fault(name: str, value: str | None) -> str | None:
    if value is None or not value.strip():
        return None if name in _OPTIONAL and value is None else "FIELD_MISSING"
    if len(value) > _LENGTHS.get(name, MAX_TEXT):
        return "FIELD_TOO_LONG"
    if name == "sex" and value not in _MARRIAGE_AGES:
        return "FIELD_CHARACTERS"
    if name == "date_of_birth" and not _is_date(value):
        return "FIELD_DATE"
    return "FIELD_CHARACTERS" if not value.isprintable() else None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
