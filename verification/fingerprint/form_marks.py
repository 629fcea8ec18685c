"""The four marks at the corners of a form's page: by them a scan tells its scale and how it lay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import MARK_RADIUS, MARK_RINGS, MARKS, Box
from verification.fingerprint.print_measures import Field, correlation, peak

_COARSE = 4
_SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1)
_SEEN = 0.6
_AROUND = 14
_MARGIN = 1.35
"""A mark is looked for with the white around it."""


@dataclass(frozen=True, slots=True)
class PageView:
    """Where the form's page is in a picture: ``to_picture`` takes a place on the form to one in it."""

    picture: Print
    to_picture: npt.NDArray[np.float64]

    @property
    def scale_x(self) -> float:
        """How long the page's width came out."""
        return float(np.hypot(self.to_picture[0, 0], self.to_picture[1, 0]))

    @property
    def scale_y(self) -> float:
        """How long its height came out."""
        return float(np.hypot(self.to_picture[0, 1], self.to_picture[1, 1]))

    @property
    def turn(self) -> float:
        """Degrees by which it lies turned."""
        return float(np.degrees(np.arctan2(self.to_picture[1, 0], self.to_picture[0, 0])))

    def cut(self, box: Box) -> Print:
        """A box of the form as the picture shows it, at the form's own scale."""
        shift = self.to_picture @ np.array([box.left, box.top, 1.0])
        (a, b, _), (d, e, _) = self.to_picture
        shown = Image.fromarray(self.picture).transform(
            (box.width, box.height),
            Image.Transform.AFFINE,
            (a, b, shift[0], d, e, shift[1]),
            Image.Resampling.BICUBIC,
            fillcolor=255,
        )
        return np.asarray(shown, np.uint8)


def straight(picture: Print) -> PageView:
    """A picture that begins where the page does, at its scale."""
    return PageView(picture, np.eye(2, 3))


def find_page(picture: Print) -> PageView | None:
    """The page by its four marks; None where one of them is not seen."""
    small = _reduced(picture)
    found = [_find(picture, small, place) for place in range(len(MARKS))]
    if any(each is None for each in found):
        return None
    places = np.column_stack([np.array(MARKS, float), np.ones(len(MARKS))])
    fitted = np.linalg.lstsq(places, np.array(found, float), rcond=None)[0]
    return PageView(picture, fitted.T)


def _find(picture: Print, small: Field, place: int) -> tuple[float, float] | None:
    """The middle of one mark: first coarsely in its quarter of the page, then to a part of a pixel."""
    height, width = small.shape
    top, left = (0 if place < 2 else height * 3 // 4), (width * 3 // 4 if place % 2 else 0)
    corner = small[top : top + height // 4, left : left + width // 4]
    best = max((_matched(corner, _mark(scale / _COARSE)), scale) for scale in _SCALES)
    (likeness, row, column), scale = best
    if likeness < _SEEN:
        return None
    mark = _mark(scale)
    reach = mark.shape[0] // 2 + _AROUND
    middle_row, middle_column = round((top + row) * _COARSE), round((left + column) * _COARSE)
    first_row, first_column = max(0, middle_row - reach), max(0, middle_column - reach)
    near = picture[first_row : middle_row + reach + 1, first_column : middle_column + reach + 1]
    likeness, row, column = _matched(near.astype(np.float32), mark)
    return (first_column + column, first_row + row) if likeness >= _SEEN else None


def _matched(field: Field, mark: Field) -> tuple[float, float, float]:
    """How well a mark is seen, and the row and column of its middle; nowhere where it has no room."""
    if min(np.subtract(field.shape, mark.shape)) < 0:
        return -1.0, 0.0, 0.0
    row, column, likeness = peak(correlation(field[None], mark[None])[0])
    return likeness, row + mark.shape[0] / 2, column + mark.shape[1] / 2


@cache
def _mark(scale: float) -> Field:
    radius = MARK_RADIUS * scale
    reach = round(radius * _MARGIN)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = np.hypot(rows, columns)
    drawn = np.full(distance.shape, 255.0)
    for share, level in MARK_RINGS:
        inside = np.clip(radius * share - distance + 0.5, 0, 1)
        drawn += inside * (level - drawn)
    return np.asarray(drawn, np.float32)


def _reduced(picture: Print) -> Field:
    height, width = (side // _COARSE for side in picture.shape)
    cut = picture[: height * _COARSE, : width * _COARSE].reshape(height, _COARSE, width, _COARSE)
    return np.asarray(cut.mean((1, 3)), np.float32)
