"""Fingers pressed down together prove which finger is which, for no two of them can change places (F02).

A hand shows its fingers from the index to the little one, both thumbs lie side by side. A slap that does
not show as many fingers as the hand has is refused: nobody knows whose they are. A print taken singly
that matches another finger of the slaps and not its own was taken of that other finger. Where nothing
matches nothing is said: a poor slap accuses nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from verification.errors import (
    FingerImageUndecodable,
    FingerQualityInsufficient,
    SlapMiscounted,
)
from verification.fingerprint.engine import FingerEngine, FingerSample, Print
from verification.fingerprint.hand_turn import hand_turn, upright
from verification.lds.finger_image import SLAPS, FingerPosition

MISPLACED = "PRINT_MISPLACED"

_MILLIMETRE = 500 / 25.4
_SHORTEST_SIDE, _LONGEST_SIDE = 300, 2_000
_WINDOW = 17
"""Pixels: about two ridges, so that it is uneven wherever there are ridges."""

_UNEVEN = 400.0
_SMALLEST = 45 * _MILLIMETRE**2
"""Less is a fold or dirt; a little finger's tip leaves more than a hundred square millimetres."""

_TIP = round(25 * _MILLIMETRE)
_WIDEST = {
    FingerPosition.RIGHT_FOUR: 22 * _MILLIMETRE,
    FingerPosition.LEFT_FOUR: 22 * _MILLIMETRE,
    FingerPosition.BOTH_THUMBS: 36 * _MILLIMETRE,
}
"""No finger pressed flat is wider, even askew; thumbs that roll a little leave up to 32 millimetres."""

_BROADER = 1.6
_MARGIN = 12
_BENEATH = 0.4
"""As much of the narrower one's width has to be shared with what lies above."""

_PAPER = 255

_CELL, _ROWS = 4, 5
"""Pixels: pieces of skin are told apart on a grid, fingers lie further from each other than that.

And rows of it in a millimetre.
"""

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]


class SlapFingersTouch(SlapMiscounted):
    """Fingers of a slap touch each other: where one ends and the next begins nobody can say."""

    code = "SLAP_FINGERS_TOUCH"


class Tip(NamedTuple):
    """A fingertip on paper of its own, and how wide it is at its widest, in pixels."""

    picture: Print
    across: int


class _Part(NamedTuple):
    """One piece of skin: its number among all, and where it lies on an upright hand, in pixels."""

    number: int
    left: float
    top: float
    width: float
    height: float

    def is_beneath(self, other: _Part) -> bool:
        """Whether this lies lower on the same finger: fingers crease, and only their tips are compared."""
        shared = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        is_lower = self.top > other.top + other.height / 2
        return is_lower and shared > _BENEATH * min(self.width, other.width)


def fingers_of(picture: Print, slap: int, absent: Collection[int] = ()) -> dict[int, Print]:
    """The fingertips of a slap by position; ``absent`` are fingers that may be missing from it.

    Raises FingerImageUndecodable for what is no slap at 500 ppi, SlapMiscounted and SlapFingersTouch.
    """
    _require_slap(picture)
    tips = fingertips(picture)
    if any(tip.across > _WIDEST[FingerPosition(slap)] for tip in tips) or _stands_out(tips):
        raise SlapFingersTouch("a piece of skin that is wider than any finger")
    everything = SLAPS[FingerPosition(slap)]
    needed = tuple(each for each in everything if each not in absent)
    # With some of the absent ones there and others not, nobody can say which is which.
    for positions in (everything, needed):
        if len(tips) == len(positions):
            return {position: tip.picture for position, tip in zip(positions, tips, strict=True)}
    raise SlapMiscounted(f"{len(tips)} fingers instead of {len(needed)}")


def fingertips(picture: Print) -> tuple[Tip, ...]:
    """The last joint of every finger in a picture, from left to right, also of a hand that lies askew.

    Only where they lie is told upright: the pictures are what was taken, no pixel is turned.
    """
    labels = _labelled(_skin(picture)[::_CELL, ::_CELL])
    large = np.bincount(labels.ravel()) * _CELL**2 >= _SMALLEST
    large[0] = False
    angle = hand_turn(*np.nonzero(large[labels]))
    parts = [_part(labels, int(number), angle) for number in np.flatnonzero(large)]
    tips = [part for part in parts if not any(part.is_beneath(other) for other in parts)]
    return tuple(_tip(picture, labels, tip, angle) for tip in sorted(tips, key=lambda each: each.left))


