"""Is a picture good enough to be compared, or to be printed on a card?

Measures bear the names of ISO/IEC 29794-5:2025 where they follow it; they are approximations from five
points and pixel statistics, not conformant values. A gate that does not hold has a code with a
sentence for the person at the counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from verification.errors import FaceMultiple, FaceNotFound
from verification.face.engine import DetectedFace
from verification.face.picture import Picture

# A second face counts when its box is at least this much of the largest one's width.
_STANDS_OUT = 0.6
_CROP = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """Limits of one use; pixels, grey levels (0..255), eye distances or degrees."""

    face_width: float
    nose_offset: float = 0.12
    roll_degrees: float = 20.0
    darkest: float = 45.0
    brightest: float = 215.0
    contrast: float = 12.0
    sharpness: float = 12.0
    side_difference: float = 0.45
    clipped: float = 0.25
    off_centre: float = 1.0
    background: float = 255.0
    largest: float = 1.0


LIVE = Gates(face_width=80)
"""At the counter; a face 56 pixels wide costs 1.4 % false non-matches (FACE, 4.2)."""

PORTRAIT = Gates(
    face_width=110,
    nose_offset=0.10,
    roll_degrees=8.0,
    darkest=60.0,
    contrast=15.0,
    sharpness=20.0,
    side_difference=0.30,
    clipped=0.10,
    off_centre=0.16,
    background=32.0,
    largest=0.75,
)
"""For a card that lives for decades."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The measures by name and the codes of the gates that do not hold, most telling first."""

    measures: dict[str, float]
    faults: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every gate holds."""
        return not self.faults


def only_face(faces: Iterable[DetectedFace]) -> DetectedFace:
    """The one face that stands out; raises FaceNotFound or FaceMultiple.

    A smaller face behind the customer is no reason to refuse; one of nearly the same size is.
    """
    by_width = sorted(faces, key=lambda face: face.width, reverse=True)
    if not by_width:
        raise FaceNotFound("no face in the picture")
    if len(by_width) > 1 and by_width[1].width >= _STANDS_OUT * by_width[0].width:
        raise FaceMultiple(f"{len(by_width)} faces in the picture")
    return by_width[0]


def assess_live(picture: Picture, face: DetectedFace) -> QualityReport:
    """Judge a camera frame for comparison."""
    measures = _measures(picture, face)
    return QualityReport(measures, _faults(measures, LIVE))


def assess_portrait(picture: Picture, face: DetectedFace) -> QualityReport:
    """Judge a captured portrait for a card: place in the picture and background count as well."""
    measures = _measures(picture, face) | _composition(picture, face)
    return QualityReport(measures, _faults(measures, PORTRAIT))


def _measures(picture: Picture, face: DetectedFace) -> dict[str, float]:
    crop = _crop(picture, face)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
    levels = grey.astype(np.float64)
    left, right = levels[:, : _CROP // 2].mean(), levels[:, _CROP // 2 :].mean()
    return {
        "face_width": face.width,
        "nose_offset": abs(face.nose_offset),
        "roll": abs(face.roll_degrees),
        "luminance_mean": float(levels.mean()),
        "luminance_deviation": float(levels.std()),
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        "illumination_difference": float(abs(left - right) / max(levels.mean(), 1.0)),
        "over_exposed": float((grey >= 250).mean()),
        "under_exposed": float((grey <= 8).mean()),
        "cut_off": _cut_off(picture, face),
    }


def _crop(picture: Picture, face: DetectedFace) -> Picture:
    """The inner face at a fixed size, so that sharpness does not depend on the distance."""
    inset_x, inset_y = face.width * 0.12, face.height * 0.12
    top, bottom = int(max(face.top + inset_y, 0)), int(face.bottom - inset_y)
    left, right = int(max(face.left + inset_x, 0)), int(face.right - inset_x)
    part = picture[top : max(bottom, top + 2), left : max(right, left + 2)]
    if part.size == 0:
        return np.zeros((_CROP, _CROP, 3), np.uint8)
    return np.asarray(cv2.resize(part, (_CROP, _CROP), interpolation=cv2.INTER_AREA), np.uint8)


def _cut_off(picture: Picture, face: DetectedFace) -> float:
    """How much of the box lies outside the picture, as a part of its width."""
    height, width = picture.shape[:2]
    outside: float = max(-face.left, -face.top, face.right - width, face.bottom - height, 0.0)
    return outside / max(face.width, 1.0)


def _composition(picture: Picture, face: DetectedFace) -> dict[str, float]:
    height, width = picture.shape[:2]
    middle = (face.eyes[0][0] + face.eyes[1][0]) / 2
    return {
        "off_centre": abs(middle / width - 0.5),
        "head_size": face.width / width,
        "background_deviation": _background(picture[: max(height // 2, 1)], face),
    }


def _background(upper: npt.NDArray[np.uint8], face: DetectedFace) -> float:
    """Deviation of the grey levels in the upper outer strips, where no shoulder or hair is."""
    strip = max(upper.shape[1] // 12, 1)
    edges = np.hstack([upper[:, :strip], upper[:, -strip:]])
    above = edges[: max(int(face.top), 1)]
    return float(np.asarray(cv2.cvtColor(above, cv2.COLOR_BGR2GRAY), np.float64).std())


def _faults(measures: dict[str, float], gates: Gates) -> tuple[str, ...]:
    exposure = measures["luminance_mean"]
    broken = (
        ("FACE_TOO_SMALL", measures["face_width"] < gates.face_width),
        ("FACE_CUT_OFF", measures["cut_off"] > 0.12),
        ("FACE_TOO_DARK", exposure < gates.darkest or measures["under_exposed"] > gates.clipped),
        ("FACE_TOO_BRIGHT", exposure > gates.brightest or measures["over_exposed"] > gates.clipped),
        ("FACE_UNEVENLY_LIT", measures["illumination_difference"] > gates.side_difference),
        ("FACE_NOT_FRONTAL", measures["nose_offset"] > gates.nose_offset),
        ("FACE_TILTED", measures["roll"] > gates.roll_degrees),
        ("FACE_LOW_CONTRAST", measures["luminance_deviation"] < gates.contrast),
        ("FACE_BLURRED", measures["sharpness"] < gates.sharpness),
        ("FACE_OFF_CENTRE", measures.get("off_centre", 0.0) > gates.off_centre),
        ("FACE_TOO_CLOSE", measures.get("head_size", 0.0) > gates.largest),
        ("PORTRAIT_BACKGROUND_UNEVEN", measures.get("background_deviation", 0.0) > gates.background),
    )
    return tuple(code for code, is_broken in broken if is_broken)
