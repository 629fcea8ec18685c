"""DG2: the portrait in CBEFF and ISO/IEC 19794-5:2005 (ICAO 9303-10, 4.7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.tlv import Tlv, build, build_integer, children, only
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.files import LdsFile
from verification.lds.portrait_image import JPEG, JPEG_2000, image_dimensions, media_type
from verification.lds.template import template_value

__all__ = ["JPEG", "JPEG_2000", "Dg2", "Portrait", "build_dg2", "image_dimensions", "parse_dg2"]

MAX_PORTRAITS = 8

_GROUP = 0x7F61
_INSTANCE = 0x7F60
_HEADER = 0xA1
_DATA_PLAIN = 0x5F2E
_DATA_CONSTRUCTED = 0x7F2E

# Biometric header template: facial features, format owner ISO/IEC JTC 1/SC 37, format 19794-5.
_FACE = build(0x81, b"\x02")
_FORMAT = build(0x87, b"\x01\x01") + build(0x88, b"\x00\x08")
_FORMAT_TYPE = 0x88

_FAC_MAGIC = b"FAC\x00010\x00"
_FAC_HEADER = 14
_FACE_BLOCK_HEADER = 20
_FEATURE_POINT = 8
_IMAGE_INFORMATION = 12
# Issuers' writers count the record's length wrongly by a few bytes.
_LENGTH_SLACK = 8
_FULL_FRONTAL = 1
_SRGB24 = 1
_DIGITAL_CAMERA = 2


@dataclass(frozen=True, slots=True)
class Portrait:
    """One image as stored; type and size (pixels) are read from the image, not from the record."""

    image: bytes
    media_type: str
    width: int
    height: int

    def __repr__(self) -> str:
        return f"Portrait({self.media_type}, {self.width} x {self.height}, {len(self.image)} bytes)"

    @classmethod
    def of(cls, image: bytes) -> Portrait:
        """Describe an encoded image; raises ImageUndecodable or LimitExceeded."""
        width, height = image_dimensions(image)
        return cls(image, media_type(image), width, height)


@dataclass(frozen=True, slots=True)
class Dg2:
    """The portraits on the chip, the holder's current one first."""

    portraits: tuple[Portrait, ...]


def parse_dg2(encoded: bytes) -> Dg2:
    """Read DG2 without decoding an image.

    Raises MalformedDocument for the container, ImageUndecodable and LimitExceeded for an image
    that is neither JPEG nor JPEG 2000 or larger than a portrait is.
    """
    group = children(only(template_value(encoded, LdsFile.DG2), _GROUP))
    if len(group) < 2 or group[0].encoded != build_integer(len(group) - 1):
        raise MalformedDocument("DG2 does not hold as many instances as it counts")
    portraits: list[Portrait] = []
    for instance in group[1:]:
        portraits.extend(_portraits(_record(instance)))
    if len(portraits) > MAX_PORTRAITS:
        raise LimitExceeded(f"DG2 of {len(portraits)} portraits")
    return Dg2(tuple(portraits))


def build_dg2(dg2: Dg2) -> bytes:
    """Write DG2: one biometric instance with one facial record for each portrait."""
    instances = b"".join(
        build(_INSTANCE, build(_HEADER, _FACE + _FORMAT) + build(_DATA_PLAIN, _build_record(portrait)))
        for portrait in dg2.portraits
    )
    return build(LdsFile.DG2.tag, build(_GROUP, build_integer(len(dg2.portraits)) + instances))


def _record(instance: Tlv) -> bytes:
    if instance.tag != _INSTANCE:
        raise MalformedDocument("DG2 holds what is no biometric instance")
    parts = children(instance.value)
    if len(parts) != 2 or parts[0].tag != _HEADER or parts[1].tag not in {_DATA_PLAIN, _DATA_CONSTRUCTED}:
        raise MalformedDocument("biometric instance is not header and data")
    format_types = [part.value for part in children(parts[0].value) if part.tag == _FORMAT_TYPE]
    if format_types != [b"\x00\x08"]:
        raise MalformedDocument("portrait is not in the format ISO/IEC 19794-5")
    return parts[1].value


def _portraits(record: bytes) -> list[Portrait]:
    if not record.startswith(_FAC_MAGIC):
        raise MalformedDocument("facial record without its header")
    claimed = _number(record, 8, 4)
    count = _number(record, 12, 2)
    if abs(claimed - len(record)) > _LENGTH_SLACK:
        raise MalformedDocument(f"facial record claims {claimed} of {len(record)} bytes")
    if not 0 < count <= MAX_PORTRAITS:
        raise LimitExceeded(f"facial record of {count} images")
    found = []
    position = _FAC_HEADER
    for index in range(count):
        length = _number(record, position, 4)
        end = position + length
        # The slack counts for the last block as for the record.
        if index == count - 1 and abs(end - len(record)) <= _LENGTH_SLACK:
            end = len(record)
        found.append(Portrait.of(_image(record, position, end)))
        position = end
    if position != len(record):
        raise MalformedDocument("bytes after the last facial image")
    return found


def _image(record: bytes, start: int, end: int) -> bytes:
    features = _number(record, start + 4, 2)
    image = start + _FACE_BLOCK_HEADER + features * _FEATURE_POINT + _IMAGE_INFORMATION
    if not image < end <= len(record):
        raise MalformedDocument("facial image does not fit its block")
    return record[image:end]


def _number(record: bytes, position: int, octets: int) -> int:
    if position + octets > len(record):
        raise MalformedDocument("facial record is cut off")
    return int.from_bytes(record[position : position + octets], "big")


def _build_record(portrait: Portrait) -> bytes:
    information = (
        bytes((_FULL_FRONTAL, 0 if portrait.media_type == JPEG else 1))
        + portrait.width.to_bytes(2, "big")
        + portrait.height.to_bytes(2, "big")
        + bytes((_SRGB24, _DIGITAL_CAMERA, 0, 0, 0, 0))
    )
    block_length = _FACE_BLOCK_HEADER + len(information) + len(portrait.image)
    # No feature points; sex, eyes, hair, expression and pose are left unspecified (zero).
    block = block_length.to_bytes(4, "big") + bytes(_FACE_BLOCK_HEADER - 4) + information + portrait.image
    return _FAC_MAGIC + (_FAC_HEADER + len(block)).to_bytes(4, "big") + b"\x00\x01" + block
