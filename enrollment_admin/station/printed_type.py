"""The type that a kit prints in: Vietnamese letters, from the fonts that its machine has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError

from enrollment_admin.station.refusals import FontMissing
from verification.capture_form.shared_font import SharedFont

PLAIN, BOLD = "kit", "kit-bold"


class Face(NamedTuple):
    """A plain and a bold font in one folder."""

    folder: Path
    plain: str
    bold: str


FACES = (
    Face(Path("/usr/share/fonts/truetype/dejavu"), "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
    Face(Path("C:/Windows/Fonts"), "times.ttf", "timesbd.ttf"),
)
"""Debian's and Windows': the first that is there."""


@cache
def register_type(faces: Sequence[Face] = FACES) -> None:
    """Make both fonts known to the printer; raises FontMissing."""
    for face in faces:
        try:
            pdfmetrics.registerFont(SharedFont(PLAIN, str(face.folder / face.plain)))
            pdfmetrics.registerFont(SharedFont(BOLD, str(face.folder / face.bold)))
        except (OSError, TTFError):
            continue
        pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
        return
    raise FontMissing("no font with Vietnamese letters")
