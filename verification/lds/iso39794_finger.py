"""The finger image record of ISO/IEC 39794-4.

This software makes use of the Schema from ISO/IEC 39794-4 within modifications permitted in the
relevant ISO/IEC standard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from verification.encoding.tlv import build, children
from verification.errors import FingerImageUndecodable, MalformedDocument, malformed_unless_parsed
from verification.lds.finger_image import (
    RAW,
    FingerImage,
    FingerPosition,
    Impression,
    finger_header,
    sample_header,
)
from verification.lds.image_header import JPEG_2000, PNG, WSQ, ImageHeader
from verification.lds.iso39794_record import Fields, build_code, build_number, build_record, parse_record

_FINGER_IMAGE_DATA_BLOCK = 0x64  # [APPLICATION 4]

# RepresentationBlock
_POSITION = 0xA0
_IMPRESSION = 0xA1
_FORMAT = 0xA2
_DATA = 0x83
_QUALITY = 0xA6
_SAMPLING = 0xA7
# QualityBlock
_SCORE_OR_ERROR = 0xA1
# SpatialSamplingRateBlock
_SAMPLES = 0x80
_UNIT = 0x81
_PER_CENTIMETRE = 1
_CENTIMETRES_IN_INCH = 2.54

_FORMAT_CODES = {RAW: 0, WSQ: 1, JPEG_2000: 2, PNG: 4}
# The codes of this standard for what the older one told apart otherwise.
_IMPRESSION_CODES = {
    Impression.PLAIN: 0,
    Impression.ROLLED: 1,
    Impression.NONLIVE_PLAIN: 0,
    Impression.NONLIVE_ROLLED: 1,
    Impression.LATENT: 4,
    Impression.SWIPE: 8,
    Impression.CONTACTLESS: 24,
    Impression.UNKNOWN: 29,
}
_IMPRESSIONS: Mapping[int | None, Impression] = {
    0: Impression.PLAIN,
    1: Impression.ROLLED,
    4: Impression.LATENT,
    8: Impression.SWIPE,
    24: Impression.CONTACTLESS,
    25: Impression.CONTACTLESS,
    41: Impression.CONTACTLESS,
    42: Impression.CONTACTLESS,
}
_MAX_QUALITY = 100
_MAX_QUALITY_BLOCKS = 16

# Portable grey map, the only kind without a signature of its own: samples behind a line of text.
_GREY_MAP = re.compile(rb"P5\s(\d{1,5})\s(\d{1,5})\s255\s")

_WHAT = "finger image record"


def parse_finger_image_record(record: bytes) -> list[FingerImage]:
    """Read the images; raises MalformedDocument, FingerImageUndecodable or LimitExceeded."""
    return [_finger(block) for block in parse_record(record, _FINGER_IMAGE_DATA_BLOCK, _WHAT)]


def build_finger_image_record(finger: FingerImage) -> bytes:
    """Write a record of one image.

    The score of quality stays out: here it would have to name the algorithm that gave it.
    Raises FingerImageUndecodable for a JPEG, which this standard does not know.
    """
    if finger.media_type not in _FORMAT_CODES:
        raise FingerImageUndecodable(f"{finger.media_type} has no place in a finger image record")
    image = finger.image
    if finger.media_type == RAW:
        image = b"P5\n%d %d\n255\n" % (finger.width, finger.height) + image
    representation = (
        build_code(_POSITION, finger.position)
        + build_code(_IMPRESSION, _IMPRESSION_CODES[finger.impression])
        + build_code(_FORMAT, _FORMAT_CODES[finger.media_type])
        + build(_DATA, image)
    )
    if finger.ppi is not None:
        representation += build(_SAMPLING, build_number(_SAMPLES, finger.ppi) + build_number(_UNIT, 0))
    return build_record(_FINGER_IMAGE_DATA_BLOCK, [representation])


def _finger(block: Fields) -> FingerImage:
    block.require(_FORMAT)
    code = block.code(_POSITION)
    if code is None:
        raise MalformedDocument("finger image record without the finger's position")
    with malformed_unless_parsed("finger position"):
        position = FingerPosition(code)
    image, header = _image(block.require(_DATA))
    return FingerImage(
        position,
        image,
        *header,
        ppi=_ppi(block.get(_SAMPLING)),
        quality=_quality(block.get(_QUALITY)),
        impression=_IMPRESSIONS.get(block.code(_IMPRESSION), Impression.UNKNOWN),
    )


def _image(data: bytes) -> tuple[bytes, ImageHeader]:
    grey_map = _GREY_MAP.match(data)
    if grey_map is None:
        return data, finger_header(data)
    samples = data[grey_map.end() :]
    return samples, sample_header(samples, int(grey_map[1]), int(grey_map[2]))


def _ppi(sampling: bytes | None) -> int | None:
    if sampling is None:
        return None
    fields = Fields(sampling, _WHAT)
    samples = fields.integer(_SAMPLES) or 0
    if fields.integer(_UNIT) == _PER_CENTIMETRE:
        samples = round(samples * _CENTIMETRES_IN_INCH)
    return samples if samples > 0 else None


def _quality(blocks: bytes | None) -> int | None:
    """The score of the first quality block that gives one."""
    for block in children(blocks or b"")[:_MAX_QUALITY_BLOCKS]:
        score = Fields(Fields(block.value, _WHAT).get(_SCORE_OR_ERROR) or b"", _WHAT).integer(0x80)
        if score is not None and 0 <= score <= _MAX_QUALITY:
            return score
    return None
