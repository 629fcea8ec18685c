"""Which prints of a large gallery are worth comparing: neighbouring minutiae as words of a small vocabulary.

A minutia and one of its neighbours make three numbers that neither a turn nor a shift of the finger
changes: how far apart they lie, in which direction from the ridge, and how the ridges' directions
differ. Rounded to a grid they are a word. Prints of one finger share many words by more than chance;
an inverted index over words finds them without comparing anything. It only proposes: what it leaves
out is not compared, so its share of found mates is measured (``tests/benchmarks/biometric_search.py``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]
"""A row per minutia: x and y in pixels at 500 ppi, counted down, and direction in radians."""

Words = npt.NDArray[np.uint16]

POINTS = 48
"""So many minutiae of a print make words, the best first."""

_NEIGHBOURS = 7
_NEAREST, _FURTHEST = 8.0, 104.0
_DISTANCES, _BEARINGS, _TURNS = 8, 24, 16
VOCABULARY = _DISTANCES * _BEARINGS * _TURNS

NO_WORD = VOCABULARY
"""Stands where a print has fewer words than there is room for."""

_FULL_TURN = 2 * np.pi
# A number so close to its cell's border, in cells, is looked up on both sides of it.
_NEAR_BORDER = 0.3
_RECORD_HEADER, _RECORD_TAIL = 28, 2
_ROW = np.dtype([("kind_x", ">u2"), ("y", ">u2"), ("angle", "u1"), ("quality", "u1")])


def points_of(template: bytes) -> Points:
    """The best minutiae of a record that ``read_template`` accepted."""
    rows = np.frombuffer(template[_RECORD_HEADER:-_RECORD_TAIL], _ROW)
    if len(rows) > POINTS:
        rows = rows[np.argsort(-rows["quality"].astype(np.int16), kind="stable")[:POINTS]]
    points = np.empty((len(rows), 3), np.float32)
    points[:, 0] = rows["kind_x"] & 0x3FFF
    points[:, 1] = rows["y"]
    points[:, 2] = rows["angle"] * np.float32(_FULL_TURN / 256)
    return points


def stored_words(prints: npt.NDArray[np.float32]) -> Words:
    """Words of many prints at once: ``prints`` is prints x points x 3, absent points are NaN.

    A row a print; ``NO_WORD`` fills what is left over.
    """
    cells = _cells(prints)
    words = _word(np.floor(cells[..., 0]), np.floor(cells[..., 1]), np.floor(cells[..., 2]))
    return words.reshape(len(prints), -1)


def asked_words(points: Points) -> Words:
    """The words of one print with their neighbours across a near border, each as often as it occurs."""
    cells = _cells(points[None])[0].reshape(-1, 3)
    cells = cells[~np.isnan(cells[:, 0])]
    asked = np.floor(cells)
    weights = [asked]
    for axis in range(3):
        within = cells[:, axis] - np.floor(cells[:, axis])
        step = np.where(within < _NEAR_BORDER, -1.0, np.where(within > 1 - _NEAR_BORDER, 1.0, 0.0))
        weights = [part for group in weights for part in _both_sides(group, axis, step)]
    every = np.concatenate(weights)
    words = _word(every[:, 0], every[:, 1], every[:, 2])
    return np.asarray(words[words != NO_WORD])


def _both_sides(
    group: npt.NDArray[np.float32], axis: int, step: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], ...]:
    moved = group.copy()
    moved[:, axis] = np.where(step == 0, np.nan, group[:, axis] + step)
    return group, moved


def _cells(prints: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """For each point and neighbour, where in the grid they lie: distance, bearing, turn; NaN for none."""
    x, y, direction = prints[..., 0], prints[..., 1], prints[..., 2]
    right = x[:, None, :] - x[:, :, None]
    up = y[:, :, None] - y[:, None, :]
    apart = np.hypot(right, up)
    apart[~((apart >= _NEAREST) & (apart < _FURTHEST))] = np.inf
    count = min(_NEIGHBOURS, apart.shape[2])
    nearest = np.argpartition(apart, count - 1, axis=2)[:, :, :count]
    distance = np.take_along_axis(apart, nearest, 2)
    bearing = np.arctan2(np.take_along_axis(up, nearest, 2), np.take_along_axis(right, nearest, 2))
    other = np.take_along_axis(np.broadcast_to(direction[:, None, :], apart.shape), nearest, 2)
    cells = np.empty((*distance.shape, 3), np.float32)
    cells[..., 0] = (distance - _NEAREST) * (_DISTANCES / (_FURTHEST - _NEAREST))
    cells[..., 1] = _of_turn(bearing - direction[:, :, None]) * _BEARINGS
    cells[..., 2] = _of_turn(other - direction[:, :, None]) * _TURNS
    cells[~np.isfinite(distance)] = np.nan
    return cells


def _of_turn(angle: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray((angle / _FULL_TURN) % 1.0, np.float32)


def _word(
    distance: npt.NDArray[np.float32], bearing: npt.NDArray[np.float32], turn: npt.NDArray[np.float32]
) -> Words:
    inside = (distance >= 0) & (distance < _DISTANCES) & ~np.isnan(bearing) & ~np.isnan(turn)
    near, around, across = (np.where(inside, part, 0).astype(np.int32) for part in (distance, bearing, turn))
    word = (near * _BEARINGS + around % _BEARINGS) * _TURNS + across % _TURNS
    return np.where(inside, word, NO_WORD).astype(np.uint16)
