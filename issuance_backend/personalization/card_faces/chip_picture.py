"""The picture of DG2, decoded once for everything that draws it or looks at it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from verification.face.image import decode_portrait

_CARDS_IN_WORK = 4


@lru_cache(_CARDS_IN_WORK)
def chip_picture(image: bytes) -> Image.Image:
    """The decoded image, in colours; raises ImageUndecodable or LimitExceeded."""
    return Image.fromarray(np.ascontiguousarray(decode_portrait(image)[:, :, ::-1]))
