"""The CBEFF template of DG2, DG3 and DG4: a group of records, each behind a header (ICAO 9303-10, 4.7).

``75|63|76 { 7F61 { 02 count, 7F60 { A1 header, 5F2E|7F2E record } ... } }``. The header's format
type says by which standard the record was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from verification.encoding.tlv import Tlv, build, build_integer, children
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.files import LdsFile
from verification.lds.template import template_value

MAX_RECORDS = 16
"""ICAO allows nine instances; whoever writes more is not believed without end."""

_GROUP = 0x7F61
_INSTANCE = 0x7F60
_HEADER = 0xA1
_BIOMETRIC_TYPE = 0x81
_SUBTYPE = 0x82
_FORMAT_OWNER = 0x87
_FORMAT_TYPE = 0x88
_RECORD_PLAIN = 0x5F2E
_RECORD_CONSTRUCTED = 0x7F2E
_DISCRETIONARY = 0x53

_SC37 = b"\x01\x01"
"""ISO/IEC JTC 1/SC 37, the owner of every format below."""

# ISO/IEC 7816-11, table C.2.
_TYPE_OF = {LdsFile.DG2: b"\x02", LdsFile.DG3: b"\x08", LdsFile.DG4: b"\x10"}


class RecordFormat(IntEnum):
    """The format types of SC 37 that ICAO 9303-10 names."""

    ISO_19794_4 = 0x0007
    ISO_19794_5 = 0x0008
    ISO_19794_6 = 0x0009
    ISO_39794_4 = 0x0028
    ISO_39794_5 = 0x002A
    ISO_39794_6 = 0x002C

    @property
    def is_der(self) -> bool:
        """Whether the record itself is a DER structure, which goes under a constructed tag."""
        return self >= RecordFormat.ISO_39794_4


@dataclass(frozen=True, slots=True, repr=False)
class BiometricRecord:
    """One record as stored; ``subtype`` is the octet that names the finger or the eye (ISO/IEC 7816-11)."""

    format: RecordFormat
    data: bytes
    subtype: int = 0

    def __repr__(self) -> str:
        return f"BiometricRecord({self.format.name}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class BiometricTemplate:
    """The records of one data group.

    A holder whose fingers cannot be taken has a DG3 without records. ``discretionary`` is what
    then tells one such DG3 from another, so that its hash says nothing about the holder.
    """

    records: tuple[BiometricRecord, ...]
    discretionary: bytes = b""


def parse_template(
    encoded: bytes, file: LdsFile, formats: frozenset[RecordFormat], *, may_be_empty: bool = False
) -> BiometricTemplate:
    """Read the template of a data group whose records may have these formats.

    Raises MalformedDocument, and LimitExceeded for more than sixteen records.
    """
    parts = children(template_value(encoded, file))
    if not parts or parts[0].tag != _GROUP:
        raise MalformedDocument(f"{file.name} does not begin with a biometric group")
    records = _records(children(parts[0].value), file, formats)
    if not records and not may_be_empty:
        raise MalformedDocument(f"{file.name} holds no record")
    return BiometricTemplate(records, _discretionary(parts[1:], file, is_empty=not records))


def build_template(template: BiometricTemplate, file: LdsFile) -> bytes:
    """Write the template of a data group."""
    instances = b"".join(_build_instance(record, file) for record in template.records)
    group = build(_GROUP, build_integer(len(template.records)) + instances)
    tail = build(_DISCRETIONARY, template.discretionary) if template.discretionary else b""
    return build(file.tag, group + tail)


def _records(
    group: Sequence[Tlv], file: LdsFile, formats: frozenset[RecordFormat]
) -> tuple[BiometricRecord, ...]:
    # Sixteen fit one octet, so a count that is larger or not in its shortest form never compares equal.
    if not group or group[0].encoded != build_integer(len(group) - 1):
        raise MalformedDocument(f"{file.name} does not hold as many records as it counts")
    if len(group) - 1 > MAX_RECORDS:
        raise LimitExceeded(f"{file.name} of {len(group) - 1} records")
    return tuple(_record(instance, file, formats) for instance in group[1:])


def _record(instance: Tlv, file: LdsFile, formats: frozenset[RecordFormat]) -> BiometricRecord:
    if instance.tag != _INSTANCE:
        raise MalformedDocument(f"{file.name} holds what is no biometric instance")
    parts = children(instance.value)
    if len(parts) != 2 or parts[0].tag != _HEADER or parts[1].tag not in {_RECORD_PLAIN, _RECORD_CONSTRUCTED}:
        raise MalformedDocument("biometric instance is not header and record")
    header = _header(parts[0].value)
    subtype = int.from_bytes(header.get(_SUBTYPE, b"")[-1:], "big")
    return BiometricRecord(_format(header, file, formats), parts[1].value, subtype)


def _format(header: Mapping[int, bytes], file: LdsFile, formats: frozenset[RecordFormat]) -> RecordFormat:
    if header.get(_FORMAT_OWNER) != _SC37:
        raise MalformedDocument(f"{file.name} names another owner of its format")
    for known in formats:
        if header.get(_FORMAT_TYPE) == known.to_bytes(2, "big"):
            return known
    raise MalformedDocument(f"{file.name} names a format that it does not have")


def _header(value: bytes) -> dict[int, bytes]:
    elements = children(value)
    header = {element.tag: element.value for element in elements}
    if len(header) != len(elements):
        raise MalformedDocument("biometric header states an element twice")
    return header


def _discretionary(parts: Sequence[Tlv], file: LdsFile, *, is_empty: bool) -> bytes:
    if not parts:
        return b""
    if not is_empty or len(parts) != 1 or parts[0].tag != _DISCRETIONARY:
        raise MalformedDocument(f"{file.name} holds more than its biometric group")
    return parts[0].value


def _build_instance(record: BiometricRecord, file: LdsFile) -> bytes:
    header = build(_BIOMETRIC_TYPE, _TYPE_OF[file])
    if record.subtype:
        header += build(_SUBTYPE, bytes((record.subtype,)))
    header += build(_FORMAT_OWNER, _SC37) + build(_FORMAT_TYPE, record.format.to_bytes(2, "big"))
    tag = _RECORD_CONSTRUCTED if record.format.is_der else _RECORD_PLAIN
    return build(_INSTANCE, build(_HEADER, header) + build(tag, record.data))
