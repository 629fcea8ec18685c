"""Which images a portrait on a chip may be: JPEG or JPEG 2000, of a size that a chip holds."""

from __future__ import annotations

from verification.errors import ImageUndecodable, LimitExceeded
from verification.lds.image_header import JPEG, JPEG_2000, image_kind, read_image_header

__all__ = ["JPEG", "JPEG_2000", "image_dimensions", "media_type"]

MAX_BYTES = 200_000


def media_type(image: bytes) -> str:
    """Tell JPEG from JPEG 2000 by the first bytes; raises ImageUndecodable for anything else."""
    kind = image_kind(image)
    if kind not in {JPEG, JPEG_2000}:
        raise ImageUndecodable("neither JPEG nor JPEG 2000")
    return kind


def image_dimensions(image: bytes) -> tuple[int, int]:
    """Return width and height in pixels without decoding.

    Raises LimitExceeded above 200 KB, 4 megapixels, 4 components or 256 tiles, and
    ImageUndecodable when the headers are not there or contradict each other.
    """
    if len(image) > MAX_BYTES:
        raise LimitExceeded(f"image of {len(image)} bytes")
    media_type(image)
    header = read_image_header(image)
    return header.width, header.height
