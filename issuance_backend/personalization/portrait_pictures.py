"""The captured picture, and the picture on the chip that is made of it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from verification.errors import ImageUndecodable
from verification.face.image import decode_portrait, encode_jp2
from verification.face.picture import Picture
from verification.lds.image_header import JPEG_2000, image_kind
from verification.lds.portrait_image import image_dimensions


@dataclass(frozen=True, slots=True)
class PortraitProfile:
    """Size in pixels and bytes of the portrait on a chip."""

    width: int
    height: int
    max_bytes: int


CHIP_PORTRAIT = PortraitProfile(480, 640, 15_000)
"""3:4 as on the card."""

MAX_PIXELS = 24_000_000
"""What a good camera takes; a few kilobytes of JPEG may claim a hundred times as much."""


def card_picture(captured: bytes, profile: PortraitProfile = CHIP_PORTRAIT) -> Image.Image:
    """The captured picture upright, cut to the chip's shape about its middle; raises ImageUndecodable."""
    return _fitted(captured, (profile.width, profile.height))


def chip_portrait(captured: bytes, profile: PortraitProfile = CHIP_PORTRAIT) -> bytes:
    """JPEG 2000 for DG2 out of a captured picture; raises ImageUndecodable or LimitExceeded.

    A capture that is already what the chip holds goes there byte for byte: every lossy step costs detail.
    """
    if _is_chip_portrait(captured, profile):
        return captured
    return encode_jp2(bgr(card_picture(captured, profile)), profile.max_bytes)


def bgr(picture: Image.Image) -> Picture:
    """The picture as the face package wants it."""
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


def _is_chip_portrait(captured: bytes, profile: PortraitProfile) -> bool:
    return (
        image_kind(captured) == JPEG_2000
        and len(captured) <= profile.max_bytes
        and image_dimensions(captured) == (profile.width, profile.height)
    )


def _fitted(captured: bytes, size: tuple[int, int]) -> Image.Image:
    is_chip_like = image_kind(captured) == JPEG_2000
    upright = _rgb(decode_portrait(captured)) if is_chip_like else _opened_jpeg(captured)
    return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)


def _rgb(picture: Picture) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))


def _opened_jpeg(captured: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(captured), formats=("JPEG",)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageUndecodable("the captured picture is too large to decode")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ImageUndecodable("the captured picture does not decode") from None
