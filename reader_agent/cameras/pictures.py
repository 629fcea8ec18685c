"""Pixels from encoded pictures and back. Importing this module loads OpenCV: only at the first picture."""

from __future__ import annotations

import cv2
import numpy as np

from reader_agent.ports import Frame, Pixels
from reader_agent.refusals import CameraUnavailable
from verification.errors import MalformedDocument
from verification.lds.dg2 import image_dimensions

MAX_ENCODED_BYTES = 8_388_608
MAX_PIXELS = 12_000_000
"""More than any counter camera delivers; what claims more is not decoded."""

_JPEG_QUALITY = 85
_MAX_SIDE = 1280
"""Larger frames only cost time: a face fills a third of the picture at a counter."""


def frame_from_jpeg(encoded: bytes) -> Frame:
    """Decode one picture; raises CameraUnavailable when it is none, or too large."""
    try:
        width, height = image_dimensions(encoded)
    except MalformedDocument:
        raise CameraUnavailable("the camera's picture cannot be read") from None
    if len(encoded) > MAX_ENCODED_BYTES or width * height > MAX_PIXELS:
        raise CameraUnavailable("the camera's picture is too large")
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise CameraUnavailable("the camera's picture cannot be decoded")
    return Frame(_small_enough(np.asarray(pixels, np.uint8)), encoded)


def frame_from_pixels(pixels: Pixels) -> Frame:
    """Encode one picture for the page."""
    small = _small_enough(pixels)
    return Frame(small, jpeg_of(small))


def jpeg_of(pixels: Pixels) -> bytes:
    """BGR pixels as JPEG; raises CameraUnavailable when the codec refuses them."""
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise CameraUnavailable("the picture cannot be encoded")
    return encoded.tobytes()


def _small_enough(pixels: Pixels) -> Pixels:
    longest = max(pixels.shape[:2])
    if longest <= _MAX_SIDE:
        return pixels
    scale = _MAX_SIDE / longest
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
