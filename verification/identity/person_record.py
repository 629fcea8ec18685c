"""What the population registry holds about one citizen, and what a card carries of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from verification.identity.citizen_number import CitizenNumber


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PersonRecord:
    """One citizen; texts are NFC, ``sex`` is M or F, ``identification`` are visible marks.

    Family members are full names. ``repr()`` names nobody, so that logs stay free of persons.
    """

    citizen_number: CitizenNumber
    full_name: str
    date_of_birth: date
    sex: str
    nationality: str
    ethnicity: str
    religion: str
    place_of_origin: str
    place_of_residence: str
    identification: str
    father: str
    mother: str
    spouse: str | None = None
    old_id: str | None = None

    def __post_init__(self) -> None:
        if self.sex not in {"M", "F"}:
            raise ValueError("sex is M or F")

    def __repr__(self) -> str:
        return "PersonRecord(...)"
