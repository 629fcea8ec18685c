"""How much a matcher of minutiae has to do for a pair of prints, told before it is done.

bozorth3 links every two minutiae of a print that lie near each other, takes together the links of two prints
that are alike in length and in the two directions at their ends, and then puts these together in every way
that fits. Of a few thousand there are few ways. Dense prints of one flow, or nearly the same one twice, have
tens of thousands, which take it up to twenty seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from verification.fingerprint.minutiae import Minutia

Edges = npt.NDArray[np.int64]
"""How many links of a print have each length and pair of directions."""

_LONGEST = 125.0
"""Pixels; bozorth3 makes no longer links (NBIS, bozorth.h, DM)."""

_TURN = 256
# Twice the tolerance of the matcher each: a fifth of the squared length, 11 degrees.
_LENGTH_STEP = 0.4
_DIRECTIONS = 16


def edges_of(minutiae: Sequence[Minutia]) -> Edges:
    """The links of a print, counted by what the matcher compares of them."""
    x, y, angle = (
        np.array([getattr(each, name) for each in minutiae], np.float64) for name in ("x", "y", "angle")
    )
    one, other = np.triu_indices(len(minutiae), 1)
    # From left to right, as the matcher walks. Rows are counted down, directions the other way round.
    one, other = np.where(x[one] <= x[other], (one, other), (other, one))
    across, up = x[other] - x[one], y[one] - y[other]
    squared = across**2 + up**2
    near = (squared > 0) & (squared <= _LONGEST**2)
    bearing = np.arctan2(up, across)[near] / (2 * np.pi) * _TURN
    at_one = (bearing - angle[one][near]) % _TURN
    at_other = (bearing + _TURN / 2 - angle[other][near]) % _TURN
    less, more = (
        (ends // (_TURN // _DIRECTIONS)).astype(np.int64) % _DIRECTIONS
        for ends in (np.minimum(at_one, at_other), np.maximum(at_one, at_other))
    )
    length = (np.log(squared[near]) / _LENGTH_STEP).astype(np.int64)
    lengths = int(np.log(_LONGEST**2) / _LENGTH_STEP) + 1
    return np.bincount((length * _DIRECTIONS + less) * _DIRECTIONS + more, minlength=lengths * _DIRECTIONS**2)


def compatible_edges(one: Edges, other: Edges) -> int:
    """About how many links of one print the matcher takes together with one of another."""
    return int(one @ other)
