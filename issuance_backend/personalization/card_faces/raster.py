"""A composed card as pictures at 600 dots an inch."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw

from issuance_backend.personalization.card_faces.composition import (
    ComposedFace,
    FixedMark,
    Mark,
    MrzMark,
    PictureMark,
    QrMark,
    TextMark,
)
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.layout import CARD_HEIGHT, CARD_WIDTH, Frame
from issuance_backend.personalization.card_faces.ocr_b import ABOVE, PITCH, letter_ink
from issuance_backend.qr_symbol import qr_modules

DPI = 600
DOTS = DPI / 25.4
"""Dots to the millimetre."""

SIZE = (round(CARD_WIDTH * DOTS), round(CARD_HEIGHT * DOTS))
FRAME_GREY = 90
FRAME_WIDTH = 0.2
_WHITE, _BLACK = 255, 0


def draw_face(face: ComposedFace, fonts: CardFonts) -> Image.Image:
    """One face: in colours if it has a portrait, else grey."""
    blank = _blank(face.fixed, fonts)
    has_portrait = any(isinstance(mark, PictureMark) for mark in face.own)
    picture = blank.convert("RGB") if has_portrait else blank.copy()
    for mark in face.own:
        _draw(mark, picture, fonts)
    return picture


def dots(*millimetres: float) -> tuple[int, ...]:
    """Millimetres as whole dots."""
    return tuple(round(length * DOTS) for length in millimetres)


@lru_cache
def _blank(fixed: tuple[FixedMark, ...], fonts: CardFonts) -> Image.Image:
    """What is the same on every card is drawn once."""
    picture = Image.new("L", SIZE, _WHITE)
    for mark in fixed:
        _draw(mark, picture, fonts)
    return picture


def _draw(mark: Mark, picture: Image.Image, fonts: CardFonts) -> None:
    match mark:
        case TextMark():
            _draw_text(mark, picture, fonts)
        case PictureMark():
            _draw_portrait(mark, picture)
        case QrMark():
            _draw_qr(mark, picture)
        case MrzMark():
            _draw_mrz(mark, picture)
        case Frame():
            _draw_frame(mark, picture)


def _draw_text(mark: TextMark, picture: Image.Image, fonts: CardFonts) -> None:
    font = fonts.sized(mark.face, mark.size * DOTS)
    place = (mark.x * DOTS, mark.baseline * DOTS)
    ImageDraw.Draw(picture).text(place, mark.text, font=font, fill="black", anchor="ls")


def _draw_mrz(mark: MrzMark, picture: Image.Image) -> None:
    (top,) = dots(mark.baseline - ABOVE)
    for number, letter in enumerate(mark.text):
        (left,) = dots(mark.x + number * PITCH)
        picture.paste("black", (left, top), letter_ink(letter, DOTS))


def _draw_portrait(mark: PictureMark, picture: Image.Image) -> None:
    box = mark.box
    left, top, right, bottom = dots(box.x, box.y, box.x + box.width, box.y + box.height)
    portrait = mark.picture.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    picture.paste(portrait, (left, top))


def _draw_qr(mark: QrMark, picture: Image.Image) -> None:
    rows = qr_modules(mark.text)
    modules = bytes(_BLACK if dark else _WHITE for row in rows for dark in row)
    symbol = Image.frombytes("L", (len(rows), len(rows)), modules)
    left, top, right, bottom = dots(mark.x, mark.y, mark.x + mark.width, mark.y + mark.width)
    picture.paste(symbol.resize((right - left, bottom - top), Image.Resampling.NEAREST), (left, top))


def _draw_frame(mark: Frame, picture: Image.Image) -> None:
    corners = dots(mark.x, mark.y, mark.x + mark.width, mark.y + mark.height)
    ImageDraw.Draw(picture).rectangle(corners, outline=FRAME_GREY, width=round(FRAME_WIDTH * DOTS))
