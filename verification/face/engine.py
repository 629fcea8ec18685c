"""What every face engine offers, in the engine's own measure of likeness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from verification.face.picture import Picture

Points = npt.NDArray[np.float64]
Template = npt.NDArray[np.float32]
"""A face as a row of numbers. Biometric data: kept in memory for one session, never logged."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """One face in a picture, in pixels.

    ``eyes`` are the middles of the eye on the picture's left and the one on its right, ``nose`` is
    the nose's lowest point or tip; ``landmarks`` are the engine's own points for alignment.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    eyes: tuple[tuple[float, float], tuple[float, float]]
    nose: tuple[float, float]
    landmarks: Points

    @property
    def width(self) -> float:
        """Width of the box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height of the box."""
        return self.bottom - self.top

    @property
    def eye_distance(self) -> float:
        """Distance between the middles of the eyes."""
        (x0, y0), (x1, y1) = self.eyes
        return float(np.hypot(x1 - x0, y1 - y0))

    @property
    def roll_degrees(self) -> float:
        """How far the head is tilted, positive clockwise."""
        (x0, y0), (x1, y1) = self.eyes
        return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))

    @property
    def nose_offset(self) -> float:
        """How far the nose lies beside the middle of the eyes, in eye distances, along the eye line.

        Positive towards the picture's right: the person turned to their own left.
        """
        (x0, y0), (x1, y1) = self.eyes
        along_x, along_y = x1 - x0, y1 - y0
        beside_x, beside_y = self.nose[0] - (x0 + x1) / 2, self.nose[1] - (y0 + y1) / 2
        return float((beside_x * along_x + beside_y * along_y) / max(along_x**2 + along_y**2, 1e-9))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the engine's measure means what. Measures where more is better are negated distances.

    ``accept``: up to here (at least, for similarities) it is the same person, from three pictures;
    ``review``: up to here a person decides; ``single``: accept for a single picture.
    """

    accept: float
    review: float
    single: float


class FaceEngine(Protocol):
    """Detector, alignment and recogniser of one make.

    ``smaller_is_closer`` says whether ``compare`` gives a distance or a similarity; ``turn_offset``
    is the change of ``nose_offset`` that shows a turned head.
    """

    @property
    def id(self) -> str:
        """The name that goes into the evidence."""

    @property
    def thresholds(self) -> Thresholds:
        """Thresholds of ``compare``."""

    @property
    def smaller_is_closer(self) -> bool:
        """Whether ``compare`` gives a distance."""

    @property
    def turn_offset(self) -> float:
        """Change of the nose's offset, in eye distances, that shows a turned head."""

    @property
    def model_digests(self) -> tuple[str, ...]:
        """The sha256 of every model file in use."""

    def detect(self, picture: Picture) -> list[DetectedFace]:
        """Faces, the best score first."""

    def embed(self, picture: Picture, face: DetectedFace) -> Template:
        """The template of one face."""

    def compare(self, one: Template, other: Template) -> float:
        """Distance or similarity of two templates."""


def is_at_least_as_close(engine: FaceEngine, score: float, limit: float) -> bool:
    """Whether a score is on the accepting side of a limit, whichever way the engine measures."""
    return score <= limit if engine.smaller_is_closer else score >= limit
