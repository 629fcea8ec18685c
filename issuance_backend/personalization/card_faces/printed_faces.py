"""The two faces of a card as pictures: what a printer is given, and what a scanner hands back."""

from __future__ import annotations

import io

import msgspec
from PIL import Image, UnidentifiedImageError

from issuance_backend.personalization.card_faces.composition import compose
from issuance_backend.personalization.card_faces.contents import FaceContents
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.png_file import as_png
from issuance_backend.personalization.card_faces.print_file import as_print_file
from issuance_backend.personalization.card_faces.raster import DPI, draw_face
from verification.errors import ImageUndecodable

_MOST_DOTS = 8_000_000


class PrintedFaces(msgspec.Struct, frozen=True):
    """PNG of the front and of the back at 600 dots an inch."""

    front: bytes
    back: bytes


class PrintJob(msgspec.Struct, frozen=True):
    """What production hands to the card printer: the print file (PDF) and both rasters."""

    print_file: bytes
    faces: PrintedFaces


def print_job(contents: FaceContents, fonts: CardFonts) -> PrintJob:
    """Draw one card; raises CardTextUnprintable, CardLayoutUnknown, ImageUndecodable."""
    card = compose(contents, fonts)
    front, back = (as_png(draw_face(face, fonts), DPI) for face in (card.front, card.back))
    return PrintJob(as_print_file(card, fonts), PrintedFaces(front, back))


def opened(png: bytes) -> Image.Image:
    """A face that was scanned; raises ImageUndecodable."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            if picture.width * picture.height > _MOST_DOTS:
                raise ImageUndecodable("the scanned face is too large to decode")
            return picture.convert("L" if picture.mode == "L" else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ImageUndecodable("the scanned face does not decode") from None
