"""A composed card as a print file: PDF of two pages, text as text, every place exact."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFImageXObject
from reportlab.pdfgen.canvas import Canvas

from issuance_backend.personalization.card_faces.composition import (
    ComposedCard,
    Mark,
    MrzMark,
    PictureMark,
    QrMark,
    TextMark,
)
from issuance_backend.personalization.card_faces.fonts import CardFonts, Typeface
from issuance_backend.personalization.card_faces.layout import CARD_HEIGHT, CARD_WIDTH, Frame
from issuance_backend.personalization.card_faces.ocr_b import PITCH, STROKE, strokes
from issuance_backend.personalization.card_faces.raster import FRAME_GREY, FRAME_WIDTH
from issuance_backend.qr_symbol import qr_modules
from verification.capture_form.shared_font import SharedFont
from verification.lds.image_header import JPEG_2000, image_kind

BLEED = 3.0
_CROP_MARK = 5.0
_CROP_GAP = 0.5
_ROUND = 1
_INVISIBLE = 3
"""Text render mode of PDF (ISO 32000-1, 9.3.6)."""


class _Portrait(PDFImageXObject):  # type: ignore[misc]
    """The image of DG2 as it is: PDF knows JPEG 2000, so that it is not decoded and packed again."""

    def __init__(self, mark: PictureMark) -> None:
        super().__init__(hashlib.sha256(mark.image).hexdigest())
        self.width, self.height = mark.picture.size
        self.bitsPerComponent, self.colorSpace = 8, "DeviceRGB"
        self._filters = ("JPXDecode" if image_kind(mark.image) == JPEG_2000 else "DCTDecode",)
        self.streamContent = mark.image


def as_print_file(card: ComposedCard, fonts: CardFonts, *, crop_marks: bool = False) -> bytes:
    """Front and back at 1:1; with crop marks the page has 3 mm of bleed and room for them.

    The same card gives the same bytes. The trim box of each page is the card.
    """
    _register(fonts)
    margin = BLEED + _CROP_MARK if crop_marks else 0.0
    size = ((CARD_WIDTH + 2 * margin) * mm, (CARD_HEIGHT + 2 * margin) * mm)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1, pageCompression=1)
    trim = (margin * mm, margin * mm, size[0] - margin * mm, size[1] - margin * mm)
    for face in (card.front, card.back):
        canvas.setTrimBox(trim)
        if crop_marks:
            bled = (_CROP_MARK * mm, _CROP_MARK * mm, size[0] - _CROP_MARK * mm, size[1] - _CROP_MARK * mm)
            canvas.setBleedBox(bled)
            _draw_crop_marks(canvas, margin)
        canvas.translate(margin * mm, margin * mm)
        _draw_marks(canvas, face.marks)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


@cache
def _register(fonts: CardFonts) -> None:
    for face in Typeface:
        pdfmetrics.registerFont(SharedFont(_name(face), str(fonts.path(face))))


def _name(face: Typeface) -> str:
    return f"card-{face.value}"


def _draw_marks(canvas: Canvas, marks: Sequence[Mark]) -> None:
    for mark in marks:
        _draw(mark, canvas)


def _draw_crop_marks(canvas: Canvas, margin: float) -> None:
    canvas.setLineWidth(0.1 * mm)
    for x in (margin, margin + CARD_WIDTH):
        for start in (0.0, 2 * margin + CARD_HEIGHT - _CROP_MARK + _CROP_GAP):
            canvas.line(x * mm, start * mm, x * mm, (start + _CROP_MARK - _CROP_GAP) * mm)
    for y in (margin, margin + CARD_HEIGHT):
        for start in (0.0, 2 * margin + CARD_WIDTH - _CROP_MARK + _CROP_GAP):
            canvas.line(start * mm, y * mm, (start + _CROP_MARK - _CROP_GAP) * mm, y * mm)


def _up(y: float) -> float:
    """Millimetres from the upper edge as points from the lower one."""
    return float((CARD_HEIGHT - y) * mm)


def _draw(mark: Mark, canvas: Canvas) -> None:
    match mark:
        case TextMark():
            _draw_text(mark, canvas)
        case PictureMark():
            _draw_portrait(mark, canvas)
        case QrMark():
            _draw_qr(mark, canvas)
        case MrzMark():
            _draw_mrz(mark, canvas)
        case Frame():
            _draw_frame(mark, canvas)


def _draw_text(mark: TextMark, canvas: Canvas) -> None:
    text = canvas.beginText(mark.x * mm, _up(mark.baseline))
    text.setFont(_name(mark.face), mark.size * mm)
    text.textOut(mark.text)
    canvas.drawText(text)


def _draw_mrz(mark: MrzMark, canvas: Canvas) -> None:
    """Strokes; the same letters lie under them unseen, so that the zone can be searched and copied."""
    path = canvas.beginPath()
    for number, letter in enumerate(mark.text):
        left = mark.x + number * PITCH
        for (x, y), *rest in strokes(letter):
            path.moveTo((left + x) * mm, _up(mark.baseline - y))
            for further_x, further_y in rest:
                path.lineTo((left + further_x) * mm, _up(mark.baseline - further_y))
    canvas.setLineWidth(STROKE * mm)
    canvas.setLineCap(_ROUND)
    canvas.setLineJoin(_ROUND)
    canvas.drawPath(path, stroke=1, fill=0)
    text = canvas.beginText(mark.x * mm, _up(mark.baseline))
    text.setTextRenderMode(_INVISIBLE)
    text.setFont(_name(Typeface.PLAIN), PITCH * mm)
    text.textOut(mark.text)
    # The mode outlives the text.
    text.setTextRenderMode(0)
    canvas.drawText(text)


def _draw_portrait(mark: PictureMark, canvas: Canvas) -> None:
    portrait = _Portrait(mark)
    document = canvas._doc
    document.Reference(portrait, document.getXObjectName(portrait.name))
    document.addForm(portrait.name, portrait)
    canvas._setXObjects(portrait)
    box = mark.box
    canvas.saveState()
    canvas.translate(box.x * mm, _up(box.y + box.height))
    canvas.scale(box.width * mm, box.height * mm)
    canvas.doForm(portrait.name)
    canvas.restoreState()


def _draw_qr(mark: QrMark, canvas: Canvas) -> None:
    rows = qr_modules(mark.text)
    module = mark.width / len(rows)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        bottom, column = _up(mark.y + (number + 1) * module), 0
        # Dark modules in a row are one piece: no paper shows between them, and the file is half as long.
        for dark, modules in groupby(row):
            width = len(list(modules))
            if dark:
                path.rect((mark.x + column * module) * mm, bottom, width * module * mm, module * mm)
            column += width
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_frame(mark: Frame, canvas: Canvas) -> None:
    canvas.setStrokeGray(FRAME_GREY / 255)
    canvas.setLineWidth(FRAME_WIDTH * mm)
    canvas.rect(mark.x * mm, _up(mark.y + mark.height), mark.width * mm, mark.height * mm)
    canvas.setStrokeGray(0)
