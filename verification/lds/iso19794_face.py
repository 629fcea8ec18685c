"""The facial record of ISO/IEC 19794-5:2005."""

from __future__ import annotations

from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.iso19794_record import block_end, number, require_end, require_length
from verification.lds.portrait import Portrait
from verification.lds.portrait_image import JPEG

MAX_IMAGES = 16

_MAGIC = b"FAC\x00010\x00"
_HEADER = 14
_BLOCK_HEADER = 20
_FEATURE_POINT = 8
_IMAGE_INFORMATION = 12

_FULL_FRONTAL = 1
_SRGB24 = 1
_DIGITAL_CAMERA = 2


def parse_facial_record(record: bytes) -> list[Portrait]:
    """Read the images; raises MalformedDocument, ImageUndecodable or LimitExceeded."""
    if not record.startswith(_MAGIC):
        raise MalformedDocument("facial record without its header")
    require_length(record, number(record, 8, 4))
    count = number(record, 12, 2)
    if not 0 < count <= MAX_IMAGES:
        raise LimitExceeded(f"facial record of {count} images")
    found = []
    position = _HEADER
    for index in range(count):
        end = block_end(record, position, number(record, position, 4), is_last=index == count - 1)
        found.append(Portrait.of(_image(record, position, end)))
        position = end
    require_end(record, position)
    return found


def build_facial_record(portrait: Portrait) -> bytes:
    """Write a record of one image."""
    information = (
        bytes((_FULL_FRONTAL, 0 if portrait.media_type == JPEG else 1))
        + portrait.width.to_bytes(2, "big")
        + portrait.height.to_bytes(2, "big")
        + bytes((_SRGB24, _DIGITAL_CAMERA, 0, 0, 0, 0))
    )
    length = _BLOCK_HEADER + len(information) + len(portrait.image)
    # No feature points; sex, eyes, hair, expression and pose are left unspecified (zero).
    block = length.to_bytes(4, "big") + bytes(_BLOCK_HEADER - 4) + information + portrait.image
    return _MAGIC + (_HEADER + len(block)).to_bytes(4, "big") + b"\x00\x01" + block


def _image(record: bytes, start: int, end: int) -> bytes:
    features = number(record, start + 4, 2)
    image = start + _BLOCK_HEADER + features * _FEATURE_POINT + _IMAGE_INFORMATION
    if not image < end:
        raise MalformedDocument("facial image does not fit its block")
    return record[image:end]
