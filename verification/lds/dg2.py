"""DG2: the portrait, in a record of ISO/IEC 19794-5 or ISO/IEC 39794-5 (ICAO 9303-10, 4.7.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from verification.errors import LimitExceeded
from verification.lds.biometric_template import (
    BiometricRecord,
    BiometricTemplate,
    RecordFormat,
    build_template,
    parse_template,
)
from verification.lds.files import LdsFile
from verification.lds.iso19794_face import build_facial_record, parse_facial_record
from verification.lds.iso39794_face import build_face_image_record, parse_face_image_record
from verification.lds.portrait import Portrait
from verification.lds.portrait_image import JPEG, JPEG_2000, image_dimensions

__all__ = ["JPEG", "JPEG_2000", "Dg2", "Portrait", "build_dg2", "image_dimensions", "parse_dg2"]

MAX_PORTRAITS = 16

_PARSERS: Mapping[RecordFormat, Callable[[bytes], list[Portrait]]] = {
    RecordFormat.ISO_19794_5: parse_facial_record,
    RecordFormat.ISO_39794_5: parse_face_image_record,
}
_BUILDERS: Mapping[RecordFormat, Callable[[Portrait], bytes]] = {
    RecordFormat.ISO_19794_5: build_facial_record,
    RecordFormat.ISO_39794_5: build_face_image_record,
}


@dataclass(frozen=True, slots=True)
class Dg2:
    """The portraits on the chip, the holder's current one first."""

    portraits: tuple[Portrait, ...]


def parse_dg2(encoded: bytes) -> Dg2:
    """Read DG2 without decoding an image.

    Raises MalformedDocument for the container, ImageUndecodable and LimitExceeded for an image
    that is neither JPEG nor JPEG 2000 or larger than a portrait is.
    """
    template = parse_template(encoded, LdsFile.DG2, frozenset(_PARSERS))
    portraits: list[Portrait] = []
    for record in template.records:
        portraits.extend(_PARSERS[record.format](record.data))
        if len(portraits) > MAX_PORTRAITS:
            raise LimitExceeded(f"DG2 of more than {MAX_PORTRAITS} portraits")
    return Dg2(tuple(portraits))


def build_dg2(dg2: Dg2, record_format: RecordFormat = RecordFormat.ISO_19794_5) -> bytes:
    """Write DG2: one biometric instance with one record for each portrait."""
    write = _BUILDERS[record_format]
    records = tuple(BiometricRecord(record_format, write(portrait)) for portrait in dg2.portraits)
    return build_template(BiometricTemplate(records), LdsFile.DG2)
