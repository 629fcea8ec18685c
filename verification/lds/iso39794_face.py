"""The face image record of ISO/IEC 39794-5, in the profile of ICAO.

This software makes use of the Schema from ISO/IEC 39794-5 within modifications permitted in the
relevant ISO/IEC standard.
"""

from __future__ import annotations

from verification.encoding.tlv import build
from verification.errors import MalformedDocument
from verification.lds.iso39794_record import Fields, build_code, build_number, build_record, parse_record
from verification.lds.portrait import Portrait
from verification.lds.portrait_image import JPEG

_FACE_IMAGE_DATA_BLOCK = 0x65  # [APPLICATION 5]

# RepresentationBlock
_REPRESENTATION_ID = 0x80
_IMAGE_REPRESENTATION = 0xA1
# ImageRepresentation, ImageRepresentationBase: each a CHOICE whose first alternative is the picture
_BASE = 0xA0
_TWO_DIMENSIONAL = 0xA0
# ImageRepresentation2DBlock
_DATA = 0x80
_INFORMATION = 0xA1
# ImageInformation2DBlock
_FORMAT = 0xA0
_SIZE = 0xA7
_JPEG_CODE = 2
_JPEG_2000_LOSSY_CODE = 3

_WHAT = "face image record"


def parse_face_image_record(record: bytes) -> list[Portrait]:
    """Read the images; raises MalformedDocument, ImageUndecodable or LimitExceeded.

    As in the older record, the image itself tells its kind and size.
    """
    return [Portrait.of(_image(block)) for block in parse_record(record, _FACE_IMAGE_DATA_BLOCK, _WHAT)]


def build_face_image_record(portrait: Portrait) -> bytes:
    """Write a record of one image: the mandatory fields, and the image's size."""
    code = _JPEG_CODE if portrait.media_type == JPEG else _JPEG_2000_LOSSY_CODE
    size = build_number(0x80, portrait.width) + build_number(0x81, portrait.height)
    information = build_code(_FORMAT, code) + build(_SIZE, size)
    picture = build(_DATA, portrait.image) + build(_INFORMATION, information)
    representation = build(_IMAGE_REPRESENTATION, build(_BASE, build(_TWO_DIMENSIONAL, picture)))
    return build_record(_FACE_IMAGE_DATA_BLOCK, [build_number(_REPRESENTATION_ID, 0) + representation])


def _image(block: Fields) -> bytes:
    representation = Fields(block.require(_IMAGE_REPRESENTATION), _WHAT)
    base = Fields(representation.require(_BASE), _WHAT)
    picture = Fields(base.require(_TWO_DIMENSIONAL), _WHAT)
    Fields(picture.require(_INFORMATION), _WHAT).require(_FORMAT)
    image = picture.require(_DATA)
    if not image:
        raise MalformedDocument("face image record without an image")
    return image
