"""What the officer captured, beside what a chip or a print shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from issuance_backend.personalization.card_faces.edge_spread import edge_spread
from issuance_backend.personalization.portrait_pictures import PortraitProfile, card_picture

_CARDS_IN_WORK = 4
_THUMBNAIL = (48, 64)
_SAME_PICTURE = 0.98
"""Correlation of brightness: JPEG 2000 at this size keeps above 0.998, drawn lookalikes reach 0.93."""

_MOST_SPREAD = 0.6
"""Dots squared by which edges may spread: 15 kB of JPEG 2000 reach 0.27, a blur of one dot begins at 0.96."""


@dataclass(frozen=True, slots=True)
class CapturedPicture:
    """The captured picture, cut as the chip's.

    Compares the pictures, not the faces: it holds without a face engine, and of twins too.
    """

    _picture: Image.Image

    def is_shown_by(self, picture: Image.Image) -> bool:
        """Whether it is the same picture, as decoded or as scanned from a print."""
        one, other = _thumbnail(self._picture), _thumbnail(picture)
        energy = float(np.linalg.norm(one) * np.linalg.norm(other))
        return bool(energy) and float(one @ other) / energy >= _SAME_PICTURE

    def is_as_sharp_in(self, picture: Image.Image) -> bool:
        """Whether the chip's picture has edges as narrow, in all directions."""
        return bool(edge_spread(picture, self._picture).max() <= _MOST_SPREAD)


@lru_cache(_CARDS_IN_WORK)
def captured_picture(captured: bytes, size: tuple[int, int]) -> CapturedPicture:
    """Cut to a size in dots and decoded once for all comparisons; raises ImageUndecodable."""
    width, height = size
    return CapturedPicture(card_picture(captured, PortraitProfile(width, height, max_bytes=0)))


def _thumbnail(picture: Image.Image) -> npt.NDArray[np.float32]:
    values = np.asarray(picture.convert("L").resize(_THUMBNAIL, Image.Resampling.BOX), np.float32).ravel()
    return np.asarray(values - values.mean(), np.float32)
