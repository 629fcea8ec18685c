"""Who is asked for, and a person as the index knows them: both prepared for comparing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from issuance_backend.population_registry.birth import BirthDate
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.matching.name import Name, prepare_name
from issuance_backend.population_registry.matching.place import Place, read_place
from verification.identity.legacy_encodings import unicode_texts

_NOT_DIGITS = re.compile(r"[\s.\-]")
_NUMBER = re.compile(r"[0-9]{9}|[0-9]{12}")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Claim:
    """What somebody says about a person; everything but the name may be missing.

    ``number`` has 12 digits, or 9 as identity cards before 2016; anything else is taken for none.
    """

    full_name: str
    date_of_birth: BirthDate | None = None
    sex: str | None = None
    number: str | None = None
    place_of_origin: str | None = None
    residence: str | None = None
    father: str | None = None
    mother: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparable:
    """A person prepared for comparing; ``born`` is a :attr:`BirthDate.number`, 0 when not known."""

    name: Name
    born: int
    sex: str
    citizen_number: str
    old_id: str
    origin: Place
    residence: Place
    father: Name
    mother: Name

    @property
    def birth(self) -> BirthDate | None:
        """The date of birth, None when not known."""
        return BirthDate.from_number(self.born) if self.born else None


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A person of the registry who may be meant, and why."""

    citizen_number: str
    bits: float
    evidence: tuple[Evidence, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Evidence:
    """One field's say: its level, and bits for (or, below zero, against) the same person."""

    field: str
    level: str
    bits: float


def prepare_claim(claim: Claim) -> Comparable:
    """The claim in the form of the index."""
    number = _NOT_DIGITS.sub("", claim.number or "")
    number = number if _NUMBER.fullmatch(number) else ""
    texts = (claim.full_name, claim.father, claim.mother, claim.place_of_origin, claim.residence)
    name, father, mother, origin, residence = unicode_texts([text or "" for text in texts])
    return Comparable(
        name=prepare_name(name),
        born=claim.date_of_birth.number if claim.date_of_birth else 0,
        sex=claim.sex or "",
        citizen_number=number if len(number) == 12 else "",
        old_id=number if len(number) == 9 else "",
        origin=read_place(origin),
        residence=read_place(residence),
        father=prepare_name(father),
        mother=prepare_name(mother),
    )


def source_of(person: RegistryPerson) -> int:
    """A digest of what the index is made from: another value means that the entry was changed."""
    parts = (
        person.full_name,
        person.birth.text,
        person.sex,
        person.old_id or "",
        person.place_of_origin,
        person.current_residence,
        person.father,
        person.mother,
    )
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def prepare_person(person: RegistryPerson) -> Comparable:
    """The registry's entry in the form of the index."""
    return Comparable(
        name=prepare_name(person.full_name),
        born=person.birth.number,
        sex=person.sex,
        citizen_number=person.citizen_number,
        old_id=person.old_id or "",
        origin=read_place(person.place_of_origin),
        residence=read_place(person.current_residence),
        father=prepare_name(person.father),
        mother=prepare_name(person.mother),
    )
