"""A scan of a printed card laid over what it should show: shift, turn and scale found block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.float32]
Box = tuple[int, int, int, int]

READ_AT = 2
"""The card is compared at 300 dots an inch: each dot is the mean of two by two of the scan."""

_LIKENESS = 0.5
_TEXTURE = 18.0
_FEWEST_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class _Search:
    """Blocks of so many dots, at a reduced resolution, that may have moved so far."""

    reduced: int
    block: int
    reach: int
    residual: float


_COARSE = _Search(reduced=4, block=40, reach=13, residual=0.5)
_FINE = _Search(reduced=READ_AT, block=64, reach=5, residual=1.0)


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where each point of the card lies in the scan: ``point @ matrix + shift``, in dots from the corners."""

    matrix: npt.NDArray[np.float64]
    shift: npt.NDArray[np.float64]

    def after(self, finer: _Placement) -> _Placement:
        return _Placement(finer.matrix @ self.matrix, finer.shift @ self.matrix + self.shift)

    def taken_from(self, scan: Image.Image, box: Box, reduced: int, smooth: Image.Resampling) -> Image.Image:
        """A part of the card; scan and box are so many times smaller than the placement's dots."""
        (a, d), (b, e) = self.matrix
        c, f = self.shift / reduced + np.array(box[:2]) @ self.matrix
        size, data = (box[2] - box[0], box[3] - box[1]), (a, b, c, d, e, f)
        return scan.transform(size, Image.Transform.AFFINE, data, smooth, fillcolor="white")


@dataclass(frozen=True, slots=True)
class LaidScan:
    """A scan of which every part is found by its place on the card."""

    _scan: Image.Image
    _greys: Image.Image
    _placement: _Placement
    grey: Image.Image
    """The whole card at 300 dots an inch, colours left out."""

    def part(self, box: Box) -> Image.Image:
        """The scanned picture of this part of the card at the scan's own resolution, colours left out."""
        return self._placement.taken_from(self._greys, box, 1, Image.Resampling.BICUBIC)

    def colours(self, box: Box) -> Image.Image:
        """The colours of this part, each dot the nearest one of the scan: enough for their tones."""
        return self._placement.taken_from(self._scan, box, 1, Image.Resampling.NEAREST)


def laid_over(scan: Image.Image, expected: Image.Image) -> LaidScan | None:
    """Find where the card lies in the scan; none if it does not look like ``expected``, which is grey."""
    greys = scan.convert("L")
    small, card = greys.reduce(_COARSE.reduced), expected.reduce(_COARSE.reduced)
    rough = _placement(_values(small), _values(card), _COARSE)
    if rough is None:
        return None
    half, card = greys.reduce(READ_AT), expected.reduce(READ_AT)
    whole = (0, 0, *card.size)
    laid = rough.taken_from(half, whole, READ_AT, Image.Resampling.BILINEAR)
    fine = _placement(_values(laid), _values(card), _FINE)
    if fine is None:
        return None
    placement = rough.after(fine)
    grey = placement.taken_from(half, whole, READ_AT, Image.Resampling.BILINEAR)
    return LaidScan(scan, greys, placement, grey)


def _values(grey: Image.Image) -> Floats:
    return np.asarray(grey, np.float32)


def _placement(scan: Floats, expected: Floats, search: _Search) -> _Placement | None:
    if scan.shape != expected.shape:
        scan = _cut_or_filled(scan, expected.shape)
    corners = _textured(expected, search)
    if len(corners) < _FEWEST_BLOCKS:
        return None
    block, reach = search.block, search.reach
    patterns = np.stack([expected[y : y + block, x : x + block] for x, y in corners])
    around = np.stack(
        [scan[y - reach : y + block + reach, x - reach : x + block + reach] for x, y in corners]
    )
    moved, is_found = _moved(around, patterns)
    middles = np.array(corners, np.float64) + block / 2
    return _fitted(middles[is_found], (middles + moved - reach)[is_found], search)


