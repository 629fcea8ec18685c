"""What the records of ISO/IEC 39794 have in common: a DER envelope, blocks of tagged fields, choices.

The modules tag implicitly, so a field's tag tells which field it is; only a CHOICE keeps a tag of its
own inside its field's. Every block may be extended: fields that a reader does not know are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable

from verification.encoding.tlv import SEQUENCE, build, children, only
from verification.errors import LimitExceeded, MalformedDocument

MAX_REPRESENTATIONS = 16

_BIOMETRIC_DATA = 0xA1
"""What the record stands in where its data object is constructed (ISO/IEC 7816-11)."""

_GENERATION = 3
_YEAR = 2019
_MAX_INTEGER = 4


class Fields:
    """The fields of one block by tag; ``what`` names the block in a refusal."""

    __slots__ = ("_values", "_what")

    def __init__(self, value: bytes, what: str) -> None:
        elements = children(value)
        self._values = {element.tag: element.value for element in elements}
        self._what = what
        if len(self._values) != len(elements):
            raise MalformedDocument(f"{what} states a field twice")

    def get(self, tag: int) -> bytes | None:
        """The content of an optional field."""
        return self._values.get(tag)

    def require(self, tag: int) -> bytes:
        """The content of a mandatory field; raises MalformedDocument where it is missing."""
        value = self._values.get(tag)
        if value is None:
            raise MalformedDocument(f"{self._what} lacks its field {tag:02X}")
        return value

    def integer(self, tag: int) -> int | None:
        """An optional INTEGER or ENUMERATED."""
        value = self._values.get(tag)
        return None if value is None else _integer(value)

    def code(self, tag: int) -> int | None:
        """An optional code: of the standard, or the fallback that an extension names.

        None where the field is missing or its extension names no fallback.
        """
        value = self._values.get(tag)
        if value is None:
            return None
        choice = Fields(value, self._what)
        extension = choice.get(0xA1)
        return choice.integer(0x80) if extension is None else Fields(extension, self._what).integer(0x80)


def parse_record(record: bytes, tag: int, what: str) -> list[Fields]:
    """Read the representation blocks of a record; ``tag`` is its application tag.

    Raises MalformedDocument, and LimitExceeded for more than sixteen representations.
    """
    if record[:1] == bytes((_BIOMETRIC_DATA,)):
        record = only(record, _BIOMETRIC_DATA)
    block = Fields(only(record, tag), what)
    generation = Fields(block.require(0xA0), what).integer(0x80)
    if generation is None or generation < _GENERATION:
        raise MalformedDocument(f"{what} of generation {generation}")
    representations = children(block.require(0xA1))
    if len(representations) > MAX_REPRESENTATIONS:
        raise LimitExceeded(f"{what} of {len(representations)} representations")
    if not representations or any(element.tag != SEQUENCE for element in representations):
        raise MalformedDocument(f"{what} without a representation")
    return [Fields(element.value, what) for element in representations]


def build_record(tag: int, representations: Iterable[bytes]) -> bytes:
    """Write a record of these representation blocks."""
    version = build(0xA0, build_number(0x80, _GENERATION) + build_number(0x81, _YEAR))
    blocks = b"".join(build(SEQUENCE, representation) for representation in representations)
    return build(_BIOMETRIC_DATA, build(tag, version + build(0xA1, blocks)))


def build_number(tag: int, number: int) -> bytes:
    """Write a non-negative INTEGER or ENUMERATED under a context tag, in the fewest octets."""
    return build(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def build_code(tag: int, code: int) -> bytes:
    """Write a code of the standard, which is one alternative of a CHOICE."""
    return build(tag, build_number(0x80, code))


def _integer(value: bytes) -> int:
    if not 0 < len(value) <= _MAX_INTEGER:
        raise MalformedDocument(f"number of {len(value)} octets in a biometric record")
    return int.from_bytes(value, "big", signed=True)
