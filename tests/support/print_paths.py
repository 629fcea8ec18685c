"""Ways in which prints come onto a form, or onto paper, other than as they were captured."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageFilter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from verification.capture_form.print_page import INWARDS, PIXEL, PRINTS_PAGE, draw_print, draw_prints
from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import BOXES, PAGE_HEIGHT, Box, place_of
from verification.fingerprint.printed_form import Accepted
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition

Draw = Callable[[Canvas, int, Print], None]
_WHITE = 255


@cache
def fingers(seed: int, positions: tuple[int, ...]) -> Mapping[int, Print]:
    """Prints of nobody."""
    return {position: render_finger(seed, FingerPosition(position)) for position in positions}


def form_file(
    accepted: Accepted, draw: Draw | None = None, page: Callable[[Canvas], None] | None = None
) -> bytes:
    """A page of prints as a file; ``draw`` puts a print onto it, ``page`` is done to all of it before."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=PRINTS_PAGE, invariant=1, pageCompression=1)
    if page is not None:
        page(canvas)
    draw_prints(canvas, "Helvetica", {}, accepted.reasons)
    for position, picture in accepted.prints.items():
        (draw or as_it_is)(canvas, position, picture)
    canvas.save()
    return out.getvalue()


def as_it_is(canvas: Canvas, position: int, picture: Print) -> None:
    """The right way."""
    draw_print(canvas, place_of(position, picture), picture)


def scaled(across: float, down: float | None = None) -> Draw:
    """Larger or smaller about the middle of its place."""

    def draw(canvas: Canvas, position: int, picture: Print) -> None:
        place = place_of(position, picture)
        _stretched(canvas, place, across, across if down is None else down, picture)

    return draw


def fitted(canvas: Canvas, position: int, picture: Print) -> None:
    """As large as the box lets it be: what programs call a fit."""
    box, place = BOXES[position], place_of(position, picture)
    share = min((box.width - 20) / place.width, (box.height - 20) / place.height)
    _stretched(canvas, place, share, share, picture)


def moved(canvas: Canvas, position: int, picture: Print) -> None:
    """A millimetre to the right."""
    place = place_of(position, picture)
    draw_print(canvas, place._replace(left=place.left + 20), picture)


def turned(degrees: float) -> Draw:
    """Turned about its middle."""

    def draw(canvas: Canvas, position: int, picture: Print) -> None:
        place = place_of(position, picture)
        middle = (place.left + place.width / 2) * PIXEL, (PAGE_HEIGHT - place.top - place.height / 2) * PIXEL
        canvas.saveState()
        canvas.translate(*middle)
        canvas.rotate(degrees)
        canvas.translate(-middle[0], -middle[1])
        draw_print(canvas, place, picture)
        canvas.restoreState()

    return draw


def clipped(canvas: Canvas, position: int, picture: Print) -> None:
    """Cut to a box that is too small for it."""
    place = place_of(position, picture)
    canvas.saveState()
    path = canvas.beginPath()
    left, bottom = (place.left + 50) * PIXEL, (PAGE_HEIGHT - place.bottom + 50) * PIXEL
    path.rect(left, bottom, (place.width - 100) * PIXEL, (place.height - 100) * PIXEL)
    canvas.clipPath(path, stroke=0)
    draw_print(canvas, place, picture)
    canvas.restoreState()


def covered(canvas: Canvas, position: int, picture: Print) -> None:
    """With a line over it, as a stamp or a frame would be."""
    as_it_is(canvas, position, picture)
    place = place_of(position, picture)
    canvas.saveState()
    canvas.setFillGray(1)
    left, bottom = (place.left + 60) * PIXEL, (PAGE_HEIGHT - place.bottom + 150) * PIXEL
    canvas.rect(left, bottom, place.width * PIXEL, 30 * PIXEL, stroke=0, fill=1)
    canvas.restoreState()


def altered(change: Callable[[Print], Print]) -> Draw:
    """In its place and at its size, with other pixels."""

    def draw(canvas: Canvas, position: int, picture: Print) -> None:
        place = place_of(position, picture)
        _stretched(canvas, place, 1, 1, np.ascontiguousarray(change(picture)))

    return draw


