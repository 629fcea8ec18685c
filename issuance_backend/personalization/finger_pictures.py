"""Captured fingerprints as they go on a chip: WSQ, compressed once (BSI TR-03121-3-2: at most 18 kB each)."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from verification.errors import FingerImageUndecodable, LimitExceeded
from verification.face.picture import GreyPicture
from verification.fingerprint.print_picture import WSQ, open_print

PPI = 500
"""The only resolution the codec writes."""

MAX_BYTES = 18_000

# Pillow knows forty more, and starts another program for one of them (EPS).
_CAPTURED_FORMATS = (WSQ, "PNG", "BMP", "JPEG", "TIFF")
# The codec splits both sides in half five times.
_SHORTEST_SIDE = 64
# Brighter than this is the scanner's bare glass.
_GLASS = 200
_BORDER = 8
_MAX_PIXELS = 4_000_000


def encode_wsq(picture: GreyPicture, ppi: int = PPI) -> bytes:
    """WSQ at 0.75 bits a pixel of an uncompressed print, dark ridges on white.

    A print that does not fit 18 kB is cut to where there are ridges; pixels are never scaled.
    Raises FingerImageUndecodable for what is no print at 500 ppi and LimitExceeded if it still does not fit.
    """
    _require_print(picture, ppi)
    encoded = _encode(picture)
    if len(encoded) > MAX_BYTES:
        encoded = _encode(_cut_to_ridges(picture))
    if len(encoded) > MAX_BYTES:
        raise LimitExceeded(f"fingerprint of {len(encoded)} bytes")
    return encoded


def read_finger(content: bytes) -> GreyPicture:
    """A captured print as scanners write it, WSQ or a plain picture; raises FingerImageUndecodable."""
    with open_print(content, _CAPTURED_FORMATS) as picture:
        if picture.width * picture.height > _MAX_PIXELS:
            raise FingerImageUndecodable("more pixels than one finger has")
        return np.asarray(picture.convert("L"), np.uint8)


def _require_print(picture: GreyPicture, ppi: int) -> None:
    if ppi != PPI:
        raise FingerImageUndecodable(f"a print at {ppi} ppi is not written as WSQ")
    if picture.ndim != 2 or picture.dtype != np.uint8 or min(picture.shape) < _SHORTEST_SIDE:
        raise FingerImageUndecodable("a print is a grey picture of at least 64 pixels a side")


def _encode(picture: GreyPicture) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, WSQ)
    return out.getvalue()


def _cut_to_ridges(picture: GreyPicture) -> GreyPicture:
    rows, columns = np.nonzero(picture < _GLASS)
    if not rows.size:
        return picture
    top, left = max(int(rows.min()) - _BORDER, 0), max(int(columns.min()) - _BORDER, 0)
    bottom, right = int(rows.max()) + _BORDER, int(columns.max()) + _BORDER
    cut = picture[top:bottom, left:right]
    return cut if min(cut.shape) >= _SHORTEST_SIDE else picture
