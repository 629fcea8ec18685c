"""A printed card judged: its faces read back, and laid over a fresh drawing of what its chip says.

Nothing here knows the order: the print must agree with the chip, the chip's own checks tie it to the order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PIL import Image

from issuance_backend.personalization.card_faces import print_defects
from issuance_backend.personalization.card_faces.captured_picture import CapturedPicture
from issuance_backend.personalization.card_faces.composition import (
    ComposedFace,
    PictureMark,
    QrMark,
    compose,
)
from issuance_backend.personalization.card_faces.contents import FaceContents
from issuance_backend.personalization.card_faces.edge_spread import Spread, edge_spread
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.layout import Box, MrzPlace, Value
from issuance_backend.personalization.card_faces.mrz_reading import read_mrz
from issuance_backend.personalization.card_faces.print_alignment import READ_AT, LaidScan, laid_over
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, opened
from issuance_backend.personalization.card_faces.raster import dots, draw_face
from issuance_backend.qr_symbol import read_qr
from verification.encoding.mrz import parse_td1
from verification.errors import MalformedDocument, VerificationError

_SOFTER_THAN_TEXT, _SOFTEST = 0.4, 1.6
"""Dots squared: how much more a portrait's edges may spread than the number's beside it, and how much in all.

Both went through the same scanner. Good prints reach 0.15 and 1.1; a portrait blurred by a dot begins at 0.6,
a whole face blurred by a dot and a half at 2.1.
"""

FACE_CHECKS = (
    "faces_scanned",
    "printed_mrz",
    "printed_qr",
    "printed_portrait",
    "printed_ink",
    "printed_lines",
)

Faults = Mapping[str, str | None]
"""The code of what is wrong, or none, by the names of ``FACE_CHECKS``."""

_QUIET_ZONE = 2.5
"""Millimetres round the QR code that its reader is given: the print may have moved."""


@dataclass(frozen=True, slots=True)
class _Face:
    """One scanned face and the drawing that it is laid over; ``grey`` and ``wanted`` at 300 dots an inch."""

    laid: LaidScan
    grey: Image.Image
    drawn: Image.Image
    wanted: Image.Image
    marks: ComposedFace


class FaceControl:
    """Judges printed faces; ``fonts`` are those the printer used."""

    def __init__(self, fonts: CardFonts) -> None:
        self._fonts = fonts

    def faults(self, printed: PrintedFaces, chip: FaceContents, captured: CapturedPicture) -> Faults:
        """Every check with its fault; never raises for a bad print."""
        try:
            faces = self._scanned(printed, chip)
        except VerificationError:
            faces = None
        if faces is None:
            return dict.fromkeys(FACE_CHECKS, "QC_PRINT_NOT_READ")
        checks: tuple[Callable[[], str | None], ...] = (
            lambda: None,
            partial(_mrz, faces[1], chip),
            partial(_qr, faces, chip),
            partial(_portrait, faces[0], chip, captured),
            partial(_ink, faces),
            partial(_lines, faces),
        )
        return {name: check() for name, check in zip(FACE_CHECKS, checks, strict=True)}

    def _scanned(self, printed: PrintedFaces, chip: FaceContents) -> tuple[_Face, _Face] | None:
        card = compose(chip, self._fonts)
        front = self._face(printed.front, card.front)
        back = self._face(printed.back, card.back) if front else None
        return (front, back) if front and back else None

    def _face(self, png: bytes, marks: ComposedFace) -> _Face | None:
        scan, drawn = opened(png), draw_face(marks, self._fonts)
        grey = drawn.convert("L")
        laid = laid_over(scan, grey)
        if laid is None:
            return None
        wanted = grey.reduce(READ_AT)
        return _Face(laid, print_defects.levelled(laid.grey, wanted), drawn, wanted, marks)


def _mrz(back: _Face, chip: FaceContents) -> str | None:
    place = next(element for element in chip.layout.back if isinstance(element, MrzPlace))
    read = read_mrz(back.grey, place)
    try:
        if read is None:
            return "QC_PRINTED_MRZ_NOT_READ"
        parse_td1(read)
    except MalformedDocument:
        return "QC_PRINTED_MRZ_NOT_READ"
    return None if read == "".join(chip.mrz_lines) else "QC_PRINTED_MRZ_DIFFERS"


def _qr(faces: tuple[_Face, _Face], chip: FaceContents) -> str | None:
    face, mark = next((face, mark) for face in faces for mark in face.marks.own if isinstance(mark, QrMark))
    corners = (mark.x, mark.y, mark.x + mark.width, mark.y + mark.width)
    left, top, right, bottom = dots(*corners)
    (room,) = dots(_QUIET_ZONE)
    read = read_qr(face.laid.part((left - room, top - room, right + room, bottom + room)))
    if read is None:
        return "QC_PRINTED_QR_NOT_READ"
    return None if read == chip.qr_text else "QC_PRINTED_QR_DIFFERS"


def _portrait(front: _Face, chip: FaceContents, captured: CapturedPicture) -> str | None:
    box = _portrait_box(front)
    if box is None:
        return "QC_PRINTED_PORTRAIT_DIFFERS"
    shown, wanted = front.laid.part(box), front.drawn.crop(box)
    if not captured.is_shown_by(shown) or print_defects.tone_differs(front.laid.colours(box), wanted):
        return "QC_PRINTED_PORTRAIT_DIFFERS"
    spread = edge_spread(shown, wanted)
    more_than_text = spread - _text_spread(front, chip)
    is_sharp = spread.max() <= _SOFTEST and more_than_text.max() <= _SOFTER_THAN_TEXT
    return None if is_sharp else "QC_PRINTED_PORTRAIT_BLURRED"


def _text_spread(front: _Face, chip: FaceContents) -> Spread:
    """Of the citizen's number: on every layout it is the widest print beside the portrait."""
    elements = (element for element in chip.layout.front if isinstance(element, Value))
    box = _dots(next(element for element in elements if element.field == "number"))
    return edge_spread(front.laid.part(box), front.drawn.crop(box))


def _ink(faces: tuple[_Face, _Face]) -> str | None:
    for face in faces:
        box = _portrait_box(face)
        halved = (box[0] // READ_AT, box[1] // READ_AT, box[2] // READ_AT, box[3] // READ_AT) if box else None
        if print_defects.ink_differs(face.grey, face.wanted, halved):
            return "QC_PRINT_DIFFERS"
    return None


def _lines(faces: tuple[_Face, _Face]) -> str | None:
    differs = any(print_defects.has_line(face.grey, face.wanted) for face in faces)
    return "QC_PRINT_LINE" if differs else None


def _portrait_box(face: _Face) -> print_defects.Box | None:
    for mark in face.marks.own:
        if isinstance(mark, PictureMark):
            return _dots(mark.box)
    return None


def _dots(box: Box) -> print_defects.Box:
    left, top, right, bottom = dots(box.x, box.y, box.x + box.width, box.y + box.height)
    return left, top, right, bottom
