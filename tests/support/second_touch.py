"""Drawn fingers as they are captured: touched once more, and with skin that is cracked."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

_PAPER = 238.0
_MOST_TURNED = 9.0
_MOST_SHIFTED = 26.0
_MOST_STRETCHED = 3.0
_MOST_LOST = 0.18
"""Of the finger's width or height that does not touch this time."""

_NOISE = 9.0


def second_touch(picture: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """The same finger once more; the same for the same seed."""
    chance = np.random.default_rng(seed)
    height, width = picture.shape
    turn = np.deg2rad(chance.uniform(-_MOST_TURNED, _MOST_TURNED))
    right, down = chance.uniform(-_MOST_SHIFTED, _MOST_SHIFTED, 2)
    phase = chance.uniform(0, 2 * np.pi, 2)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x - width / 2 - right, y - height / 2 - down
    stretch = chance.uniform(0.4, 1.0) * _MOST_STRETCHED
    from_x = x * np.cos(turn) - y * np.sin(turn) + stretch * np.sin(y / 60 + phase[0]) + width / 2
    from_y = x * np.sin(turn) + y * np.cos(turn) + stretch * np.sin(x / 60 + phase[1]) + height / 2
    moved = cv2.remap(
        picture.astype(np.float32),
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_PAPER,
    )
    ink = chance.uniform(0.75, 1.1)
    inked = _PAPER - (_PAPER - moved) * ink + chance.normal(0, _NOISE, moved.shape)
    return np.clip(_cut(inked, chance), 0, 255).astype(np.uint8)


def cracked(picture: npt.NDArray[np.uint8], period: int = 24, width: int = 10) -> npt.NDArray[np.uint8]:
    """A print whose ridges dry skin breaks: far below any limit, though full of minutiae."""
    made = picture.copy()
    for start in range(0, max(picture.shape), period):
        made[start : start + width] = _PAPER
        made[:, start : start + width] = _PAPER
    return made


def encoded(picture: npt.NDArray[np.uint8]) -> bytes:
    """As a scanner's file."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", dpi=(500, 500))
    return out.getvalue()


def _cut(picture: npt.NDArray[np.floating], chance: np.random.Generator) -> npt.NDArray[np.floating]:
    """One side of the finger did not touch."""
    height, width = picture.shape
    lost = chance.uniform(0, _MOST_LOST)
    side = chance.integers(0, 3)
    if side == 0:
        picture[:, : int(lost * width)] = _PAPER
    elif side == 1:
        picture[:, width - int(lost * width) :] = _PAPER
    else:
        picture[: int(lost * height)] = _PAPER
    return picture
