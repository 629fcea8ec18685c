"""The similarity transform that lays one set of points on another (Umeyama, 1991)."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from verification.face.picture import Picture

Doubles = npt.NDArray[np.float64]


def similarity(source: Doubles, target: Doubles) -> tuple[Doubles, Doubles]:
    """Scaled rotation and shift with the least squared error: ``target = source @ turn.T + shift``."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred, wanted = source - source_mean, target - target_mean
    left, stretch, right = np.linalg.svd(wanted.T @ centred / len(source))
    # A reflection would fit a mirrored face: it is not a similarity of real faces.
    sign = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    scale = float((stretch * sign).sum() / max(centred.var(0).sum(), 1e-12))
    turn: Doubles = scale * (left @ np.diag(sign) @ right)
    return turn, target_mean - turn @ source_mean


def crop_to(picture: Picture, landmarks: Doubles, template: Doubles, size: int) -> Picture:
    """A square crop of ``size`` pixels with the landmarks where the template has them.

    A face larger than the crop is shrunk by area first: sampling it directly would skip pixels.
    """
    turn, _ = similarity(landmarks, template)
    scale = float(np.sqrt(abs(np.linalg.det(turn))))
    if scale < 0.5:  # from here on bilinear sampling skips pixels
        shrink = max(2 * scale, 1e-3)
        picture = np.asarray(
            cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        landmarks = landmarks * shrink
    turn, shift = similarity(landmarks, template)
    matrix = np.hstack([turn, shift[:, None]])
    return np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)