def _stands_out(tips: Sequence[Tip]) -> bool:
    """Whether one is far wider than most: two fingers of a small hand are no wider than one of a big one."""
    widths = sorted(tip.across for tip in tips)
    return bool(widths) and widths[-1] > _BROADER * widths[(len(widths) - 1) // 2]


def slap_samples(
    engine: FingerEngine, slap: int, picture: Print, absent: Collection[int] = ()
) -> dict[int, FingerSample | None]:
    """The fingers of a slap by position; None for one that shows no ridge. Raises as ``fingers_of``."""
    found: dict[int, FingerSample | None] = {}
    for position, tip in fingers_of(picture, slap, absent).items():
        try:
            found[position] = engine.extract(tip, FingerPosition(position))
        except FingerQualityInsufficient:
            found[position] = None
    return found


def slap_templates(
    engine: FingerEngine, slaps: Mapping[int, Print], absent: Collection[int] = ()
) -> dict[int, bytes]:
    """The templates of the fingers in slaps, without those that show no ridge; raises as ``fingers_of``."""
    samples = (slap_samples(engine, slap, picture, absent) for slap, picture in slaps.items())
    return {position: each.template for found in samples for position, each in found.items() if each}


def misplaced(
    engine: FingerEngine, slaps: Mapping[int, bytes], singles: Mapping[int, bytes], same_finger: float
) -> dict[int, int]:
    """The positions whose single print is of another finger of the slaps, and of which.

    Raises FingerTemplateMalformed.
    """
    prepared = {position: engine.prepare(template) for position, template in slaps.items()}
    found = {}
    for position, template in singles.items():
        own = prepared.get(position)
        if own is not None and own.score(template) >= same_finger:
            continue
        scores = {each: finger.score(template) for each, finger in prepared.items() if each != position}
        best = max(scores, key=lambda each: scores[each], default=None)
        if best is not None and scores[best] >= same_finger:
            found[position] = best
    return found


def confirmed(
    engine: FingerEngine, slaps: Mapping[int, bytes], singles: Mapping[int, bytes], same_finger: float
) -> frozenset[int]:
    """The positions whose finger in a slap matches its own single print; raises FingerTemplateMalformed."""
    both = slaps.keys() & singles.keys()
    return frozenset(each for each in both if engine.prepare(slaps[each]).score(singles[each]) >= same_finger)


def _require_slap(picture: Print) -> None:
    if picture.ndim != 2 or picture.dtype != np.uint8:
        raise FingerImageUndecodable("a slap is a grey picture of eight bits")
    if min(picture.shape) < _SHORTEST_SIDE or max(picture.shape) > _LONGEST_SIDE:
        raise FingerImageUndecodable("a slap has sides of 300 to 2,000 pixels")


def _skin(picture: Print) -> Mask:
    """Where there are ridges; as the window reaches beyond them, it is drawn in again."""
    values = picture.astype(np.float64)
    uneven = _mean(values * values) - _mean(values) ** 2 > _UNEVEN
    return _mean(uneven) > 1 - 0.5 / _WINDOW**2


def _mean(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The mean of the window around every pixel."""
    reach = _WINDOW // 2
    sums = np.pad(values.astype(np.float64), (reach + 1, reach), "edge").cumsum(0).cumsum(1)
    across = sums[:, _WINDOW:] - sums[:, :-_WINDOW]
    return np.asarray((across[_WINDOW:] - across[:-_WINDOW]) / _WINDOW**2, np.float64)


def _labelled(cells: Mask) -> Labels:
    """The number of the piece that each cell belongs to, from 1; 0 is paper."""
    padded = np.pad(cells, 1)
    width, left = padded.shape[1], padded.ravel().tolist()
    found = np.zeros(padded.size, np.int32)
    number = 0
    for start in np.flatnonzero(padded):
        if not left[start]:
            continue
        number += 1
        left[start] = False
        piece = [int(start)]
        for cell in piece:
            for beside in (cell - 1, cell + 1, cell - width, cell + width):
                if left[beside]:
                    left[beside] = False
                    piece.append(beside)
        found[piece] = number
    return found.reshape(padded.shape)[1:-1, 1:-1]


def _part(labels: Labels, number: int, angle: float) -> _Part:
    """Where a piece lies."""
    rows, columns = np.nonzero(labels == number)
    across, down = upright(rows, columns, angle)
    left, top = float(across.min()), float(down.min())
    width, height = float(across.max()) + 1 - left, float(down.max()) + 1 - top
    return _Part(number, *(each * _CELL for each in (left, top, width, height)))


def _tip(picture: Print, labels: Labels, tip: _Part, angle: float) -> Tip:
    rows, columns = np.nonzero(labels == tip.number)
    _, down = upright(rows, columns, angle)
    below = down - tip.top / _CELL
    is_tip = below < _TIP / _CELL
    filled = np.bincount(below[is_tip].astype(np.int64))
    # A turned row of cells has now more, now fewer of them: a millimetre of rows tells how wide it is.
    across = np.convolve(filled, np.ones(_ROWS) / _ROWS).max()
    return Tip(_cut(picture, labels.shape, rows[is_tip], columns[is_tip]), round(float(across) * _CELL))


def _cut(picture: Print, shape: tuple[int, ...], rows: npt.NDArray[Any], columns: npt.NDArray[Any]) -> Print:
    """One fingertip, which lies at these cells, without its neighbours."""
    cells = np.zeros(shape, np.bool_)
    cells[rows, columns] = True
    top, bottom = max(0, int(rows.min()) * _CELL - _MARGIN), (int(rows.max()) + 1) * _CELL + _MARGIN
    left, right = max(0, int(columns.min()) * _CELL - _MARGIN), (int(columns.max()) + 1) * _CELL + _MARGIN
    shown = picture[top:bottom, left:right]
    own = cells.repeat(_CELL, 0).repeat(_CELL, 1)[top:bottom, left:right][: shown.shape[0], : shown.shape[1]]
    alone = np.where(_mean(own) > 0.5 / _WINDOW**2, shown, np.uint8(_PAPER))
    return np.asarray(np.pad(alone, _MARGIN, constant_values=_PAPER), np.uint8)
