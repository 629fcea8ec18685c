"""The typeface of a card's texts: DejaVu Sans, which has every Vietnamese letter.

A typeface that is missing, or that lacks a letter, stops the card: no other one stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont
from reportlab.pdfbase.ttfonts import TTFError, TTFontFile

from issuance_backend.refusals import CardFontMissing, CardTextUnprintable

FONT_ROOT = Path("/usr/share/fonts/truetype/dejavu")
_MEASURED_AT = 1000
_REMEMBERED = 4096


class Typeface(StrEnum):
    """By the name of its file."""

    PLAIN = "DejaVuSans"
    BOLD = "DejaVuSans-Bold"


@dataclass(frozen=True, slots=True)
class CardFonts:
    """The typefaces in one folder; raises CardFontMissing where one is not there."""

    root: Path = FONT_ROOT

    def __post_init__(self) -> None:
        for face in Typeface:
            _coverage(self.path(face))

    def path(self, face: Typeface) -> Path:
        """The font file."""
        return self.root / f"{face.value}.ttf"

    def sized(self, face: Typeface, pixels: float) -> ImageFont.FreeTypeFont:
        """The font for drawing on a raster."""
        return _sized(self.path(face), pixels)

    def width(self, face: Typeface, text: str) -> float:
        """How wide the text runs, in ems; raises CardTextUnprintable for a letter the font lacks."""
        return _width(self.path(face), text)


@cache
def _coverage(path: Path) -> frozenset[int]:
    try:
        return frozenset(TTFontFile(str(path)).charToGlyph)
    except (OSError, TTFError):
        raise CardFontMissing(f"no {path.name}") from None


@cache
def _sized(path: Path, pixels: float) -> ImageFont.FreeTypeFont:
    # The simple layout: Vietnamese letters are composed, and every machine sets them alike.
    return ImageFont.truetype(path, pixels, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(_REMEMBERED)
def _width(path: Path, text: str) -> float:
    if not _coverage(path).issuperset(map(ord, text)):
        raise CardTextUnprintable(f"a letter that {path.stem} does not have")
    return _sized(path, _MEASURED_AT).getlength(text) / _MEASURED_AT
