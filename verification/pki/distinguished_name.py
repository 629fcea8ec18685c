"""Names of issuers and holders of certificates (RFC 5280, 4.1.2.4 and 7.1), kept in their encoding.

Issuers write one name in several ways: another string type, another case, the parts in another
order. ``comparable_name`` is the same for all of them; what decides is always a signature.
"""

from __future__ import annotations

from functools import lru_cache

from verification.encoding.object_identifier import build_oid, decode_oid
from verification.encoding.tlv import (
    OBJECT_IDENTIFIER,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    UTF8_STRING,
    DerReader,
)
from verification.errors import LimitExceeded, MalformedDocument

MAX_NAME = 2_048
"""Bytes of an encoded Name; real ones have 40 to 300."""

_TELETEX_STRING = 0x14
_BMP_STRING = 0x1E
# T.61 is read as Latin-1, as everybody who writes it means it.
_CHARACTER_SETS = {_TELETEX_STRING: "latin-1", _BMP_STRING: "utf-16-be"}
_COUNTRY = "2.5.4.6"
_COUNTRY_OBJECT = build_oid(_COUNTRY)
_SHORT_NAMES = {"2.5.4.3": "CN", "2.5.4.5": "serialNumber", _COUNTRY: "C", "2.5.4.10": "O", "2.5.4.11": "OU"}


def relative_names(name: bytes) -> list[bytes]:
    """The encoded RDNs of a Name, sorted: some issuers write them in another order elsewhere."""
    reader = DerReader(name).enter(SEQUENCE)
    found = []
    while reader.peek() is not None:
        found.append(reader.take_encoded(SET))
    return sorted(found)


@lru_cache(maxsize=4096)
def comparable_name(name: bytes) -> str:
    """The same text for names that mean the same (RFC 5280, 7.1); raises MalformedDocument."""
    parts = (f"{oid}={' '.join(text.casefold().split())}" for oid, text in _attributes(name))
    return "\n".join(sorted(parts))


def readable_name(name: bytes) -> str:
    """The name for people to read, in the order in which it is written."""
    return ", ".join(f"{_SHORT_NAMES.get(oid, oid)}={text}" for oid, text in _attributes(name))


def country_of(name: bytes) -> str | None:
    """The countryName in a Name, in capitals; None when there is none."""
    # Almost every name begins with it, after the headers of Name, RDN and attribute: reading two
    # octets there costs a tenth of the walk.
    start = 6 if name[1:2] < b"\x80" else 7
    if name.startswith(_COUNTRY_IN_TWO_LETTERS, start):
        start += _COUNTRY_HEADER
        return _country(name[start : start + 2].decode("latin-1"))
    return _country_anywhere(name)


_COUNTRY_IN_TWO_LETTERS = tuple(_COUNTRY_OBJECT + bytes((tag, 2)) for tag in (PRINTABLE_STRING, UTF8_STRING))
_COUNTRY_HEADER = len(_COUNTRY_OBJECT) + 2


@lru_cache(maxsize=1024)
def _country_anywhere(name: bytes) -> str | None:
    for oid, text in _attributes(name):
        if oid == _COUNTRY:
            return _country(text)
    return None


def _country(text: str) -> str:
    """Real ones are also written in lower case."""
    if not text.isascii():
        raise MalformedDocument("country is not ASCII")
    return text.upper()


def _attributes(name: bytes) -> list[tuple[str, str]]:
    """Every attribute as dotted type and text, in the order of the name."""
    if len(name) > MAX_NAME:
        raise LimitExceeded(f"name of {len(name)} bytes")
    outer = DerReader(name)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    found = []
    while reader.peek() is not None:
        attributes = reader.enter(SET)
        while attributes.peek() is not None:
            attribute = attributes.enter(SEQUENCE)
            oid = decode_oid(attribute.take(OBJECT_IDENTIFIER))
            tag = attribute.peek()
            if tag is None:
                raise MalformedDocument("attribute of a name without a value")
            found.append((oid, _text(tag, attribute.take(tag))))
            attribute.finish()
    return found


def _text(tag: int, value: bytes) -> str:
    """The characters of a DirectoryString; what is no text at all reads as its octets in hexadecimal."""
    try:
        return value.decode(_CHARACTER_SETS.get(tag, "utf-8"))
    except UnicodeDecodeError:
        return value.hex()
