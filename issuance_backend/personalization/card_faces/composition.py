"""One card's faces as marks with exact places; print file and raster are drawn from the same marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from issuance_backend.personalization.card_faces.chip_picture import chip_picture
from issuance_backend.personalization.card_faces.contents import FaceContents
from issuance_backend.personalization.card_faces.fonts import CardFonts, Typeface
from issuance_backend.personalization.card_faces.layout import (
    Element,
    Frame,
    Label,
    MrzPlace,
    PortraitBox,
    QrPlace,
    Value,
)
from issuance_backend.personalization.card_faces.text_fitting import LEADING, fit

_ASCENT = 0.98
"""From the top of a line to its base line, in ems: capitals with marks reach 0.96."""


@dataclass(frozen=True, slots=True)
class TextMark:
    """Text on a base line; ``size`` in millimetres to the em."""

    text: str
    face: Typeface
    size: float
    x: float
    baseline: float


@dataclass(frozen=True, slots=True)
class PictureMark:
    """The portrait, as the chip holds it and decoded."""

    image: bytes
    picture: Image.Image
    box: PortraitBox


@dataclass(frozen=True, slots=True)
class QrMark:
    """A QR code, without its quiet zone."""

    text: str
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class MrzMark:
    """A line of the machine readable zone."""

    text: str
    x: float
    baseline: float


FixedMark = TextMark | Frame
Mark = FixedMark | PictureMark | QrMark | MrzMark


@dataclass(frozen=True, slots=True)
class ComposedFace:
    """What every card of the layout has, and what this one has."""

    fixed: tuple[FixedMark, ...]
    own: tuple[Mark, ...]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Everything on the face."""
        return (*self.fixed, *self.own)


@dataclass(frozen=True, slots=True)
class ComposedCard:
    """Both faces."""

    front: ComposedFace
    back: ComposedFace


def compose(contents: FaceContents, fonts: CardFonts) -> ComposedCard:
    """Place everything; raises CardTextUnprintable, CardLayoutUnknown, ImageUndecodable."""
    layout = contents.layout
    return ComposedCard(*(_face(elements, contents, fonts) for elements in (layout.front, layout.back)))


def _face(elements: tuple[Element, ...], contents: FaceContents, fonts: CardFonts) -> ComposedFace:
    own = (mark for element in elements for mark in _own(element, contents, fonts))
    return ComposedFace(_fixed(elements, fonts), tuple(own))


@lru_cache
def _fixed(elements: tuple[Element, ...], fonts: CardFonts) -> tuple[FixedMark, ...]:
    marks: list[FixedMark] = [element for element in elements if isinstance(element, Frame)]
    for element in elements:
        if isinstance(element, Label):
            marks += _text(element.text, element, fonts)
    return tuple(marks)


def _own(element: Element, contents: FaceContents, fonts: CardFonts) -> Iterator[Mark]:
    match element:
        case Value():
            yield from _text(contents.fields[element.field], element, fonts)
        case PortraitBox():
            yield PictureMark(contents.portrait, chip_picture(contents.portrait), element)
        case QrPlace():
            yield QrMark(contents.qr_text, element.x, element.y, element.width)
        case MrzPlace():
            for number, line in enumerate(contents.mrz_lines):
                yield MrzMark(line, element.x, element.first_baseline + number * element.line_pitch)


def _text(text: str, box: Label | Value, fonts: CardFonts) -> Iterator[TextMark]:
    face = Typeface.BOLD if box.bold else Typeface.PLAIN
    fitted = fit(text, box, fonts)
    for number, line in enumerate(fitted.lines):
        room = box.width - fonts.width(face, line) * fitted.size
        left = box.x + (room / 2 if box.align == "center" else 0.0)
        baseline = box.y + (_ASCENT + number * LEADING) * fitted.size
        yield TextMark(line, face, fitted.size, left, baseline)
