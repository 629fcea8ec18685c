"""The portrait that goes on a card, cut from an officer's picture."""

from __future__ import annotations

import cv2
import numpy as np

from verification.face.engine import DetectedFace
from verification.face.picture import Picture

CARD_WIDTH, CARD_HEIGHT = 240, 320
"""Pixels of the chip portrait; larger brings nothing for comparison (FACE, 4.2)."""

# ISO/IEC 19794-5, 8.3: the head fills half to three quarters of the width, the eyes lie above the middle.
_WIDTH_IN_FACES = 1.9
_EYE_LINE = 0.42


def card_portrait(picture: Picture, face: DetectedFace) -> Picture:
    """Cut out and scale to 240x320; where the picture ends its edge goes on."""
    width = face.width * _WIDTH_IN_FACES
    height = width * CARD_HEIGHT / CARD_WIDTH
    middle_x = (face.eyes[0][0] + face.eyes[1][0]) / 2
    middle_y = (face.eyes[0][1] + face.eyes[1][1]) / 2
    left, top = middle_x - width / 2, middle_y - height * _EYE_LINE
    scale = CARD_WIDTH / width
    if scale < 1:
        # Shrinking by area first: sampling the warp directly would skip pixels.
        picture = np.asarray(
            cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        left, top, scale = left * scale, top * scale, 1.0
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    warped = cv2.warpAffine(
        picture, matrix, (CARD_WIDTH, CARD_HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)
