"""Captured fingerprints as scanners write them: WSQ, or a plain picture."""

from __future__ import annotations

import io

import numpy as np
import wsq  # type: ignore[import-untyped]
from PIL import Image

from verification.errors import FingerImageUndecodable
from verification.face.picture import GreyPicture

_FORMAT = wsq.WsqImagePlugin.WsqImageFile.format
# Pillow knows forty more, and starts another program for one of them (EPS).
_CAPTURED_FORMATS = (_FORMAT, "PNG", "BMP", "JPEG", "TIFF")
_MAX_PIXELS = 4_000_000


def read_finger(content: bytes) -> GreyPicture:
    """A captured print as scanners write it, WSQ or a plain picture; raises FingerImageUndecodable."""
    try:
        with Image.open(io.BytesIO(content), formats=_CAPTURED_FORMATS) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise FingerImageUndecodable("more pixels than one finger has")
            return np.asarray(picture.convert("L"), np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        raise FingerImageUndecodable(type(fault).__name__) from None
