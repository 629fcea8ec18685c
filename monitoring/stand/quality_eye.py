"""What an officer of a demonstration sees on the picture of a printed card."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

_SMALLER = 8
_BRIGHT, _YELLOW, _STAIN_DOTS = 210, 60, 40
"""Paper is brighter than this, and stained where it has so much less blue, on so many dots of the picture."""


def is_stained(png: bytes) -> bool:
    """Whether a patch of a card's white paper is yellow."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as face:
        seen = np.asarray(face.convert("RGB").reduce(_SMALLER), np.int16)
    paper = np.minimum(seen[..., 0], seen[..., 1])
    stain = (paper > _BRIGHT) & (paper - seen[..., 2] > _YELLOW)
    return int(np.count_nonzero(stain)) >= _STAIN_DOTS
