"""By how much a hand lies turned on the glass: seen along its fingers there is most paper between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.float64]

_FURTHEST = 45
"""Degrees: who turns a hand further lays it anew."""

_SPARSE = 0.04
"""A column with fewer cells than this share of the fullest one is a gap: fingers are no straight lines."""

_STRAIGHTER = 0.6
"""Of gaps that are alike those of the straighter hand count: seen askew, fingers stand on a staircase."""


def hand_turn(rows: npt.NDArray[Any], columns: npt.NDArray[Any]) -> float:
    """The angle in radians under which the cells of skin at these places stand upright.

    Without any gap, as of one finger, it is 0.
    """
    best = (0.0, 0, 0.0)
    for degrees in range(-_FURTHEST, _FURTHEST + 1) if rows.size else ():
        angle = float(np.deg2rad(degrees))
        across, _ = upright(rows, columns, angle)
        filled = np.bincount((across - across.min()).astype(np.int64))
        gaps = int((filled < _SPARSE * filled.max()).sum())
        best = max(best, (gaps * float(np.cos(_STRAIGHTER * angle)), -abs(degrees), angle))
    return best[2]


def upright(rows: npt.NDArray[Any], columns: npt.NDArray[Any], angle: float) -> tuple[Places, Places]:
    """The same places across and down on a glass that is turned by an angle."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return columns * cosine + rows * sine, rows * cosine - columns * sine
