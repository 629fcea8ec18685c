"""DG13: the holder's data on a Vietnamese identity card (layout READ from public readers).

``6D { SEQUENCE { INTEGER version, OID 1.0.10646.1.0.8, SET { SEQUENCE { INTEGER id, value } ... } } }``.
The SET stands in field order, not in DER order, and two layouts of the parents exist, so the
file is never encoded again for a hash: ``raw`` are the bytes that were read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from types import MappingProxyType

from verification.encoding.dates import date_from_slashed
from verification.encoding.der_scan import scan
from verification.encoding.object_identifier import build_oid, decode_oid
from verification.encoding.tlv import (
    IA5_STRING,
    OBJECT_IDENTIFIER,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    UTF8_STRING,
    DerReader,
    build,
    build_integer,
)
from verification.errors import MalformedDocument, malformed_unless_parsed
from verification.lds.files import LdsFile
from verification.lds.template import template_value

PROFILE = "1.0.10646.1.0.8"
"""ISO 10646 in UTF-8; the only profile identifier seen."""

_MAX_VERSION = 255
_MAX_FIELD_ID = 255
_MAX_PARTS = 16
_ENCODING_OF = {UTF8_STRING: "utf-8", PRINTABLE_STRING: "ascii", IA5_STRING: "ascii"}
_SEXES = {"Nam": "M", "Nữ": "F"}


class Dg13Field(IntEnum):
    """Field identifiers of the CCCD profile; later cards may carry more."""

    NUMBER = 1
    FULL_NAME = 2
    DATE_OF_BIRTH = 3
    SEX = 4
    NATIONALITY = 5
    ETHNICITY = 6
    RELIGION = 7
    PLACE_OF_ORIGIN = 8
    PLACE_OF_RESIDENCE = 9
    IDENTIFICATION = 10
    DATE_OF_ISSUE = 11
    DATE_OF_EXPIRY = 12
    PARENTS = 13
    SPOUSE = 14
    OLD_ID = 15
    CARD_ID = 16


_PRINTABLE = frozenset(
    {
        Dg13Field.NUMBER,
        Dg13Field.DATE_OF_BIRTH,
        Dg13Field.DATE_OF_ISSUE,
        Dg13Field.OLD_ID,
        Dg13Field.CARD_ID,
    }
)
_FAMILY = frozenset({Dg13Field.PARENTS, Dg13Field.SPOUSE})


@dataclass(frozen=True, slots=True, repr=False)
class Dg13:
    """Texts by field id, as written; a field that is present and empty holds no text.

    ``unknown`` keeps the encoded value of fields beyond the profile that are not texts.
    ``raw`` is the file as read, empty for one that was put together.
    """

    fields: Mapping[int, tuple[str, ...]]
    unknown: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 1
    raw: bytes = field(default=b"", compare=False)

    def __repr__(self) -> str:
        return f"Dg13(fields={sorted(self.fields)})"

    def text(self, field_id: int, part: int = 0) -> str | None:
        """One text of a field in NFC, or None where the card has none."""
        parts = self.fields.get(field_id, ())
        return unicodedata.normalize("NFC", parts[part]) if part < len(parts) else None

    @property
    def citizen_number(self) -> str | None:
        """The 12-digit number as written."""
        return self.text(Dg13Field.NUMBER)

    @property
    def full_name(self) -> str | None:
        """The full name with its marks, in NFC."""
        return self.text(Dg13Field.FULL_NAME)

    @property
    def date_of_birth(self) -> date | None:
        """The day of birth; None where the card knows only the year (see ``birth_year``)."""
        return _date_or_none(self.text(Dg13Field.DATE_OF_BIRTH))

    @property
    def birth_year(self) -> int | None:
        """The four digits that end the date of birth."""
        year = (self.text(Dg13Field.DATE_OF_BIRTH) or "")[-4:]
        return int(year) if len(year) == 4 and year.isascii() and year.isdigit() else None

    @property
    def sex(self) -> str | None:
        """M or F; None when the text is neither Nam nor Nữ."""
        return _SEXES.get(self.text(Dg13Field.SEX) or "")

    @property
    def nationality(self) -> str | None:
        """Nationality in words."""
        return self.text(Dg13Field.NATIONALITY)

    @property
    def ethnicity(self) -> str | None:
        """Ethnic group."""
        return self.text(Dg13Field.ETHNICITY)

    @property
    def religion(self) -> str | None:
        """Religion, or Không."""
        return self.text(Dg13Field.RELIGION)

    @property
    def place_of_origin(self) -> str | None:
        """Quê quán."""
        return self.text(Dg13Field.PLACE_OF_ORIGIN)

    @property
    def place_of_residence(self) -> str | None:
        """Nơi thường trú."""
        return self.text(Dg13Field.PLACE_OF_RESIDENCE)

    @property
    def identification(self) -> str | None:
        """Visible marks."""
        return self.text(Dg13Field.IDENTIFICATION)

    @property
    def date_of_issue(self) -> date | None:
        """The day the card was issued; None where absent or no date."""
        return _date_or_none(self.text(Dg13Field.DATE_OF_ISSUE))

    @property
    def date_of_expiry(self) -> date | None:
        """The last day of validity; None on cards without expiry, whose text says so in words."""
        return _date_or_none(self.text(Dg13Field.DATE_OF_EXPIRY))

    @property
    def father(self) -> str | None:
        """Father's full name."""
        return self.text(Dg13Field.PARENTS, 0)

    @property
    def mother(self) -> str | None:
        """Mother's full name."""
        return self.text(Dg13Field.PARENTS, 1)

    @property
    def spouse(self) -> str | None:
        """Spouse's full name; None for single persons."""
        return self.text(Dg13Field.SPOUSE)

    @property
    def old_id(self) -> str | None:
        """The 9-digit number of the paper identity card before."""
        return self.text(Dg13Field.OLD_ID)

    @property
    def card_id(self) -> str | None:
        """Sixteen hexadecimal digits naming the card; their meaning is not published."""
        return self.text(Dg13Field.CARD_ID)


