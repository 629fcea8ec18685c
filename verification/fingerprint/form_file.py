"""A form as a file (PDF), read twice: as it is built, and as it comes out.

One library says which pictures the page of prints is built from and where they are placed; another draws
the page. Neither made the file, and what one of them overlooks the other shows.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pypdfium2
from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, StreamObject

from verification.errors import MalformedDocument
from verification.fingerprint.engine import Print
from verification.fingerprint.form_page import BOXES, PAGE_HEIGHT, PAGE_WIDTH, PPI

POINT = PPI / 72
"""How many pixels a point of a PDF has on the form."""

MAX_PAGES = 8

_DRAWING = threading.Lock()
"""pdfium may be called by one thread at a time."""

_PLAIN = {"/ColorSpace": "/DeviceGray", "/BitsPerComponent": 8}
_ALTERING = frozenset({"/SMask", "/Mask", "/ImageMask", "/Decode", "/Interpolate", "/Alternates", "/OC"})

Matrix = tuple[float, float, float, float, float, float]
_UNMOVED: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class PlacedPicture(NamedTuple):
    """A picture that the page is built from: its edges in pixels of the form, its own pixels.

    It is ``upright`` unless it is turned, mirrored or sheared; ``pixels`` are None for one that is not
    plain grey, or that something else alters.
    """

    left: float
    top: float
    width: float
    height: float
    upright: bool
    pixels: Print | None


@dataclass(frozen=True, slots=True)
class FormFile:
    """The last page of a form: what it is built from, what is written in its boxes, and how it comes out."""

    pictures: tuple[PlacedPicture, ...]
    texts: Mapping[int, str]
    raster: Print


def read_form(pdf: bytes, positions: Iterable[int]) -> FormFile:
    """The page of prints of a form, drawn at 500 ppi; raises MalformedDocument."""
    try:
        page = _last_page(pdf)
        pictures = tuple(_pictures(page))
        raster, texts = _drawn(pdf, tuple(positions))
    except (PyPdfError, pypdfium2.PdfiumError, ValueError, KeyError, TypeError, IndexError) as fault:
        raise MalformedDocument(f"no form: {type(fault).__name__}") from None
    return FormFile(pictures, texts, raster)


def _last_page(pdf: bytes) -> PageObject:
    reader = PdfReader(io.BytesIO(pdf))
    if len(reader.pages) > MAX_PAGES:
        raise MalformedDocument("more pages than a form has")
    page = reader.pages[-1]
    if "/UserUnit" in page or "/Annots" in page or page.rotation:
        raise MalformedDocument("something alters the page")
    return page


def _pictures(page: PageObject) -> Iterator[PlacedPicture]:
    """Every picture in the order in which it is drawn."""
    named: Any = page["/Resources"]
    named = named.get("/XObject", {})
    stack: list[Matrix] = []
    matrix = _UNMOVED
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"q":
            stack.append(matrix)
        elif operator == b"Q":
            matrix = stack.pop()
        elif operator == b"cm":
            matrix = _product([float(each) for each in operands], matrix)
        elif operator == b"Do":
            yield _placed(named[operands[0]].get_object(), matrix)


def _product(one: list[float], other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def _placed(drawn: StreamObject, matrix: Matrix) -> PlacedPicture:
    width, shear_y, shear_x, height, left, bottom = (each * POINT for each in matrix)
    upright = width > 0 and height > 0 and max(abs(shear_x), abs(shear_y)) < 1e-3
    return PlacedPicture(left, PAGE_HEIGHT - bottom - height, width, height, upright, _pixels(drawn))


def _pixels(drawn: StreamObject) -> Print | None:
    if drawn.get("/Subtype") != "/Image" or _ALTERING & drawn.keys():
        return None
    if any(drawn.get(name) != value for name, value in _PLAIN.items()):
        return None
    sides: Any = (drawn["/Height"], drawn["/Width"])
    shape, content = tuple(int(side) for side in sides), drawn.get_data()
    if len(content) != shape[0] * shape[1]:
        return None
    return np.frombuffer(content, np.uint8).reshape(shape)


def _drawn(pdf: bytes, positions: tuple[int, ...]) -> tuple[Print, dict[int, str]]:
    """The last page as pixels, and the text that lies in each box."""
    with _DRAWING:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[len(document) - 1]
            if not _is_the_page(page):
                raise MalformedDocument("a page of another size")
            raster = np.array(page.render(scale=POINT, grayscale=True).to_numpy(), np.uint8)
            words = page.get_textpage()
            texts = {position: words.get_text_bounded(*_in_points(position)) for position in positions}
        finally:
            document.close()
    # A part of a pixel that hangs over the edge gets a row or a column of its own.
    return np.ascontiguousarray(raster.reshape(raster.shape[:2])[:PAGE_HEIGHT, :PAGE_WIDTH]), texts


def _is_the_page(page: Any) -> bool:
    width, height = page.get_size()
    return bool(max(abs(width * POINT - PAGE_WIDTH), abs(height * POINT - PAGE_HEIGHT)) < 1)


def _in_points(position: int) -> tuple[float, float, float, float]:
    box = BOXES[position]
    left, right = box.left / POINT, box.right / POINT
    return left, (PAGE_HEIGHT - box.bottom) / POINT, right, (PAGE_HEIGHT - box.top) / POINT
