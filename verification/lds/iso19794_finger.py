"""The finger image record of ISO/IEC 19794-4:2005."""

from __future__ import annotations

from typing import NamedTuple

from verification.errors import LimitExceeded, MalformedDocument, malformed_unless_parsed
from verification.lds.finger_image import (
    RAW,
    FingerImage,
    FingerPosition,
    Impression,
    finger_header,
    sample_header,
)
from verification.lds.image_header import JPEG, JPEG_2000, PNG, WSQ
from verification.lds.iso19794_record import block_end, number, require_end, require_length

MAX_IMAGES = 16

_MAGIC = b"FIR\x00010\x00"
_HEADER = 32
_VIEW_HEADER = 14
_LEVEL_31 = 31  # 500 pixels per inch, eight bits (table 1)
_PER_INCH = 1
_PER_CENTIMETRE = 2
_CENTIMETRES_IN_INCH = 2.54
_DEPTH = 8
_UNCOMPRESSED = frozenset({0, 1})  # with and without padding, which eight-bit samples never need
_COMPRESSION = {RAW: 0, WSQ: 2, JPEG: 3, JPEG_2000: 4, PNG: 5}
_MAX_QUALITY = 100
_QUALITY_UNDEFINED = 254


class _Header(NamedTuple):
    """What holds for every view of a record."""

    fingers: int
    ppi: int | None
    depth: int
    compression: int


def parse_finger_record(record: bytes) -> list[FingerImage]:
    """Read the images; raises MalformedDocument, FingerImageUndecodable or LimitExceeded."""
    if not record.startswith(_MAGIC):
        raise MalformedDocument("finger image record without its header")
    require_length(record, number(record, 8, 6))
    header = _read_header(record)
    found: list[FingerImage] = []
    position = _HEADER
    while position < len(record):
        if len(found) == MAX_IMAGES:
            raise LimitExceeded(f"more than {MAX_IMAGES} images in a finger image record")
        length = number(record, position, 4)
        end = block_end(record, position, length, is_last=_is_last(record, position + length))
        found.append(_view(record, position, end, header))
        position = end
    require_end(record, position)
    # A finger may have several views; the record counts fingers.
    if not 0 < len({finger.position for finger in found}) <= header.fingers <= len(found):
        raise MalformedDocument("finger image record does not hold the fingers that it counts")
    return found


def build_finger_record(finger: FingerImage) -> bytes:
    """Write a record of one image."""
    resolution = (finger.ppi or 0).to_bytes(2, "big")
    quality = _QUALITY_UNDEFINED if finger.quality is None else finger.quality
    view = (
        (_VIEW_HEADER + len(finger.image)).to_bytes(4, "big")
        # One view, the first; one octet is reserved.
        + bytes((finger.position, 1, 1, quality, finger.impression))
        + finger.width.to_bytes(2, "big")
        + finger.height.to_bytes(2, "big")
        + b"\x00"
        + finger.image
    )
    header = (
        (_HEADER + len(view)).to_bytes(6, "big")
        + b"\x00\x00"  # capture device: not reported
        + _LEVEL_31.to_bytes(2, "big")
        + bytes((1, _PER_INCH))
        # Resolution of the scan in both directions, then of the image.
        + resolution * 4
        + bytes((_DEPTH, _COMPRESSION[finger.media_type], 0, 0))
    )
    return _MAGIC + header + view


def _read_header(record: bytes) -> _Header:
    scale = number(record, 19, 1)
    resolution = number(record, 24, 2)
    if scale == _PER_CENTIMETRE:
        resolution = round(resolution * _CENTIMETRES_IN_INCH)
    elif scale != _PER_INCH:
        raise MalformedDocument(f"finger image record in units {scale}")
    number(record, _HEADER - 2, 2)
    return _Header(number(record, 18, 1), resolution or None, number(record, 28, 1), number(record, 29, 1))


def _is_last(record: bytes, end: int) -> bool:
    """Whether no view header fits behind a view that ends there."""
    return end + _VIEW_HEADER > len(record)


def _view(record: bytes, start: int, end: int, header: _Header) -> FingerImage:
    if end - start <= _VIEW_HEADER:
        raise MalformedDocument("finger image does not fit its view")
    with malformed_unless_parsed("finger position"):
        position = FingerPosition(number(record, start + 4, 1))
    quality = number(record, start + 7, 1)
    width, height = number(record, start + 9, 2), number(record, start + 11, 2)
    image = record[start + _VIEW_HEADER : end]
    if header.compression not in _UNCOMPRESSED:
        # Which compression it is, the image itself tells.
        found = finger_header(image)
    elif header.depth == _DEPTH:
        found = sample_header(image, width, height)
    else:
        raise MalformedDocument(f"finger image of {header.depth} bits a sample")
    return FingerImage(
        position,
        image,
        *found,
        ppi=header.ppi,
        quality=quality if quality <= _MAX_QUALITY else None,
        impression=Impression(number(record, start + 8, 1)),
    )
