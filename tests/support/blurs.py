"""Pictures out of focus, or moved while they were taken or printed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from PIL import Image, ImageFilter

Blur = Callable[[Image.Image], Image.Image]

MOTION_DOTS = 5
_FINE = 16


def out_of_focus(sigma: float) -> Blur:
    """A Gaussian blur of so many dots."""
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(sigma))


def moved(degrees: float) -> Blur:
    """A line of five dots at this angle."""
    return partial(_filtered, kernel=_line(degrees))


def _line(degrees: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Drawn sixteen times as fine, then reduced: at any angle it has the same length and weight."""
    side = (MOTION_DOTS + 2) * _FINE
    upright = np.zeros((side, side), np.float32)
    middle, half, thick = side // 2, MOTION_DOTS * _FINE // 2, _FINE // 2
    upright[middle - thick : middle + thick, middle - half : middle + half] = 1
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1)
    line = cv2.resize(
        cv2.warpAffine(upright, turn, (side, side)),
        None,
        fx=1 / _FINE,
        fy=1 / _FINE,
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(line / line.sum(), np.float32)


def _filtered(picture: Image.Image, kernel: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Image.Image:
    return Image.fromarray(cv2.filter2D(np.asarray(picture), -1, kernel, borderType=cv2.BORDER_REPLICATE))
