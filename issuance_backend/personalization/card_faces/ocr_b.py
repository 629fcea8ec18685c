"""OCR-B, the letters of the machine readable zone, drawn as strokes: they need no font file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec
from PIL import Image, ImageDraw

Point = tuple[float, float]
Strokes = tuple[tuple[Point, ...], ...]
"""Centre lines with round ends, in millimetres from the cell's left end on the base line, upwards."""

PITCH = 2.54
"""Ten letters an inch (ICAO 9303-3, 4.2.1)."""

ABOVE, BELOW = 2.9, 0.5
"""What a cell takes of its line, in millimetres from the base line."""

_UNIT = 0.01
# They leave the curve by a hundredth of a millimetre: a quarter of a printer's dot.
_PIECES_OF_A_CURVE = 6
_OVERSAMPLING = 4
_COMMAND = re.compile(r"([MLC])([^MLC]*)")


class _Shapes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    stroke: int
    letters: dict[str, str]


@cache
def _shapes() -> _Shapes:
    return msgspec.json.decode((files(__package__) / "ocr_b.json").read_bytes(), type=_Shapes)


LETTERS = "".join(_shapes().letters)
STROKE = _shapes().stroke * _UNIT
"""The width of every stroke in millimetres."""


@cache
def strokes(letter: str) -> Strokes:
    """The centre lines of one of ``LETTERS``, curves in straight pieces."""
    lines: list[list[Point]] = []
    for command, operands in _COMMAND.findall(_shapes().letters[letter]):
        numbers = [int(number) * _UNIT for number in operands.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if command == "M":
            lines.append(points)
        elif command == "L":
            lines[-1] += points
        else:
            lines[-1] += _pieces([lines[-1][-1], *points])
    return tuple(tuple(line) for line in lines)


@cache
def letter_ink(letter: str, dots: float) -> Image.Image:
    """The letter's cell at so many dots a millimetre; ink is 255."""
    scale = dots * _OVERSAMPLING
    size = round(PITCH * dots), round((ABOVE + BELOW) * dots)
    large = Image.new("L", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING), 0)
    draw, radius = ImageDraw.Draw(large), STROKE * scale / 2
    for line in strokes(letter):
        points = [(x * scale, (ABOVE - y) * scale) for x, y in line]
        for one, other in pairwise(points):
            draw.line((*one, *other), fill=255, width=round(2 * radius))
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return large.resize(size, Image.Resampling.BOX)


def _pieces(controls: list[Point]) -> list[Point]:
    """A cubic curve from its first control point, which is left out."""
    steps = (step / _PIECES_OF_A_CURVE for step in range(1, _PIECES_OF_A_CURVE + 1))
    return [(_at(t, *(x for x, _ in controls)), _at(t, *(y for _, y in controls))) for t in steps]


def _at(t: float, start: float, first: float, second: float, end: float) -> float:
    s = 1 - t
    return s**3 * start + 3 * s * s * t * first + 3 * s * t * t * second + t**3 * end
