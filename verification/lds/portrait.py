"""A portrait as a chip holds it, whichever record it was written in."""

from __future__ import annotations

from dataclasses import dataclass

from verification.lds.portrait_image import image_dimensions, media_type


@dataclass(frozen=True, slots=True)
class Portrait:
    """One image as stored; type and size (pixels) are read from the image, not from the record."""

    image: bytes
    media_type: str
    width: int
    height: int

    def __repr__(self) -> str:
        return f"Portrait({self.media_type}, {self.width} x {self.height}, {len(self.image)} bytes)"

    @classmethod
    def of(cls, image: bytes) -> Portrait:
        """Describe an encoded image; raises ImageUndecodable or LimitExceeded."""
        width, height = image_dimensions(image)
        return cls(image, media_type(image), width, height)
