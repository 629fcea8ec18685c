"""The QR code printed on the card: unsigned, so a source of the access number and never evidence.

CCCD 2021 carries seven fields parted by ``|``; Căn cước 2024 adds four whose order is not
published. Texts come from keyboard-wedge scanners, which may mistake UTF-8 for Latin-1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from verification.encoding.dates import compact, date_from_compact
from verification.errors import CardQrMalformed, CitizenNumberMalformed, MalformedDocument
from verification.identity.citizen_number import CitizenNumber, NumberDoubt
from verification.identity.person_name import normalized_name

MAX_TEXT = 1_500
_SEPARATOR = "|"
_FIELDS_2021 = 7
_FIELDS_2024 = 11

_SEXES = {"Nam": "M", "Nữ": "F"}
_SEX_WORDS = {letter: word for word, letter in _SEXES.items()}
_OLD_ID = re.compile(r"(?:[0-9]{9}|[0-9]{12})?")
_YEAR_ONLY = re.compile(r"(?:0000)?([0-9]{4})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CardQr:
    """What the QR says; ``date_of_birth`` is None where only the year is known.

    ``supplement`` are the four fields of the 2024 card, unread: their order is not published.
    """

    citizen_number: CitizenNumber
    old_id: str | None
    full_name: str
    date_of_birth: date | None
    birth_year: int
    sex: str
    address: str
    date_of_issue: date
    supplement: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "CardQr(...)"

    @property
    def doubts(self) -> tuple[NumberDoubt, ...]:
        """What in the number contradicts the other fields; shown, never a refusal."""
        return self.citizen_number.doubts(birth_year=self.birth_year, sex=self.sex)


def parse_card_qr(text: str) -> CardQr:
    """Read the text of a card's QR code as a scanner hands it over.

    Takes 7 and 11 fields, and 6 where the column of the old number is missing altogether.
    Raises CardQrMalformed for everything else, the health insurance QR included.
    """
    if len(text) > MAX_TEXT:
        raise CardQrMalformed(f"QR text of {len(text)} characters")
    fields = _fields(_repaired(text.strip()))
    try:
        return _card_qr(fields)
    except (CitizenNumberMalformed, MalformedDocument) as fault:
        raise CardQrMalformed(str(fault)) from None


def build_card_qr(content: CardQr) -> str:
    """Write the QR text: 7 fields, or 11 when there is a supplement.

    Raises CardQrMalformed for a text that holds the separator or a supplement that is not four fields.
    """
    birth = compact(content.date_of_birth) if content.date_of_birth else f"0000{content.birth_year:04d}"
    fields = (
        str(content.citizen_number),
        content.old_id or "",
        content.full_name,
        birth,
        _SEX_WORDS[content.sex],
        content.address,
        compact(content.date_of_issue),
        *content.supplement,
    )
    if len(fields) not in {_FIELDS_2021, _FIELDS_2024} or any(_SEPARATOR in field for field in fields):
        raise CardQrMalformed("QR fields cannot be written")
    return _SEPARATOR.join(fields)


def _fields(text: str) -> Sequence[str]:
    if _CONTROL.search(text):
        raise CardQrMalformed("control character in the QR text")
    fields = unicodedata.normalize("NFC", text).split(_SEPARATOR)
    if len(fields) == _FIELDS_2021 - 1 and not fields[1].isdigit():
        # Described for some cards: no column for the old number. The date in field 2 decides.
        fields.insert(1, "")
    if len(fields) not in {_FIELDS_2021, _FIELDS_2024}:
        raise CardQrMalformed(f"QR of {len(fields)} fields")
    return [field.strip() for field in fields]


def _card_qr(fields: Sequence[str]) -> CardQr:
    number, old_id, name, birth, sex, address, issue = fields[:_FIELDS_2021]
    if not _OLD_ID.fullmatch(old_id):
        raise CardQrMalformed("old number is not 9 or 12 digits")
    if not name or sex not in _SEXES:
        raise CardQrMalformed("name or sex is missing")
    year_only = _YEAR_ONLY.fullmatch(birth)
    date_of_birth = None if year_only else date_from_compact(birth)
    return CardQr(
        citizen_number=CitizenNumber(number),
        old_id=old_id or None,
        full_name=normalized_name(name),
        date_of_birth=date_of_birth,
        birth_year=date_of_birth.year if date_of_birth else int(birth[-4:]),
        sex=_SEXES[sex],
        address=address,
        date_of_issue=date_from_compact(issue),
        supplement=tuple(fields[_FIELDS_2021:]),
    )


def _repaired(text: str) -> str:
    """Undo a scanner that typed the UTF-8 bytes one by one in a Western code page."""
    if text.isascii():
        return text
    for code_page in ("latin-1", "cp1252", "cp1258"):
        try:
            return text.encode(code_page).decode("utf-8")
        except UnicodeError:
            continue
    return text
