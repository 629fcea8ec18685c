"""The page of a form that shows prints at their own size, measured in pixels of 500 to the inch.

A4 across. Rolled prints stand in two rows by hand, plain ones in a third. What is larger than its box
is refused and never made smaller: a print that was scaled says less than none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from verification.errors import LimitExceeded
from verification.fingerprint.engine import Print

PPI = 500
PAGE_WIDTH, PAGE_HEIGHT = 5846, 4134

MARK_RADIUS = 49
MARK_RINGS = ((1.0, 0), (0.5, 255), (0.16, 0))
"""Radii of a mark's discs as shares of its own, and how bright each is: 2.5 mm, seen by any scanner."""

MARKS = ((200, 200), (5646, 200), (200, 3934), (5646, 3934))
"""Where the middles of the four marks are, from the page's upper left corner."""

REASON_TOP, REASON_BOTTOM = 240, 480
"""The rows of a box in which the reason stands for which it has no print."""

BOTH_THUMBS = 15
PLAIN_THUMBS = (11, 12)
PAPER_WHITE = 255


class Box(NamedTuple):
    """A place on the page."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column that is not in it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row that is not in it."""
        return self.top + self.height


def _row(top: int, positions: tuple[int, ...], width: int, height: int) -> dict[int, Box]:
    """Boxes side by side in the middle of the page, with a gap for their frames."""
    pitch = width + 20
    left = (PAGE_WIDTH - pitch * len(positions)) // 2 + 10
    return {each: Box(left + place * pitch, top, width, height) for place, each in enumerate(positions)}


BOXES: Mapping[int, Box] = {
    **_row(640, (1, 2, 3, 4, 5), 840, 800),
    **_row(1520, (6, 7, 8, 9, 10), 840, 800),
    **_row(2400, (14, BOTH_THUMBS, 13), 1620, 1500),
    **_row(2400, (12, 11), 800, 1500),
}
"""By the position of the finger (ANSI/NIST): a rolled print is up to 1.6 inches wide, four plain ones 3.2.

Both thumbs in one picture have the place of the two plain ones. Fourier transforms are quick at these sides.
"""


def place_of(position: int, picture: Print) -> Box:
    """Where a print stands, in the middle of its box; raises LimitExceeded for what has no room."""
    box, (height, width) = BOXES.get(position, Box(0, 0, 0, 0)), picture.shape
    if width > box.width or height > box.height:
        raise LimitExceeded(f"a print of {width} by {height} pixels has no room as number {position}")
    return Box(box.left + (box.width - width) // 2, box.top + (box.height - height) // 2, width, height)


def expected_box(position: int, picture: Print | None) -> Print:
    """What a box shows: the print on white; raises LimitExceeded."""
    box = BOXES[position]
    shown = np.full((box.height, box.width), PAPER_WHITE, np.uint8)
    if picture is not None:
        at = place_of(position, picture)
        top, left = at.top - box.top, at.left - box.left
        shown[top : top + at.height, left : left + at.width] = picture
    return shown


def boxes_shown(positions: Iterable[int]) -> tuple[int, ...]:
    """The boxes of a page that shows these positions: every finger, and the plain prints that there are.

    Raises LimitExceeded where both thumbs are there together and one by one.
    """
    plain = sorted({position for position in positions if position > 10})
    if BOTH_THUMBS in plain and set(PLAIN_THUMBS) & set(plain):
        raise LimitExceeded("both thumbs have one place")
    return (*range(1, 11), *plain)
