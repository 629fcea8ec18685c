"""One entry of the population registry and the question that may be asked about it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from issuance_backend.population_registry.birth import BirthDate
from verification.messages.enrollment import PersonExtract, PersonFields
from verification.messages.person_query import LifeStatus, PersonAnswer, PersonQuery

BirthKnown = Literal["day", "month", "year"]
"""The last part of a date of birth that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPerson:
    """A citizen with the attributes of the population information form DC01.

    Of a birth that is known in part (``birth_known``) ``date_of_birth`` is the first day that it can mean:
    it orders and bounds. What the registry says of it is ``birth``.
    """

    citizen_number: str
    full_name: str
    date_of_birth: date
    sex: str
    nationality: str
    ethnicity: str
    religion: str
    birth_registration_place: str
    place_of_origin: str
    permanent_residence: str
    current_residence: str
    identification: str
    blood_group: str | None
    marital_status: str
    occupation: str
    education: str
    phone: str | None
    father: str
    mother: str
    spouse: str | None
    household_head: str
    relation_to_head: str
    old_id: str | None
    life_status: LifeStatus = LifeStatus.ALIVE
    life_status_since: date | None = None
    birth_known: BirthKnown = "day"

    @property
    def birth(self) -> BirthDate:
        """The date of birth as far as it is known."""
        return BirthDate.known_to(self.date_of_birth, self.birth_known)


def value_of(entry: RegistryPerson, attribute: str) -> str | None:
    """An attribute as the registry says it: of a date what is known, never a day that is not."""
    if attribute == "date_of_birth":
        return entry.birth.text
    value = getattr(entry, attribute)
    return value.isoformat() if isinstance(value, date) else value


def birth_columns(born: BirthDate) -> dict[str, object]:
    """How an entry keeps a date of birth that is known wholly or in part."""
    known = "day" if born.day else "month" if born.month else "year"
    return {"date_of_birth": born.first_day, "birth_known": known}


def answer(query: PersonQuery, person: RegistryPerson | None) -> PersonAnswer:
    """Which of the attributes asked about agree with the entry; nothing of the entry itself."""
    if person is None:
        return PersonAnswer(found=False)
    matched = {
        "full_name": same_text(query.full_name, person.full_name),
        "date_of_birth": query.date_of_birth == person.birth.text,
        "sex": query.sex == person.sex,
    }
    return PersonAnswer(found=True, matched=matched, life_status=person.life_status)


def extract(person: RegistryPerson) -> PersonExtract:
    """The entry as a capture officer sees it."""
    return PersonExtract(
        citizen_number=person.citizen_number,
        person=PersonFields(
            full_name=person.full_name,
            date_of_birth=person.birth.text,
            sex=person.sex,
            nationality=person.nationality,
            ethnicity=person.ethnicity,
            religion=person.religion,
            place_of_origin=person.place_of_origin,
            place_of_residence=person.current_residence,
            identification=person.identification,
            father=person.father,
            mother=person.mother,
            spouse=person.spouse,
            old_id=person.old_id,
        ),
        life_status=person.life_status.value,
        birth_registration_place=person.birth_registration_place,
        blood_group=person.blood_group,
        marital_status=person.marital_status,
        household_head=person.household_head,
        relation_to_head=person.relation_to_head,
        occupation=person.occupation,
        phone=person.phone,
    )


def same_text(one: str, other: str) -> bool:
    """Whether two spellings are one text: a chip may store the name decomposed (NFD) or in capitals.

    A tone mark more or less is another name.
    """
    return _key(one) == _key(other)


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
