"""DG3: fingerprints, in records of ISO/IEC 19794-4 or ISO/IEC 39794-4 (ICAO 9303-10, 4.7.3)."""

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
from verification.lds.finger_image import RAW, FingerImage, FingerPosition, Impression
from verification.lds.image_header import JPEG_2000, PNG, WSQ
from verification.lds.iso19794_finger import build_finger_record, parse_finger_record
from verification.lds.iso39794_finger import build_finger_image_record, parse_finger_image_record

__all__ = [
    "JPEG_2000",
    "PNG",
    "RAW",
    "WSQ",
    "Dg3",
    "FingerImage",
    "FingerPosition",
    "Impression",
    "build_dg3",
    "parse_dg3",
]

MAX_FINGERS = 16

_PARSERS: Mapping[RecordFormat, Callable[[bytes], list[FingerImage]]] = {
    RecordFormat.ISO_19794_4: parse_finger_record,
    RecordFormat.ISO_39794_4: parse_finger_image_record,
}
_BUILDERS: Mapping[RecordFormat, Callable[[FingerImage], bytes]] = {
    RecordFormat.ISO_19794_4: build_finger_record,
    RecordFormat.ISO_39794_4: build_finger_image_record,
}

# Biometric subtypes of ISO/IEC 7816-11, table C.3: the finger in bits 3 to 5, left 10 or right 01 below.
_SUBTYPES = {
    FingerPosition.RIGHT_THUMB: 0x05,
    FingerPosition.RIGHT_INDEX: 0x09,
    FingerPosition.RIGHT_MIDDLE: 0x0D,
    FingerPosition.RIGHT_RING: 0x11,
    FingerPosition.RIGHT_LITTLE: 0x15,
    FingerPosition.LEFT_THUMB: 0x06,
    FingerPosition.LEFT_INDEX: 0x0A,
    FingerPosition.LEFT_MIDDLE: 0x0E,
    FingerPosition.LEFT_RING: 0x12,
    FingerPosition.LEFT_LITTLE: 0x16,
    FingerPosition.RIGHT_FOUR: 0x01,
    FingerPosition.LEFT_FOUR: 0x02,
    FingerPosition.BOTH_THUMBS: 0x04,
}


@dataclass(frozen=True, slots=True)
class Dg3:
    """The fingers on the chip; none for a holder whose fingers cannot be taken.

    ``discretionary`` goes with no fingers: random octets, so that the hash of an empty DG3 in
    EF.SOD, which anybody may read, does not tell that it is empty.
    """

    fingers: tuple[FingerImage, ...]
    discretionary: bytes = b""


def parse_dg3(encoded: bytes) -> Dg3:
    """Read DG3 without decoding an image.

    Raises MalformedDocument for the container, FingerImageUndecodable and LimitExceeded for an
    image of an unknown kind or larger than a finger is.
    """
    template = parse_template(encoded, LdsFile.DG3, frozenset(_PARSERS), may_be_empty=True)
    fingers: list[FingerImage] = []
    for record in template.records:
        fingers.extend(_PARSERS[record.format](record.data))
        if len(fingers) > MAX_FINGERS:
            raise LimitExceeded(f"DG3 of more than {MAX_FINGERS} images")
    return Dg3(tuple(fingers), template.discretionary)


def build_dg3(dg3: Dg3, record_format: RecordFormat = RecordFormat.ISO_19794_4) -> bytes:
    """Write DG3: one biometric instance with one record for each finger."""
    write = _BUILDERS[record_format]
    records = tuple(
        BiometricRecord(record_format, write(finger), _SUBTYPES.get(finger.position, 0))
        for finger in dg3.fingers
    )
    return build_template(BiometricTemplate(records, dg3.discretionary), LdsFile.DG3)
