"""Faces: every template of the gallery is compared, because a face is one row of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from issuance_backend.biometric_search.calibration import Calibration, shipped
from issuance_backend.biometric_search.modality import Sample, Score
from issuance_backend.biometric_search.refusals import TemplateRefused

FACE = "face"
_NUMBER = np.dtype("<f4")
_FIRST_ROOM = 1024


class Measure(StrEnum):
    """How an engine measures likeness of two templates."""

    DISTANCE = "distance"
    COSINE = "cosine"


class FaceModality:
    """Templates of one face engine: ``dimension`` 32-bit numbers."""

    code = FACE

    def __init__(
        self, engine: str, dimension: int, measure: Measure, calibration: Calibration | None = None
    ) -> None:
        self.format = f"face/{engine}/{dimension}f32"
        self.calibration = calibration or shipped(f"face-{engine}")
        self._dimension = dimension
        self._measure = measure

    def require_sound(self, sample: Sample) -> None:
        """Raise TemplateRefused for anything but a row of finite numbers that is not all zero."""
        if sample.position != 0 or len(sample.content) != self._dimension * _NUMBER.itemsize:
            raise TemplateRefused("no template of this engine")
        numbers = np.frombuffer(sample.content, _NUMBER)
        if not np.isfinite(numbers).all() or not 1e-3 < float(np.linalg.norm(numbers)) < 1e3:
            raise TemplateRefused("a template of impossible numbers")

    def new_index(self) -> FaceIndex:
        """An empty index."""
        return FaceIndex(self._dimension, self._measure)

    def sample(self, template: npt.NDArray[np.float32]) -> Sample:
        """A template of ``verification.face`` as it is enrolled and searched."""
        return Sample(FACE, 0, self.format, np.asarray(template, _NUMBER).tobytes())


class FaceIndex:
    """A flat index: one matrix, one product a search."""

    def __init__(self, dimension: int, measure: Measure) -> None:
        self._measure = measure
        self._templates = np.zeros((_FIRST_ROOM, dimension), np.float32)
        self._squares = np.zeros(_FIRST_ROOM, np.float32)
        self._present = np.zeros(_FIRST_ROOM, np.bool_)

    def add(self, rows: Sequence[int], samples: Sequence[Sequence[Sample]]) -> None:
        """Take the first face of each row."""
        if not rows:
            return
        self._make_room(max(rows) + 1)
        for row, faces in zip(rows, samples, strict=True):
            if faces:
                self._templates[row] = self._template(faces[0])
                self._squares[row] = float(self._templates[row] @ self._templates[row])
                self._present[row] = True

    def remove(self, row: int) -> None:
        """Forget a row, numbers included."""
        if row < len(self._present):
            self._present[row] = False
            self._templates[row] = 0

    def shortlist(self, probe: Sequence[Sample], limit: int, allowed: Iterable[int] | None) -> list[int]:
        """The closest rows."""
        if not probe:
            return []
        usable = self._present if allowed is None else self._present & _mask(allowed, len(self._present))
        closeness = np.where(usable, self._closeness(probe[0], slice(None)), -np.inf)
        limit = min(limit, len(closeness))
        best = np.argpartition(-closeness, limit - 1)[:limit]
        return [int(row) for row in best if usable[row]]

    def scores(self, probe: Sequence[Sample], rows: Sequence[int]) -> Mapping[int, tuple[Score, ...]]:
        """The closeness of rows that have a face."""
        known = np.array([row for row in rows if row < len(self._present) and self._present[row]], np.intp)
        if not probe or not len(known):
            return {}
        closeness = self._closeness(probe[0], known)
        return {int(row): (Score(0, float(each)),) for row, each in zip(known, closeness, strict=True)}

    def _closeness(self, sample: Sample, rows: slice | npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        probe = self._template(sample)
        products = self._templates[rows] @ probe
        square = float(probe @ probe)
        if self._measure is Measure.DISTANCE:
            return -np.sqrt(np.maximum(self._squares[rows] + square - 2 * products, 0))
        return np.asarray(products / np.sqrt(np.maximum(self._squares[rows] * square, 1e-12)))

    @staticmethod
    def _template(sample: Sample) -> npt.NDArray[np.float32]:
        return np.frombuffer(sample.content, _NUMBER).astype(np.float32)

    def _make_room(self, rows: int) -> None:
        room = len(self._present)
        if rows <= room:
            return
        more = max(rows, room * 3 // 2) - room
        self._templates = np.pad(self._templates, ((0, more), (0, 0)))
        self._squares = np.pad(self._squares, (0, more))
        self._present = np.pad(self._present, (0, more))


def _mask(rows: Iterable[int], room: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(room, np.bool_)
    chosen = np.fromiter(rows, np.intp)
    mask[chosen[chosen < room]] = True
    return mask
