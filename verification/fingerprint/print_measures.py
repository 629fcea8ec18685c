"""How a print that was printed compares with the print that was captured, place by place.

Both are boxes of the form's page at 500 ppi. Ridges are compared after a band-pass, so that what a
printer and a scanner do to brightness says nothing; what they do to ridges does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import PAPER_WHITE, PPI

Field = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int_]

_BLOCK, _REACH = 40, 12
"""Two millimetres of ridges are looked for up to 0.6 mm from their place."""

_FEWEST_BLOCKS = 12
_FOUND = 0.75
_KEPT = 0.6
_SAME_LEVEL = 2
_WINDOW, _STEP = 128, 96
_FINE = (5.0, 8.0)
"""Cycles to the millimetre: edges of ridges and pores, which a coarser raster loses."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One print against its capture.

    ``exact`` is the share of pixels that are the same; ``in_place`` the median correlation of blocks where
    they belong and ``lost`` the share of blocks that are not there; ``scale_x``, ``scale_y`` and ``turn``
    (degrees) what moved the blocks; ``footprint`` the overlap of the inked areas; ``detail`` how much of
    the finest structure came through.
    """

    exact: float
    in_place: float
    lost: float
    scale_x: float
    scale_y: float
    turn: float
    footprint: float
    detail: float


SAME = Measured(1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0)
"""The very pixels."""

NOTHING = Measured(0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""No ridges to compare."""


def measure(expected: Print, seen: Print) -> Measured:
    """Compare a box of the page with what was accepted for it."""
    if np.array_equal(expected, seen):
        return SAME
    exact = float((np.abs(expected.astype(np.int16) - seen) <= _SAME_LEVEL).mean())
    around = _surroundings(expected)
    expected, seen = expected[around], seen[around]
    inked, shown = inked_area(expected), inked_area(seen)
    footprint = float((inked & shown).sum() / max(1, (inked | shown).sum()))
    tops, lefts = _places(inked, _BLOCK, _BLOCK, _REACH, 0.95)
    if len(tops) < _FEWEST_BLOCKS:
        return NOTHING
    blocks = _cut(ridges(expected), tops, lefts, _BLOCK)
    windows = _cut(ridges(seen), tops - _REACH, lefts - _REACH, _BLOCK + 2 * _REACH)
    likeness = correlation(windows, blocks)
    in_place = likeness[:, _REACH, _REACH]
    scale_x, scale_y, turn = _movement(likeness, tops, lefts)
    return Measured(
        exact=exact,
        in_place=float(np.median(in_place)),
        lost=float((in_place < _KEPT).mean()),
        scale_x=scale_x,
        scale_y=scale_y,
        turn=turn,
        footprint=footprint,
        detail=_fine_detail(expected, seen, inked),
    )


def _surroundings(expected: Print) -> tuple[slice, slice]:
    """The part of a box that a print takes, and two millimetres around: the rest says nothing of ridges."""
    rows, columns = (expected.min(axis) for axis in (1, 0))
    return _span(rows < PAPER_WHITE), _span(columns < PAPER_WHITE)


