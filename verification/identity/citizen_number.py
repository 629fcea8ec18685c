"""The 12-digit personal identification number (Circular 59/2021/TT-BCA, article 4).

``PPP G YY NNNNNN``: province or country of birth registration, century and sex, year of birth,
six random digits. It has no check digit and the law calls it only "12 digits, unique", so what
its parts say is a hint: corrections and new registrations contradict it. Hints never refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from verification.encoding.mrz import FILLER, MachineReadableZone, check_digit
from verification.errors import CitizenNumberMalformed, MalformedDocument
from verification.identity.administrative_units import province

_TWELVE_DIGITS = re.compile(r"[0-9]{12}")
_MRZ_OPTIONAL_DATA = re.compile(r"[0-9]{12}<<[0-9]")


class NumberDoubt(StrEnum):
    """A part of the number that does not fit; shown to the teller, never a refusal."""

    PROVINCE_UNKNOWN = "CITIZEN_NUMBER_PROVINCE_UNKNOWN"
    BIRTH_YEAR_DIFFERS = "CITIZEN_NUMBER_BIRTH_YEAR_DIFFERS"
    SEX_DIFFERS = "CITIZEN_NUMBER_SEX_DIFFERS"


@dataclass(frozen=True, slots=True, order=True)
class CitizenNumber:
    """Twelve digits; ``str()`` gives them, ``repr()`` does not, so that logs stay free of them.

    Raises CitizenNumberMalformed for anything else. Spaces and dots are the caller's to remove.
    """

    digits: str

    def __post_init__(self) -> None:
        if not _TWELVE_DIGITS.fullmatch(self.digits):
            raise CitizenNumberMalformed("citizen number is not 12 digits")

    def __str__(self) -> str:
        return self.digits

    def __repr__(self) -> str:
        return "CitizenNumber(...)"

    @property
    def province_code(self) -> str:
        """Province, or country, where the birth was registered."""
        return self.digits[:3]

    @property
    def sex(self) -> str:
        """M or F, as registered when the number was given."""
        return "MF"[int(self.digits[3]) % 2]

    @property
    def birth_year(self) -> int:
        """Four-digit year, from the century digit and the two digits after it."""
        return 1900 + 100 * (int(self.digits[3]) // 2) + int(self.digits[4:6])

    @property
    def can(self) -> str:
        """The card access number for PACE: the last six digits; no CAN is printed on the card."""
        return self.digits[6:]

    @property
    def mrz_document_number(self) -> str:
        """The nine digits in the MRZ's number field: not unique nationally, never a key."""
        return self.digits[3:12]

    @property
    def mrz_optional_data(self) -> str:
        """What the MRZ's first optional field carries: the whole number and its check digit."""
        return self.digits + FILLER * 2 + check_digit(self.digits)

    def doubts(self, *, birth_year: int | None = None, sex: str | None = None) -> tuple[NumberDoubt, ...]:
        """Name the parts that do not fit the table of provinces, the year of birth or the sex."""
        found = []
        if province(self.province_code) is None:
            found.append(NumberDoubt.PROVINCE_UNKNOWN)
        if birth_year is not None and birth_year != self.birth_year:
            found.append(NumberDoubt.BIRTH_YEAR_DIFFERS)
        if sex is not None and sex != self.sex:
            found.append(NumberDoubt.SEX_DIFFERS)
        return tuple(found)


def citizen_number_in(zone: MachineReadableZone) -> CitizenNumber:
    """Return the whole number out of a card's MRZ.

    Raises MalformedDocument when the optional data is not number, two fillers and check digit,
    or when the number field holds other digits.
    """
    optional = zone.optional_data_1
    if not _MRZ_OPTIONAL_DATA.fullmatch(optional):
        raise MalformedDocument("MRZ carries no citizen number")
    number = CitizenNumber(optional[:12])
    if number.mrz_optional_data != optional:
        raise MalformedDocument("wrong check digit: citizen number")
    if number.mrz_document_number != zone.document_number:
        raise MalformedDocument("MRZ number field differs from the citizen number")
    return number