def _stretched(canvas: Canvas, place: Box, across: float, down: float, picture: Print) -> None:
    width, height = place.width * across, place.height * down
    left, top = place.left + (place.width - width) / 2, place.top + (place.height - height) / 2
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "PNG")
    bottom = (PAGE_HEIGHT - top - height) * PIXEL
    canvas.drawImage(
        ImageReader(encoded),
        *(left * PIXEL + INWARDS, bottom + INWARDS),
        *(width * PIXEL - 2 * INWARDS, height * PIXEL - 2 * INWARDS),
    )


def _resampled(share: float, method: Image.Resampling) -> Callable[[Print], Print]:
    def change(picture: Print) -> Print:
        height, width = picture.shape
        size = round(width * share), round(height * share)
        return np.asarray(Image.fromarray(picture).resize(size, method))

    return change


def _and_back(picture: Print) -> Print:
    height, width = picture.shape
    small = Image.fromarray(picture).resize((width // 2, height // 2), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _dithered(dpi: int) -> Callable[[Print], Print]:
    def change(picture: Print) -> Print:
        height, width = picture.shape
        small = Image.fromarray(picture).resize((width * dpi // 500, height * dpi // 500))
        return np.asarray(small.convert("1").convert("L"))

    return change


def _through_jpeg(picture: Print) -> Print:
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG", quality=12)
    return np.asarray(Image.open(encoded).convert("L"))


def _without_lines(picture: Print) -> Print:
    left = picture.copy()
    left[::9] = _WHITE
    return left


def _cut(picture: Print) -> Print:
    left = picture.copy()
    left[:100] = _WHITE
    return left


PATHS: Mapping[str, Draw] = {
    "shrunk to 85 %": scaled(0.85),
    "shrunk to 97 %": scaled(0.97),
    "shrunk to 99 %": scaled(0.99),
    "enlarged to 103 %": scaled(1.03),
    "narrowed to 93 %": scaled(0.93, 1),
    "fitted to the box": fitted,
    "moved by a millimetre": moved,
    "turned by two degrees": turned(2),
    "turned upside down": turned(180),
    "clipped by its box": clipped,
    "covered by a line": covered,
    "a picture of the screen, 150 ppi": altered(_resampled(0.3, Image.Resampling.NEAREST)),
    "at 250 ppi": altered(_resampled(0.5, Image.Resampling.BOX)),
    "at 250 ppi and back": altered(_and_back),
    "a hard threshold": altered(lambda picture: np.where(picture > 175, _WHITE, 0).astype(np.uint8)),
    "one bit, 500 dpi": altered(_dithered(500)),
    "one bit, 300 dpi": altered(_dithered(300)),
    "JPEG of quality 12": altered(_through_jpeg),
    "inverted": altered(lambda picture: _WHITE - picture),
    "mirrored": altered(lambda picture: picture[:, ::-1]),
    "missing lines": altered(_without_lines),
    "washed out": altered(lambda picture: 128 + picture // 2),
    "cut at the edge": altered(_cut),
}
"""What programs and drivers do to prints."""


@dataclass(frozen=True)
class Printer:
    """A laser printer and a scanner: halftone of 600 dpi, toner that spreads, light that falls off, noise."""

    scale: float = 1.0
    turn: float = 0.0
    dpi: int = 600
    spread: float = 1.1

    def scan(self, page: Print) -> Print:
        """The page after it was printed and scanned at 500 ppi."""
        height, width = page.shape
        steps = self.dpi / 500
        size = round(width * steps), round(height * steps)
        toner = Image.fromarray(page).resize(size, Image.Resampling.BICUBIC).convert("1").convert("L")
        laid = toner.filter(ImageFilter.GaussianBlur(self.spread))
        angle = np.radians(self.turn)
        along, across = np.cos(angle) / self.scale, np.sin(angle) / self.scale
        right, down = width / 2, height / 2
        seen = laid.transform(
            (width, height),
            Image.Transform.AFFINE,
            (
                *(steps * along, steps * across, steps * (right - along * right - across * down)),
                *(-steps * across, steps * along, steps * (down + across * right - along * down)),
            ),
            Image.Resampling.BILINEAR,
            fillcolor=_WHITE,
        )
        noise = np.random.default_rng(0).standard_normal((height, width), np.float32)
        return np.clip(np.asarray(seen, np.float32) * 0.9 + 20 + 4 * noise, 0, _WHITE).astype(np.uint8)
