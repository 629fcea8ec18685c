"""A captured print as scanners write it, read to its pixels: WSQ or a plain picture at 500 ppi."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import wsq  # type: ignore[import-untyped]
from PIL import Image

from verification.errors import FingerImageUndecodable, ImageUndecodable, LimitExceeded
from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import PPI
from verification.lds.image_header import read_image_header

WSQ = wsq.WsqImagePlugin.WsqImageFile.format
"""What Pillow calls the format, once its codec is loaded."""

_FORMATS = (WSQ, "PNG", "JPEG", "JPEG2000")
_SCAN_FORMATS = ("PNG", "JPEG", "TIFF")
_MAX_SCAN = 40_000_000
_LONGEST_SHOWN = 1_000
_ROUNDED = 1.5
"""PNG counts pixels to the metre: 500 to the inch come back as 499.99."""


def read_scan(content: bytes) -> tuple[Print, float]:
    """The pixels of a scanned page and its resolution; raises ImageUndecodable, also where it says none."""
    try:
        with Image.open(io.BytesIO(content), formats=_SCAN_FORMATS) as picture:
            across, down = (float(each) for each in picture.info.get("dpi", (0, 0)))
            if picture.width * picture.height > _MAX_SCAN or not 0 < across == down:
                raise ImageUndecodable("no scan of a page")
            return np.asarray(picture.convert("L"), np.uint8), across
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        raise ImageUndecodable(type(fault).__name__) from None


def read_print(content: bytes) -> Print:
    """The pixels of a capture; raises FingerImageUndecodable, also for what says another resolution."""
    try:
        read_image_header(content)
    except (ImageUndecodable, LimitExceeded) as fault:
        raise FingerImageUndecodable(fault.code) from None
    with open_print(content, _FORMATS) as picture:
        said = picture.info.get("dpi", (PPI, PPI))
        if any(abs(float(each) - PPI) > _ROUNDED for each in said):
            raise FingerImageUndecodable("a print at another resolution")
        return np.asarray(picture.convert("L"), np.uint8)


def shown_print(content: bytes) -> bytes:
    """A capture as PNG for a browser, at most 1,000 pixels a side; raises as ``read_print`` does."""
    picture, shown = Image.fromarray(read_print(content)), io.BytesIO()
    picture.thumbnail((_LONGEST_SHOWN, _LONGEST_SHOWN))
    picture.save(shown, "PNG")
    return shown.getvalue()


@contextmanager
def open_print(content: bytes, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """A print to be read in the block; raises FingerImageUndecodable for whatever is wrong with it there."""
    try:
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            yield picture
    except FingerImageUndecodable:
        raise
    except Exception as fault:  # noqa: BLE001 - the codec raises nothing narrower for a WSQ that is cut off
        raise FingerImageUndecodable(type(fault).__name__) from None
