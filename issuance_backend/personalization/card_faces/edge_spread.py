"""How much softer a picture is shown than it should be, in four directions.

Compared is the curve across the sharpest edges and lines of the picture that should be shown: what a blur
takes of it near by and leaves of it further away. Neither tone, noise nor a shift of less than a dot is taken
for sharpness or for its lack, as they are when whole pictures' fine detail is summed up.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Spread = npt.NDArray[np.float64]
"""Dots squared by which edges are wider than they should be, in each direction: the variance of the blur."""

_Values = npt.NDArray[np.int16]
_Curve = npt.NDArray[np.float32]
_Places = npt.NDArray[np.intp]

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Across, down and both ways aslant: a blur by motion shows in one of them, whatever its angle."""

_NEAR, _FAR = 2, 8
_MOVED: Final = range(-2, 3)
_MARGIN = _FAR + max(_MOVED)
_STRONGEST = 4000
_EVERY = 2
"""Of so many rows and columns one is searched for the sharpest edges: a quarter of the work, as good."""

_LEAST_KEPT = 0.02


def edge_spread(shown: Image.Image, wanted: Image.Image) -> Spread:
    """How far the edges of ``wanted`` are spread in ``shown``, of the same size; colours are left out.

    Sharper than wanted is below zero. What is not there at all is as if spread very far.
    """
    grey = wanted.convert("L")
    width = grey.width
    values = _values(grey)
    softened = _values(grey.filter(ImageFilter.GaussianBlur(1)))
    seen = _values(shown.convert("L")).ravel()
    spread = []
    for down, across in _DIRECTIONS:
        step = down * width + across
        places = _sharpest(values, down, across)
        # A blur takes of the curve by the exponent of its variance; this one's is one dot squared.
        unit = np.log(_kept(softened.ravel(), values.ravel(), places, step))
        spread.append(np.log(_kept(seen, values.ravel(), places, step)) / unit)
    return np.array(spread)


def _values(grey: Image.Image) -> _Values:
    return np.asarray(grey, np.int16)


def _sharpest(values: _Values, down: int, across: int) -> _Places:
    """Where the picture bends most in a direction, as places in its dots one after another."""
    height, width = (max(length - 2 * _MARGIN, 0) for length in values.shape)

    def moved(steps: int) -> _Values:
        top, left = _MARGIN + steps * down, _MARGIN + steps * across
        return values[top : top + height : _EVERY, left : left + width : _EVERY]

    bend = np.abs(2 * moved(0) - moved(_NEAR) - moved(-_NEAR))
    stronger = np.bincount(bend.ravel())[::-1].cumsum()[::-1]
    least = max(int(np.count_nonzero(stronger >= _STRONGEST)) - 1, 1)
    rows, columns = np.nonzero(bend >= least)
    places: _Places = (rows * _EVERY + _MARGIN) * values.shape[1] + columns * _EVERY + _MARGIN
    return places


def _kept(shown: _Values, wanted: _Values, places: _Places, step: int) -> float:
    """The part of the curve near the edges that is left, in terms of what is left further away."""
    near, far = (_likeness(shown, wanted, places, step, reach * step) for reach in (_NEAR, _FAR))
    return max(near / far, _LEAST_KEPT) if far > 0 else _LEAST_KEPT


def _likeness(shown: _Values, wanted: _Values, places: _Places, step: int, reach: int) -> float:
    curve = _curve(wanted, places, reach)
    energy = float(curve @ curve)
    return _peak([float(_curve(shown, places + by * step, reach) @ curve) for by in _MOVED]) / max(
        energy, 1.0
    )


def _curve(values: _Values, places: _Places, reach: int) -> _Curve:
    curve = 2 * values[places] - values[places - reach] - values[places + reach]
    return curve.astype(np.float32)


def _peak(products: list[float]) -> float:
    """The height of the parabola through the highest and its neighbours."""
    best = int(np.clip(np.argmax(products), 1, len(products) - 2))
    left, middle, right = products[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return middle - (left - right) ** 2 / (8 * bend) if bend < 0 else middle
