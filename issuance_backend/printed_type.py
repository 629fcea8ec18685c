"""The type that papers of this office are printed in: Vietnamese letters at every size, plain and bold."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError

from issuance_backend.refusals import ReportFontMissing
from verification.capture_form.shared_font import SharedFont

FONTS = Path("/usr/share/fonts/truetype/dejavu")
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"


@cache
def register_type(fonts: Path = FONTS) -> None:
    """Make both faces known to the printer; raises ReportFontMissing."""
    try:
        for name in (PLAIN, BOLD):
            pdfmetrics.registerFont(SharedFont(name, str(fonts / f"{name}.ttf")))
    except (OSError, TTFError):
        raise ReportFontMissing(f"no {PLAIN} in {fonts.name}") from None


def text_style(font: str, size: float, alignment: int = 0) -> ParagraphStyle:
    """A face at a size, with the room that marks above and below letters need."""
    name = f"{font}{size}-{alignment}"
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.25, alignment=alignment)
