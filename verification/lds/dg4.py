"""DG4: irises (ICAO 9303-10, 4.7.4). The container is read and written; no iris is looked at here."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.tlv import only
from verification.errors import MalformedDocument
from verification.lds.biometric_template import (
    BiometricRecord,
    BiometricTemplate,
    RecordFormat,
    build_template,
    parse_template,
)
from verification.lds.files import LdsFile
from verification.lds.iso19794_record import number, require_length

_FORMATS = frozenset({RecordFormat.ISO_19794_6, RecordFormat.ISO_39794_6})

_MAGIC = b"IIR\x00010\x00"
_BIOMETRIC_DATA = 0xA1
_IRIS_IMAGE_DATA_BLOCK = 0x66  # [APPLICATION 6]


@dataclass(frozen=True, slots=True)
class Dg4:
    """The iris records on the chip, each whole and unread; none for a holder without them."""

    records: tuple[BiometricRecord, ...]
    discretionary: bytes = b""


def parse_dg4(encoded: bytes) -> Dg4:
    """Read DG4 down to its records; raises MalformedDocument or LimitExceeded."""
    template = parse_template(encoded, LdsFile.DG4, _FORMATS, may_be_empty=True)
    for record in template.records:
        _require_iris_record(record)
    return Dg4(template.records, template.discretionary)


def build_dg4(dg4: Dg4) -> bytes:
    """Write DG4."""
    return build_template(BiometricTemplate(dg4.records, dg4.discretionary), LdsFile.DG4)


def _require_iris_record(record: BiometricRecord) -> None:
    if record.format is RecordFormat.ISO_39794_6:
        only(only(record.data, _BIOMETRIC_DATA), _IRIS_IMAGE_DATA_BLOCK)
        return
    if not record.data.startswith(_MAGIC):
        raise MalformedDocument("iris record without its header")
    require_length(record.data, number(record.data, 8, 4))