def _span(line: Mask) -> slice:
    """In whole blocks, which are lengths that Fourier transforms are quick at."""
    places = np.flatnonzero(line)
    if not places.size:
        return slice(None)
    first = max(0, int(places[0]) - _BLOCK) // _BLOCK
    last = -(-(int(places[-1]) + 1 + _BLOCK) // _BLOCK)
    return slice(first * _BLOCK, min(last * _BLOCK, len(line)))


def ridges(picture: Print) -> Field:
    """The structure between a pixel and a quarter of a millimetre; brightness and shade are gone."""
    spectrum = np.fft.rfft2(picture.astype(np.float32))
    passed = spectrum * (_gaussian(picture.shape, 1.0) - _gaussian(picture.shape, 6.0))
    return np.asarray(np.fft.irfft2(passed, picture.shape), np.float32)


def inked_area(picture: Print) -> Mask:
    """Where there are ridges, in one piece: uneven over half a millimetre, and so are the surroundings."""
    values = picture.astype(np.float32)
    variance = _blurred(values * values, 10.0) - _blurred(values, 10.0) ** 2
    return _blurred((variance > 250).astype(np.float32), 12.0) > 0.5


def likeness_of(expected: Print, seen: Print) -> float:
    """Correlation of two whole boxes of one size, at half of it."""
    one, other = (ridges(each[::2, ::2]).ravel() for each in (expected, seen))
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def correlation(around: Field, blocks: Field) -> Field:
    """Normalised cross-correlation of each block at every offset within its surroundings, -1 to 1."""
    shape, inner = around.shape[1:], blocks.shape[1:]
    size = inner[0] * inner[1]
    centred = blocks - blocks.mean((1, 2), keepdims=True)
    surrounding = np.fft.rfft2(around)
    ones = np.fft.rfft2(np.ones(inner, np.float32), shape).conj()
    product = np.fft.irfft2(surrounding * np.fft.rfft2(centred, shape).conj(), shape)
    sums = np.fft.irfft2(surrounding * ones, shape)
    squares = np.fft.irfft2(np.fft.rfft2(around * around) * ones, shape)
    energy = np.maximum(squares - sums * sums / size, 1e-3)
    norm = np.sqrt((centred * centred).sum((1, 2)))[:, None, None]
    found = product / np.maximum(norm * np.sqrt(energy), 1e-6)
    rows, columns = shape[0] - inner[0] + 1, shape[1] - inner[1] + 1
    return np.asarray(found[:, :rows, :columns], np.float32)


def peak(likeness: Field) -> tuple[float, float, float]:
    """Where one map of correlations is highest, to a part of a pixel: row, column and height."""
    row, column = (int(each) for each in np.unravel_index(int(likeness.argmax()), likeness.shape))
    height = float(likeness[row, column])
    return row + _vertex(likeness[:, column], row), column + _vertex(likeness[row], column), height


def _vertex(line: Field, place: int) -> float:
    """The top of the parabola through a maximum and its neighbours."""
    if not 0 < place < len(line) - 1:
        return 0.0
    before, at, after = (float(each) for each in line[place - 1 : place + 2])
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend else 0.0


def _movement(likeness: Field, tops: Places, lefts: Places) -> tuple[float, float, float]:
    """By how much the blocks' places were stretched each way, and turned; zeros where too few are found."""
    peaks = np.array([peak(each) for each in likeness])
    found = peaks[:, 2] > _FOUND
    if found.sum() < _FEWEST_BLOCKS:
        return 0.0, 0.0, 0.0
    places = np.column_stack([lefts[found], tops[found], np.ones(int(found.sum()))]).astype(float)
    moved = peaks[found][:, [1, 0]] - _REACH
    kept = np.ones(len(places), bool)
    for _ in range(3):
        fitted = np.linalg.lstsq(places[kept], moved[kept], rcond=None)[0]
        kept = np.hypot(*(places @ fitted - moved).T) < 1.0
        if kept.sum() < _FEWEST_BLOCKS:
            return 0.0, 0.0, 0.0
    along_x, along_y = fitted[0] + (1, 0), fitted[1] + (0, 1)
    turn = float(np.degrees(np.arctan2(along_x[1], along_x[0])))
    return float(np.hypot(*along_x)), float(np.hypot(*along_y)), turn


def _fine_detail(expected: Print, seen: Print, inked: Mask) -> float:
    """The gain of the cross-spectrum in the finest band."""
    tops, lefts = _places(inked, _WINDOW, _STEP, 0, 0.9)
    if not len(tops):
        return 1.0
    window = np.outer(np.hanning(_WINDOW), np.hanning(_WINDOW)).astype(np.float32)
    spectra = [
        np.fft.rfft2((_cut(each.astype(np.float32), tops, lefts, _WINDOW) - 255) * window)
        for each in (expected, seen)
    ]
    along, across = np.fft.fftfreq(_WINDOW)[:, None], np.fft.rfftfreq(_WINDOW)[None, :]
    cycles = np.hypot(along, across) * PPI / 25.4
    band = (cycles > _FINE[0]) & (cycles < _FINE[1])
    captured, printed = spectra[0][:, band], spectra[1][:, band]
    return float((printed * captured.conj()).real.sum() / max(float((np.abs(captured) ** 2).sum()), 1e-9))


def _places(inked: Mask, size: int, step: int, margin: int, share: float) -> tuple[Places, Places]:
    """The upper left corners of squares that are inked to this share."""
    total = np.pad(np.cumsum(np.cumsum(inked, 0, dtype=np.int64), 1), ((1, 0), (1, 0)))
    last_top, last_left = (side - size - margin for side in inked.shape)
    corners = np.mgrid[margin : last_top + 1 : step, margin : last_left + 1 : step]
    tops, lefts = (each.ravel() for each in corners)
    area = (
        total[tops + size, lefts + size]
        - total[tops, lefts + size]
        - total[tops + size, lefts]
        + total[tops, lefts]
    )
    kept = area >= share * size * size
    return tops[kept], lefts[kept]


def _cut(field: Field, tops: Places, lefts: Places, size: int) -> Field:
    return np.lib.stride_tricks.sliding_window_view(field, (size, size))[tops, lefts]


def _blurred(values: Field, reach: float) -> Field:
    passed = np.fft.rfft2(values) * _gaussian(values.shape, reach)
    return np.asarray(np.fft.irfft2(passed, values.shape), np.float32)


def _gaussian(shape: tuple[int, ...], reach: float) -> Field:
    """A Gaussian of this many pixels as its own spectrum."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    return np.exp(-2 * (np.pi * reach) ** 2 * (down**2 + across**2)).astype(np.float32)
