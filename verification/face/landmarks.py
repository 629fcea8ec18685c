"""Five landmarks by regression trees (Kazemi and Sullivan, CVPR 2014), in numpy."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from verification.errors import FaceModelAltered
from verification.face.alignment import similarity

Doubles = npt.NDArray[np.float64]

_DEPTH = 4
_PARTS = ("mean_shape", "first", "second", "threshold", "leaf", "anchor", "offset")


class LandmarkFinder:
    """Places five points in a box: both corners of both eyes and the base of the nose."""

    def __init__(self, model: bytes) -> None:
        try:
            with np.load(io.BytesIO(model), allow_pickle=False) as parts:
                self._parts = {name: parts[name] for name in _PARTS}
        except (ValueError, KeyError, OSError) as fault:
            raise FaceModelAltered(f"landmark model cannot be loaded: {type(fault).__name__}") from None
        self._trees = np.arange(self._parts["first"].shape[1])

    def find(self, grey: npt.NDArray[np.uint8], box: tuple[float, float, float, float]) -> Doubles:
        """The points in pixels for a box (left, top, right, bottom) in a grey picture."""
        corner = np.array(box[:2])
        size = np.array(box[2:]) - corner
        mean_shape: Doubles = self._parts["mean_shape"]
        shape = mean_shape.copy()
        for cascade in range(len(self._parts["first"])):
            turn, _ = similarity(mean_shape, shape)
            at = self._parts["offset"][cascade] @ turn.T + shape[self._parts["anchor"][cascade]]
            values = _sample(grey, corner + at * size)
            shape += self._step(cascade, values)
        return np.asarray(corner + shape * size)

    def _step(self, cascade: int, values: npt.NDArray[np.float32]) -> Doubles:
        first, second = self._parts["first"][cascade], self._parts["second"][cascade]
        threshold, leaf = self._parts["threshold"][cascade], self._parts["leaf"][cascade]
        # A split compares two pixels; taking all splits at once is cheaper than following each tree.
        goes_left = values[first] - values[second] > threshold
        node = np.zeros(len(self._trees), np.intp)
        for _ in range(_DEPTH):
            node = 2 * node + np.where(goes_left[self._trees, node], 1, 2)
        moved = leaf[self._trees, node - first.shape[1]].sum(0)
        return np.asarray(moved, np.float64).reshape(-1, 2)


def _sample(grey: npt.NDArray[np.uint8], points: Doubles) -> npt.NDArray[np.float32]:
    """Nearest pixels; black outside the picture."""
    height, width = grey.shape
    columns, rows = np.floor(points + 0.5).astype(np.intp).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    values = np.zeros(len(points), np.float32)
    values[inside] = grey[rows[inside], columns[inside]]
    return values
