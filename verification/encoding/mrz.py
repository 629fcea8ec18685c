"""Machine readable zones: TD1 cards read and written, TD2 and TD3 documents read (ICAO 9303-4 to -6).

Fields hold text as the zone spells it, without trailing fillers; in the identifiers a single
filler reads as a space. Nothing here appears in an error message: a zone is personal data
and, at the same time, the key to the chip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from verification.errors import AccessSecretMalformed, MalformedDocument

FILLER = "<"
TD1_LENGTH = 90
TD2_LENGTH = 72
TD3_LENGTH = 88
NAME_LENGTH = {TD1_LENGTH: 30, TD2_LENGTH: 31, TD3_LENGTH: 39}

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# ICAO 9303-3, 4.9: digits count as themselves, letters as 10 to 35, the filler as 0.
_VALUES = {character: value for value, character in enumerate(_ALPHABET)} | {FILLER: 0}
_WEIGHTS = (7, 3, 1)

_CHARACTERS = re.compile(r"[A-Z0-9<]*")
_DATE = re.compile(r"[0-9<]{6}")
_SEXES = frozenset("MF<")
_NUMBER_LENGTH = 9
# Number, date of birth and date of expiry, each with its check digit; long numbers add to it.
_INFORMATION = re.compile(r"[A-Z0-9<]{9,22}[0-9][0-9<]{6}[0-9][0-9<]{6}[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineReadableZone:
    """The fields every size of zone has; dates are YYMMDD, sex is M, F or the filler."""

    length: ClassVar[int]

    document_code: str
    issuing_state: str
    document_number: str
    optional_data_1: str = ""
    date_of_birth: str
    sex: str
    date_of_expiry: str
    nationality: str
    optional_data_2: str = ""
    primary_identifier: str
    secondary_identifier: str = ""

    def __repr__(self) -> str:
        """Name the kind only: a zone in a log line would give away the holder and the key."""
        return f"{type(self).__name__}(...)"

    @property
    def information(self) -> str:
        """The MRZ information from which BAC and PACE derive their keys."""
        return mrz_information(self.document_number, self.date_of_birth, self.date_of_expiry)

    @property
    def is_name_cut(self) -> bool:
        """Whether the name fills its field, so that more of it may have been cut off."""
        written = _name_field(self.primary_identifier, self.secondary_identifier)
        # A cut that falls on a separator leaves up to two fillers, which read as unused room.
        return len(written.rstrip(FILLER)) >= NAME_LENGTH[self.length] - 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Td1(MachineReadableZone):
    """A card: three lines of 30 characters (ICAO 9303-5, 4.2)."""

    length: ClassVar[int] = TD1_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Td2(MachineReadableZone):
    """A larger card: two lines of 36 characters (ICAO 9303-6, 4.2)."""

    length: ClassVar[int] = TD2_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Td3(MachineReadableZone):
    """A passport: two lines of 44 characters (ICAO 9303-4, 4.2)."""

    length: ClassVar[int] = TD3_LENGTH


def check_digit(text: str) -> str:
    """Return the check digit over the text (ICAO 9303-3, 4.9); MalformedDocument for other characters."""
    try:
        return str(sum(_VALUES[c] * _WEIGHTS[i % 3] for i, c in enumerate(text)) % 10)
    except KeyError:
        raise MalformedDocument("character that no MRZ has") from None


def parse_td1(text: str) -> Td1:
    """Read three lines of 30 characters, with or without line breaks.

    Raises MalformedDocument for another size, for characters outside the MRZ's set and for a
    check digit that is wrong.
    """
    upper, lower, name = _lines(text, 30, 3)
    number, optional = _document_number(upper[5:14], upper[14], upper[15:30])
    composite = upper[5:30] + lower[0:7] + lower[8:15] + lower[18:29]
    _require_check_digit(composite, lower[29], "composite")
    birth, expiry = _dates(lower[0:7], lower[8:15])
    primary, secondary = _identifiers(name)
    return Td1(
        document_code=_unfilled(upper[0:2]),
        issuing_state=_unfilled(upper[2:5]),
        document_number=number,
        optional_data_1=optional,
        date_of_birth=birth,
        sex=_sex(lower[7]),
        date_of_expiry=expiry,
        nationality=_unfilled(lower[15:18]),
        optional_data_2=_unfilled(lower[18:29]),
        primary_identifier=primary,
        secondary_identifier=secondary,
    )


def parse_mrz(text: str) -> MachineReadableZone:
    """Read a zone of any size, told apart by its length; raises as ``parse_td1`` does."""
    size = len(_joined(text))
    if size == TD1_LENGTH:
        return parse_td1(text)
    if size == TD2_LENGTH:
        return _parse_two_lines(text, Td2, 36)
    if size == TD3_LENGTH:
        return _parse_two_lines(text, Td3, 44)
    raise MalformedDocument(f"MRZ of {size} characters")


def build_td1(zone: Td1) -> str:
    """Write the 90 characters of a TD1 zone, check digits included, without line breaks.

    A name that is too long is cut at its end (ICAO 9303-5, 4.2.3). Raises MalformedDocument
    for a field that does not fit or has characters outside the MRZ's set.
    """
    number, digit, optional = _number_fields(zone.document_number, zone.optional_data_1)
    birth = _dated(zone.date_of_birth)
    expiry = _dated(zone.date_of_expiry)
    upper = _filled(zone.document_code, 2) + _filled(zone.issuing_state, 3) + number + digit + optional
    middle = _filled(zone.nationality, 3) + _filled(zone.optional_data_2, 11)
    composite = check_digit(upper[5:] + birth + expiry + middle[3:])
    name = _name_field(zone.primary_identifier, zone.secondary_identifier)
    return upper + birth + _sex(zone.sex) + expiry + middle + composite + _filled(name[:30], 30)


def mrz_information(document_number: str, date_of_birth: str, date_of_expiry: str) -> str:
    """Return the MRZ information for BAC and PACE (ICAO 9303-11, 4.3.2); dates are YYMMDD."""
    number = _filled(document_number, max(_NUMBER_LENGTH, len(document_number)))
    return number + check_digit(number) + _dated(date_of_birth) + _dated(date_of_expiry)


def mrz_information_from(text: str) -> str:
    """Return the MRZ information out of a scanned or typed zone, or check the information itself.

    Takes TD1, TD2 and TD3 text with any line breaks and spaces, in either case. Raises
    AccessSecretMalformed: here the zone is a secret someone entered, not a signed file.
    """
    joined = "".join(text.split()).upper()
    try:
        if len(joined) in NAME_LENGTH:
            return parse_mrz(joined).information
        return _checked_information(joined)
    except MalformedDocument as fault:
        raise AccessSecretMalformed(str(fault)) from None


def _checked_information(joined: str) -> str:
    if not _INFORMATION.fullmatch(joined):
        raise MalformedDocument("neither an MRZ nor MRZ information")
    for field in (joined[:-14], joined[-14:-7], joined[-7:]):
        _require_check_digit(field[:-1], field[-1], "MRZ information")
    return joined


def _parse_two_lines(text: str, kind: type[Td2] | type[Td3], width: int) -> MachineReadableZone:
    upper, lower = _lines(text, width, 2)
    optional_end = width - 1
    if kind is Td3:
        optional_end = width - 2
        _require_personal_number_digit(lower[28:42], lower[42])
    number, optional = _document_number(lower[0:9], lower[9], lower[28:optional_end])
    _require_check_digit(lower[0:10] + lower[13:20] + lower[21:-1], lower[-1], "composite")
    birth, expiry = _dates(lower[13:20], lower[21:28])
    primary, secondary = _identifiers(upper[5:])
    return kind(
        document_code=_unfilled(upper[0:2]),
        issuing_state=_unfilled(upper[2:5]),
        document_number=number,
        optional_data_1=optional,
        date_of_birth=birth,
        sex=_sex(lower[20]),
        date_of_expiry=expiry,
        nationality=_unfilled(lower[10:13]),
        primary_identifier=primary,
        secondary_identifier=secondary,
    )


def _joined(text: str) -> str:
    return text.replace("\r", "").replace("\n", "")


def _lines(text: str, width: int, count: int) -> Sequence[str]:
    joined = _joined(text)
    if len(joined) != width * count:
        raise MalformedDocument(f"MRZ of {len(joined)} characters")
    if not _CHARACTERS.fullmatch(joined):
        raise MalformedDocument("character that no MRZ has")
    return [joined[start : start + width] for start in range(0, width * count, width)]


def _require_check_digit(text: str, digit: str, what: str) -> None:
    if check_digit(text) != digit:
        raise MalformedDocument(f"wrong check digit: {what}")


def _require_personal_number_digit(number: str, digit: str) -> None:
    # ICAO 9303-4, 4.2.2.2: an unused field may carry a filler in place of the check digit 0.
    if digit != FILLER or number.strip(FILLER):
        _require_check_digit(number, digit, "personal number")


def _document_number(number: str, digit: str, optional: str) -> tuple[str, str]:
    """Return number and remaining optional data; a filler as check digit announces a long number."""
    if digit != FILLER:
        _require_check_digit(number, digit, "document number")
        return _unfilled(number), _unfilled(optional)
    # ICAO 9303-5, note j: rest of the number, its check digit and a filler open the optional data.
    rest, _, remaining = optional.partition(FILLER)
    if len(rest) < 2:
        raise MalformedDocument("document number without check digit")
    whole = number + rest[:-1]
    _require_check_digit(whole, rest[-1], "document number")
    return whole, _unfilled(remaining)


def _number_fields(number: str, optional: str) -> tuple[str, str, str]:
    if not number:
        raise MalformedDocument("no document number")
    if len(number) <= _NUMBER_LENGTH:
        filled = _filled(number, _NUMBER_LENGTH)
        return filled, check_digit(filled), _filled(optional, 15)
    rest = number[_NUMBER_LENGTH:] + check_digit(number) + FILLER
    return number[:_NUMBER_LENGTH], FILLER, _filled(rest + optional, 15)


def _dates(birth: str, expiry: str) -> tuple[str, str]:
    """Check both dates with their check digits; a date of birth may have unknown parts (fillers)."""
    for field, what in ((birth, "date of birth"), (expiry, "date of expiry")):
        if not _DATE.fullmatch(field[:6]):
            raise MalformedDocument(f"{what} is not YYMMDD")
        _require_check_digit(field[:6], field[6], what)
    return birth[:6], expiry[:6]


def _dated(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise MalformedDocument("date is not YYMMDD")
    return text + check_digit(text)


def _sex(text: str) -> str:
    if text not in _SEXES:
        raise MalformedDocument("sex is not M, F or unspecified")
    return text


def _identifiers(name: str) -> tuple[str, str]:
    primary, _, secondary = name.rstrip(FILLER).partition(FILLER * 2)
    return primary.replace(FILLER, " "), secondary.replace(FILLER, " ")


def _name_field(primary: str, secondary: str) -> str:
    name = f"{primary}  {secondary}" if secondary else primary
    return _filled(name.replace(" ", FILLER), len(name))


def _filled(text: str, width: int) -> str:
    if len(text) > width or not _CHARACTERS.fullmatch(text):
        raise MalformedDocument("text does not fit its MRZ field")
    return text.ljust(width, FILLER)


def _unfilled(text: str) -> str:
    return text.rstrip(FILLER)
