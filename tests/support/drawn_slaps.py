"""Slaps of drawn fingers: four of a hand or both thumbs, touched once more, each with its next joint."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from tests.support.second_touch import second_touch
from verification.lds.finger_image import SLAPS, FingerPosition

Picture = npt.NDArray[np.uint8]

_WIDTH, _HEIGHT = 1600, 1000
_TALL = 1500
_PAPER = 250
_LOWER = {1: 0.0, 2: 0.2, 3: 0.0, 4: 0.1, 5: 0.45, 6: 0.0, 7: 0.2, 8: 0.0, 9: 0.1, 10: 0.45}
"""By how much of a finger's length a tip lies below the middle finger's."""

_CREASE = 6
_CLOSE = 240
"""Pixels from the middle of one finger to that of the next where they touch."""


def drawn_slap(
    fingers: Mapping[int, Picture],
    slap: int,
    seed: int = 0,
    turn: float = 0,
    absent: Collection[int] = (),
    touching: Collection[int] = (),
) -> Picture:
    """The slap of these fingers, turned by so many degrees; the ``touching`` against their left one."""
    glass = np.full((_HEIGHT, _WIDTH), _PAPER, np.uint8)
    positions = SLAPS[FingerPosition(slap)]
    step = _WIDTH // (len(positions) + 1) + 20
    for place, position in enumerate(positions):
        if position in absent:
            continue
        tip = second_touch(fingers[position], 100 * seed + position)
        height, width = tip.shape
        left = _WIDTH // 2 + round((place - (len(positions) - 1) / 2) * step) - width // 2
        left -= (step - _CLOSE) if position in touching else 0
        top = 60 + round(_LOWER[position] * height)
        _press(glass, tip, left, top)
        joint = cv2.resize(fingers[position][::-1], (round(width * 0.8), round(height * 0.9)))
        _press(glass, np.asarray(joint, np.uint8), left + width // 10, top + height + _CREASE)
    matrix = cv2.getRotationMatrix2D((_WIDTH / 2, _HEIGHT / 2), turn, 1.0)
    turned = cv2.warpAffine(glass, matrix, (_WIDTH, _HEIGHT), borderValue=_PAPER)
    return np.asarray(turned, np.uint8)


def turned(slap: Picture, degrees: float) -> Picture:
    """A slap on a glass of 3.2 by 3 inches, the whole hand turned by so many degrees."""
    glass = np.full((_TALL, _WIDTH), _PAPER, np.uint8)
    top = (_TALL - slap.shape[0]) // 2
    glass[top : top + slap.shape[0]] = slap[:, :_WIDTH]
    matrix = cv2.getRotationMatrix2D((_WIDTH / 2, _TALL / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(glass, matrix, (_WIDTH, _TALL), borderValue=_PAPER), np.uint8)


def _press(glass: Picture, finger: Picture, left: int, top: int) -> None:
    """The darker of what is there and what touches; what lies beyond the glass is not seen."""
    inside = finger[: max(0, _HEIGHT - top), : max(0, _WIDTH - left)]
    place = glass[top : top + inside.shape[0], left : left + inside.shape[1]]
    np.minimum(place, inside, out=place)
