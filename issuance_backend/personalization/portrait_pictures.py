"""The captured picture, the picture on the chip, and whether the one shows the other."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from verification.errors import ImageUndecodable
from verification.face.image import decode_portrait, encode_jp2
from verification.face.picture import Picture

CHIP_PORTRAIT_SIZE = (480, 640)
"""Width and height in pixels, 3:4 as on the card."""

CHIP_PORTRAIT_BYTES = 15_000

MAX_PIXELS = 24_000_000
"""What a good camera takes; a few kilobytes of JPEG may claim a hundred times as much."""

_THUMBNAIL = (48, 64)
_SAME_PICTURE = 0.98
"""Correlation of brightness: JPEG 2000 at this size keeps above 0.998, drawn lookalikes reach 0.93."""


def card_picture(jpeg: bytes) -> Image.Image:
    """The captured picture upright, cut to 3:4 about its middle; raises ImageUndecodable."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageUndecodable("the captured picture is too large to decode")
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ImageUndecodable("the captured picture does not decode") from None
    return ImageOps.fit(upright, CHIP_PORTRAIT_SIZE, Image.Resampling.LANCZOS)


def chip_portrait(jpeg: bytes) -> bytes:
    """JPEG 2000 for DG2 out of a captured picture; raises ImageUndecodable."""
    return encode_jp2(bgr(card_picture(jpeg)), CHIP_PORTRAIT_BYTES)


def bgr(picture: Image.Image) -> Picture:
    """The picture as the face package wants it."""
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def shows_same_picture(jpeg: bytes, chip_image: bytes) -> bool:
    """Whether the chip's picture is the captured one; a swapped portrait is not.

    Compares the pictures, not the faces: it holds without a face engine, and of twins too.
    """
    written = Image.fromarray(np.ascontiguousarray(decode_portrait(chip_image)[:, :, ::-1]))
    return _correlation(_thumbnail(card_picture(jpeg)), _thumbnail(written)) >= _SAME_PICTURE


def _thumbnail(picture: Image.Image) -> list[int]:
    return list(picture.convert("L").resize(_THUMBNAIL, Image.Resampling.BOX).tobytes())


def _correlation(one: list[int], other: list[int]) -> float:
    mean_one, mean_other = sum(one) / len(one), sum(other) / len(other)
    a = [value - mean_one for value in one]
    b = [value - mean_other for value in other]
    energy = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
    return sum(x * y for x, y in zip(a, b, strict=True)) / energy if energy else 0.0
