"""A finger image as a chip holds it, whichever record it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from verification.errors import FingerImageUndecodable, ImageUndecodable, LimitExceeded
from verification.lds.image_header import ImageHeader, read_image_header

RAW = "image/x-raw"
"""Eight-bit grey samples, row by row from the top, and nothing else."""

MAX_BYTES = 65_535


class FingerPosition(IntEnum):
    """Which finger (ISO/IEC 19794-4, table 5; ISO/IEC 39794-4 and ANSI/NIST use the same codes)."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10
    RIGHT_FOUR = 13
    LEFT_FOUR = 14
    BOTH_THUMBS = 15


SLAPS = {
    FingerPosition.RIGHT_FOUR: (2, 3, 4, 5),
    FingerPosition.LEFT_FOUR: (10, 9, 8, 7),
    FingerPosition.BOTH_THUMBS: (6, 1),
}
"""The fingers of each slap from left to right."""


class Impression(IntEnum):
    """How the print was taken (ISO/IEC 19794-4, table 7); other codes read as unknown."""

    PLAIN = 0
    ROLLED = 1
    NONLIVE_PLAIN = 2
    NONLIVE_ROLLED = 3
    LATENT = 7
    SWIPE = 8
    CONTACTLESS = 9
    UNKNOWN = 29

    @classmethod
    def _missing_(cls, _value: object) -> Impression:
        # Editions after 2005 added more codes than are told apart here.
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True, repr=False)
class FingerImage:
    """One image as stored; kind and size (pixels) are read from the image, not from the record.

    ``ppi`` and ``quality`` (0 to 100, higher is better) are None where the record does not tell.
    """

    position: FingerPosition
    image: bytes
    media_type: str
    width: int
    height: int
    ppi: int | None = 500
    quality: int | None = None
    impression: Impression = Impression.PLAIN

    def __repr__(self) -> str:
        return f"FingerImage({self.media_type}, {self.width} x {self.height}, {len(self.image)} bytes)"

    @classmethod
    def of(
        cls,
        position: FingerPosition,
        image: bytes,
        *,
        ppi: int | None = 500,
        quality: int | None = None,
        impression: Impression = Impression.PLAIN,
    ) -> FingerImage:
        """Describe a WSQ, JPEG 2000, PNG or JPEG image; raises as ``finger_header`` does."""
        return cls(position, image, *finger_header(image), ppi, quality, impression)


def finger_header(image: bytes) -> ImageHeader:
    """Kind and size of an encoded finger image; raises FingerImageUndecodable or LimitExceeded."""
    _require_room(image)
    try:
        return read_image_header(image)
    except ImageUndecodable as fault:
        raise FingerImageUndecodable(str(fault)) from None


def sample_header(samples: bytes, width: int, height: int) -> ImageHeader:
    """Kind and size of samples that a record says to be so wide and high; raises as above."""
    _require_room(samples)
    if not samples or width * height != len(samples):
        raise FingerImageUndecodable("samples do not fill the image that the record states")
    return ImageHeader(RAW, width, height)


def _require_room(image: bytes) -> None:
    if len(image) > MAX_BYTES:
        raise LimitExceeded(f"finger image of {len(image)} bytes")