def parse_dg13(encoded: bytes) -> Dg13:
    """Read DG13 in any field order and both layouts of the parents; raises MalformedDocument."""
    content = template_value(encoded, LdsFile.DG13)
    scan(content)
    reader = DerReader(content)
    holder = reader.enter(SEQUENCE)
    reader.finish()
    version = holder.take_integer()
    if not 0 <= version <= _MAX_VERSION:
        raise MalformedDocument("DG13 version out of range")
    if decode_oid(holder.take(OBJECT_IDENTIFIER)) != PROFILE:
        raise MalformedDocument("DG13 of an unknown profile")
    entries = holder.enter(SET)
    holder.finish()
    fields: dict[int, tuple[str, ...]] = {}
    unknown: dict[int, bytes] = {}
    while entries.peek() is not None:
        _read_field(entries.enter(SEQUENCE), fields, unknown)
    return Dg13(MappingProxyType(fields), MappingProxyType(unknown), version, encoded)


def build_dg13(dg13: Dg13) -> bytes:
    """Write DG13 in ascending field order, each parent in a SEQUENCE of its own."""
    encoded = {field_id: _build_field(field_id, texts) for field_id, texts in dg13.fields.items()}
    for field_id, value in dg13.unknown.items():
        encoded[field_id] = build(SEQUENCE, build_integer(field_id) + value)
    entries = b"".join(encoded[field_id] for field_id in sorted(encoded))
    holder = build_integer(dg13.version) + build_oid(PROFILE) + build(SET, entries)
    return build(LdsFile.DG13.tag, build(SEQUENCE, holder))


def _read_field(entry: DerReader, fields: dict[int, tuple[str, ...]], unknown: dict[int, bytes]) -> None:
    field_id = entry.take_integer()
    if not 0 < field_id <= _MAX_FIELD_ID:
        raise MalformedDocument("DG13 field id out of range")
    if field_id in fields or field_id in unknown:
        raise MalformedDocument(f"DG13 field {field_id} stands twice")
    value = entry.remaining()
    # A card of a later profile may carry what is not a text under an id we do not know.
    if field_id > Dg13Field.CARD_ID and not _is_text(entry.peek()):
        unknown[field_id] = value
        return
    with malformed_unless_parsed(f"DG13 field {field_id}"):
        fields[field_id] = _texts(DerReader(value), nested=field_id in _FAMILY)
    if field_id not in _FAMILY and len(fields[field_id]) > 1:
        raise MalformedDocument(f"DG13 field {field_id} holds several values")


def _is_text(tag: int | None) -> bool:
    return tag is None or tag in _ENCODING_OF


def _texts(reader: DerReader, *, nested: bool) -> tuple[str, ...]:
    """Read texts; those of the family stand in one SEQUENCE together or in one each."""
    found: list[str] = []
    while (tag := reader.peek()) is not None:
        if nested and tag == SEQUENCE:
            found.extend(_texts(reader.enter(SEQUENCE), nested=False))
        elif tag in _ENCODING_OF:
            found.append(reader.take(tag).decode(_ENCODING_OF[tag]))
        else:
            raise MalformedDocument(f"tag {tag:02X} where a text is expected")
        if len(found) > _MAX_PARTS:
            raise MalformedDocument("more names than a family field holds")
    return tuple(found)


def _build_field(field_id: int, texts: tuple[str, ...]) -> bytes:
    kind = PRINTABLE_STRING if field_id in _PRINTABLE else UTF8_STRING
    with malformed_unless_parsed(f"DG13 field {field_id}"):
        values = [build(kind, text.encode(_ENCODING_OF[kind])) for text in texts]
    if field_id in _FAMILY:
        values = [build(SEQUENCE, value) for value in values]
    return build(SEQUENCE, build_integer(field_id) + b"".join(values))


def _date_or_none(text: str | None) -> date | None:
    try:
        return date_from_slashed(text or "")
    except MalformedDocument:
        return None