def _cut_or_filled(values: Floats, shape: tuple[int, ...]) -> Floats:
    out = np.full(shape, 255, np.float32)
    part = values[: shape[0], : shape[1]]
    out[: part.shape[0], : part.shape[1]] = part
    return out


def _textured(expected: Floats, search: _Search) -> list[tuple[int, int]]:
    """Upper left corners of blocks in which there is something to see."""
    height, width = expected.shape
    block, reach = search.block, search.reach
    step = max(block * 3 // 4, min(width, height) // 5)
    return [
        (left, top)
        for top in range(reach, height - reach - block + 1, step)
        for left in range(reach, width - reach - block + 1, step)
        if expected[top : top + block, left : left + block].std() >= _TEXTURE
    ]


def _moved(around: Floats, blocks: Floats) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Where in its surroundings each block lies, by normalised correlation to a part of a dot."""
    patterns = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    side, block = around.shape[1], blocks.shape[1]
    span = side - block + 1
    # A transform of 75 = 3 * 5 * 5 takes half the time of one of 74 = 2 * 37.
    wide = -(-side // 25) * 25
    spectra = np.fft.rfft2(around, (wide, wide)) * np.conj(np.fft.rfft2(patterns, (wide, wide)))
    products = np.fft.irfft2(spectra, (wide, wide))[:, :span, :span]
    variance = _window_sums(around.astype(np.float64) ** 2, block)
    variance -= _window_sums(around, block) ** 2 / block**2
    energy = (patterns.astype(np.float64) ** 2).sum(axis=(1, 2))[:, None, None]
    likeness = products / np.sqrt(np.maximum(variance, 1.0) * energy)
    rows, columns = np.divmod(likeness.reshape(len(likeness), -1).argmax(axis=1), span)
    each = np.arange(len(likeness))
    inside = (rows > 0) & (rows < span - 1) & (columns > 0) & (columns < span - 1)
    is_found = inside & (likeness[each, rows, columns] >= _LIKENESS)
    # Blocks that ran out of their surroundings are left out; their neighbours are any that exist.
    row, column = np.clip(rows, 1, span - 2), np.clip(columns, 1, span - 2)
    across = _vertex(*(likeness[each, row, column + step] for step in (-1, 0, 1)))
    down = _vertex(*(likeness[each, row + step, column] for step in (-1, 0, 1)))
    return np.stack([column + across, row + down], axis=1), is_found


def _window_sums(values: npt.NDArray[np.floating], block: int) -> npt.NDArray[np.float64]:
    return _running_sums(_running_sums(values, block, axis=1), block, axis=2)


def _running_sums(values: npt.NDArray[np.floating], block: int, axis: int) -> npt.NDArray[np.float64]:
    """Of so many values each, along an axis."""
    total = np.moveaxis(np.cumsum(values, axis, np.float64), axis, 0)
    sums = total[block - 1 :].copy()
    sums[1:] -= total[:-block]
    return np.moveaxis(sums, 0, axis)


def _vertex(
    left: npt.NDArray[np.float64], middle: npt.NDArray[np.float64], right: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    bend = left - 2 * middle + right
    return np.where(bend < 0, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)


def _fitted(
    places: npt.NDArray[np.float64], found: npt.NDArray[np.float64], search: _Search
) -> _Placement | None:
    """The affine map through most of the blocks; the worst is left out until the rest agrees."""
    while len(places) >= _FEWEST_BLOCKS:
        known = np.column_stack((places, np.ones(len(places))))
        solution, *_ = np.linalg.lstsq(known, found, rcond=None)
        residuals = np.linalg.norm(known @ solution - found, axis=1)
        worst = int(residuals.argmax())
        if residuals[worst] <= search.residual:
            return _Placement(np.asarray(solution[:2], np.float64), np.asarray(solution[2] * search.reduced))
        places, found = np.delete(places, worst, axis=0), np.delete(found, worst, axis=0)
    return None
