"""The page of a form that shows the prints at their own size, as the judge of the form expects it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import groupby

from PIL import Image
from reportlab import rl_config
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import (
    BOXES,
    MARK_RADIUS,
    MARK_RINGS,
    MARKS,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PPI,
    REASON_TOP,
    Box,
    boxes_shown,
    place_of,
)

PIXEL = 72 / PPI
_SHORTER = 0.001
PRINTS_PAGE = (PAGE_WIDTH * PIXEL - _SHORTER, PAGE_HEIGHT * PIXEL - _SHORTER)
"""A4 across: a hair less than whole pixels of 500 ppi, which programs that draw pages round up."""

INWARDS = 0.004
"""Points by which an edge is drawn inside its own: programs that draw pages round edges outwards."""

SIGNATURE_BOX, CODE_BOX = Box(330, 170, 1500, 390), Box(5140, 340, 560, 560)
"""Where the citizen signs, and the code by which a scan is told from that of another form.

Above the prints and beside them: whatever prints a form bears leave both free.
"""

_FRAME = 6
_RULER = (1939, 430, 100)
"""Left end, line, and millimetres of the ruler."""

# Otherwise pictures would be written as letters, by hand, which takes longer than everything else.
rl_config.useA85 = 0


def draw_head(canvas: Canvas, fonts: tuple[str, str], heading: str, capture: str) -> None:
    """What the page belongs to."""
    plain, bold = fonts
    middle = PAGE_WIDTH / 2
    canvas.setFont(bold, 11)
    canvas.drawCentredString(*_point(middle, 210), heading)
    canvas.setFont(plain, 9)
    canvas.drawCentredString(*_point(middle, 310), f"Vân tay · {capture}")


def draw_prints(canvas: Canvas, font: str, prints: Mapping[int, Print], written: Mapping[int, str]) -> None:
    """Frames, marks and ruler, the prints, and what is written in a box without one.

    Raises LimitExceeded for a print that has no room.
    """
    draw_marks(canvas, font)
    for position in boxes_shown({*prints, *written}):
        _frame(canvas, font, position)
        if position in prints:
            draw_print(canvas, place_of(position, prints[position]), prints[position])
        elif position in written:
            _write(canvas, font, position, written[position])


def draw_marks(canvas: Canvas, font: str) -> None:
    """What a scan is laid straight by, and the ruler."""
    for place in MARKS:
        _mark(canvas, *place)
    _ruler(canvas, font)


def draw_signed(canvas: Canvas, font: str, label: str, modules: Sequence[bytes]) -> None:
    """The box for the signature, and a code as rows of modules of which 1 is dark."""
    _outline(canvas, SIGNATURE_BOX)
    canvas.setFont(font, 8)
    canvas.drawString(*_point(SIGNATURE_BOX.left, SIGNATURE_BOX.top - 30), label)
    side = CODE_BOX.width / len(modules)
    dark = canvas.beginPath()
    for row, line in enumerate(modules):
        bottom, column = CODE_BOX.top + (row + 1) * side, 0
        # Dark modules in a row are one piece: whoever reads the file has half as much of it to read.
        for is_dark, piece in groupby(line):
            width = len(list(piece))
            if is_dark:
                corner = _point(CODE_BOX.left + column * side, bottom)
                dark.rect(*corner, width * side * PIXEL, side * PIXEL)
            column += width
    canvas.drawPath(dark, stroke=0, fill=1)


def draw_print(canvas: Canvas, place: Box, picture: Print) -> None:
    """One print, pixel for pixel."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG", compress_level=1)
    canvas.drawImage(
        ImageReader(encoded),
        place.left * PIXEL + INWARDS,
        (PAGE_HEIGHT - place.bottom) * PIXEL + INWARDS,
        place.width * PIXEL - 2 * INWARDS,
        place.height * PIXEL - 2 * INWARDS,
    )


def _mark(canvas: Canvas, left: int, top: int) -> None:
    for share, level in MARK_RINGS:
        canvas.setFillGray(level / 255)
        canvas.circle(*_point(left, top), MARK_RADIUS * share * PIXEL, stroke=0, fill=1)
    canvas.setFillGray(0)


def _ruler(canvas: Canvas, font: str) -> None:
    """Who holds the paper sees with any ruler whether it came out at its own size."""
    left, top, length = _RULER
    millimetre = PPI / 25.4
    canvas.setLineWidth(0.6)
    canvas.line(*_point(left, top), *_point(left + length * millimetre, top))
    for number in range(0, length + 1, 10):
        at = left + number * millimetre
        canvas.line(*_point(at, top), *_point(at, top - 40))
    canvas.setFont(font, 7)
    middle = left + length * millimetre / 2
    canvas.drawCentredString(*_point(middle, top + 80), "100 mm · In 100 %, không co giãn")


def _frame(canvas: Canvas, font: str, position: int) -> None:
    box = BOXES[position]
    _outline(canvas, box)
    canvas.setFont(font, 7)
    canvas.drawString(*_point(box.left, box.top - 20), f"{position}. {FINGER_NAMES[position]}")


def _outline(canvas: Canvas, box: Box) -> None:
    canvas.setLineWidth(0.4)
    canvas.setStrokeGray(0.4)
    corner = _point(box.left - _FRAME, box.bottom + _FRAME)
    canvas.rect(*corner, (box.width + 2 * _FRAME) * PIXEL, (box.height + 2 * _FRAME) * PIXEL)
    canvas.setStrokeGray(0)


def _write(canvas: Canvas, font: str, position: int, text: str) -> None:
    """The lines of a reason in the middle of their box, broken where they would leave it."""
    box = BOXES[position]
    canvas.setFont(font, 8)
    lines = simpleSplit(text, font, 8, (box.width - 2 * _FRAME) * PIXEL)
    for number, line in enumerate(lines):
        below = REASON_TOP + 60 + number * 70
        canvas.drawCentredString(*_point(box.left + box.width / 2, box.top + below), line)


def _point(left: float, top: float) -> tuple[float, float]:
    return left * PIXEL, (PAGE_HEIGHT - top) * PIXEL


FINGER_NAMES: Mapping[int, str] = {
    1: "Tay phải, ngón cái",
    2: "Tay phải, ngón trỏ",
    3: "Tay phải, ngón giữa",
    4: "Tay phải, ngón nhẫn",
    5: "Tay phải, ngón út",
    6: "Tay trái, ngón cái",
    7: "Tay trái, ngón trỏ",
    8: "Tay trái, ngón giữa",
    9: "Tay trái, ngón nhẫn",
    10: "Tay trái, ngón út",
    11: "Ngón cái phải, ấn phẳng",
    12: "Ngón cái trái, ấn phẳng",
    13: "Bốn ngón tay phải",
    14: "Bốn ngón tay trái",
    15: "Hai ngón cái",
}
"""By position, as the form has them."""
