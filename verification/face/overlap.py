"""Keeping one of several boxes on the same face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def without_overlaps(boxes: Doubles, scores: Doubles, limit: float) -> list[int]:
    """Indices of the boxes to keep, the best score first.

    A box goes when its overlap with a better one, over their union or over the smaller of both,
    exceeds the limit: a small box inside a face is a part of that face.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = list(np.argsort(-scores, kind="stable"))
    kept: list[int] = []
    while order:
        best = order.pop(0)
        kept.append(int(best))
        order = [other for other in order if _overlap(boxes, areas, best, other) <= limit]
    return kept


def _overlap(boxes: Doubles, areas: Doubles, one: int, other: int) -> float:
    low = np.maximum(boxes[one, :2], boxes[other, :2])
    high = np.minimum(boxes[one, 2:], boxes[other, 2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    union = float(areas[one] + areas[other]) - common
    smaller = float(min(areas[one], areas[other]))
    return max(common / max(union, 1e-9), common / max(smaller, 1e-9))
