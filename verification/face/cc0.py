"""The engine whose weights are free of any claim (CC0), made at set-up from a package archive.

Good enough for demonstration, tests and a first site with the strict threshold; not for a national
roll-out: see DECISIONS.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from verification.face.alignment import crop_to
from verification.face.engine import DetectedFace, Template, Thresholds
from verification.face.inference import Network
from verification.face.landmarks import LandmarkFinder
from verification.face.model_file import model_digests
from verification.face.overlap import without_overlaps
from verification.face.picture import Picture

Box = tuple[float, float, float, float]

# The detector's window and grid (dlib mmod face detector).
_WINDOW = 80
_STEP = 8
_FIRST_CENTRE = 14
_PYRAMID = 5 / 6
_MIN_SIDE = 80
_MIN_SCORE = 0.0
# Once a face is found, this many finer levels show whether another one is nearly as large.
_LEVELS_AFTER_HIT = 2
_OVERLAP = 0.4

_CROP = 150
_PADDING = 0.25
# Mean of five points over many faces (dlib, get_face_chip_details), in a unit square: outer and inner
# corner of the eye on the picture's right, outer and inner corner on its left, base of the nose.
_MEAN_POINTS = np.array(
    [
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    ]
)
_TEMPLATE_POINTS = (_MEAN_POINTS + _PADDING) / (1 + 2 * _PADDING) * _CROP


class Cc0Engine:
    """Detector, landmarks and recogniser of dlib's free models, without dlib."""

    id: ClassVar[str] = "cc0"
    smaller_is_closer: ClassVar[bool] = True
    # Distances; accept and review hold for the mean of at least three pictures (FACE, 6.3).
    thresholds: ClassVar[Thresholds] = Thresholds(accept=0.45, review=0.52, single=0.42)
    turn_offset: ClassVar[float] = 0.14

    def __init__(self, models: Mapping[str, bytes]) -> None:
        self._detector = Network(models["detector"])
        self._landmarks = LandmarkFinder(models["landmarks"])
        self._recogniser = Network(models["recogniser"], compact=True)

    @property
    def model_digests(self) -> tuple[str, ...]:
        """The sha256 of the three files."""
        return model_digests(self.id)

    def detect(self, picture: Picture) -> list[DetectedFace]:
        """Faces of at least 80 pixels, the best score first."""
        boxes, scores = self._boxes(picture)
        if not boxes:
            return []
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        kept = without_overlaps(np.array(boxes), np.array(scores), _OVERLAP)
        return [self._face(grey, boxes[index], scores[index]) for index in kept]

    def embed(self, picture: Picture, face: DetectedFace) -> Template:
        """128 numbers of one face."""
        crop = crop_to(picture, face.landmarks, _TEMPLATE_POINTS, _CROP)
        return np.asarray(self._recogniser.run(_as_input(crop))[0])

    def compare(self, one: Template, other: Template) -> float:
        """Euclidean distance."""
        return float(np.linalg.norm(one - other))

    def _boxes(self, picture: Picture) -> tuple[list[Box], list[float]]:
        boxes: list[Box] = []
        scores: list[float] = []
        levels_left: int | None = None
        for scale in _scales(picture):
            for box, score in self._scan(picture, scale):
                boxes.append(box)
                scores.append(score)
            if boxes:
                levels_left = _LEVELS_AFTER_HIT if levels_left is None else levels_left - 1
                if not levels_left:
                    break
        return boxes, scores

    def _scan(self, picture: Picture, scale: float) -> Iterator[tuple[Box, float]]:
        """Windows with a face on one level of the pyramid."""
        level = picture
        if scale < 1:
            resized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
            level = np.asarray(resized, np.uint8)
        found = self._detector.run(_as_input(level))[0, 0]
        for row, column in np.argwhere(found > _MIN_SCORE):
            x, y = (_STEP * float(at) + _FIRST_CENTRE for at in (column, row))
            half = _WINDOW / 2
            box = (x - half) / scale, (y - half) / scale, (x + half) / scale, (y + half) / scale
            yield box, float(found[row, column])

    def _face(self, grey: npt.NDArray[np.uint8], box: Box, score: float) -> DetectedFace:
        points = self._landmarks.find(grey, box)
        right, left = points[:2].mean(0), points[2:4].mean(0)
        eyes = (float(left[0]), float(left[1])), (float(right[0]), float(right[1]))
        return DetectedFace(*box, score, eyes, (float(points[4, 0]), float(points[4, 1])), points)


def _scales(picture: Picture) -> list[float]:
    """Levels of the pyramid, the smallest picture first: large faces are found where it is cheap."""
    smallest = _MIN_SIDE / min(picture.shape[:2])
    scales = [1.0]
    while scales[-1] * _PYRAMID >= smallest:
        scales.append(scales[-1] * _PYRAMID)
    return scales[::-1]


def _as_input(picture: Picture) -> npt.NDArray[np.float32]:
    """One RGB picture as the networks take it."""
    return np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)
