"""A sheet of form DC01 as a resident might have filled it in and a scanner sent it, for a demonstration."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

_SHEET = (1240, 1754)
"""A4 at 150 pixels an inch."""

_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def drawn_form(barcode: str, lines: Mapping[str, str]) -> bytes:
    """The first page as PNG: the barcode's text, and each printed label with what was written behind it."""
    sheet = Image.new("L", _SHEET, 252)
    pen = ImageDraw.Draw(sheet)
    # As on the card printer's side: laid out glyph by glyph, the same on every machine.
    large, small = (
        ImageFont.truetype(_FONT, size, layout_engine=ImageFont.Layout.BASIC) for size in (40, 26)
    )
    pen.text((150, 90), "PHIẾU THU THẬP THÔNG TIN DÂN CƯ", 0, font=large)
    pen.text((150, 155), f"DC01      {barcode}", 0, font=small)
    for place, (label, written) in enumerate(lines.items()):
        top = 240 + 62 * place
        pen.text((110, top), f"{place + 1}. {label}", 90, font=small)
        pen.text((560, top), written, 0, font=small)
        pen.line((560, top + 38, 1150, top + 38), 170)
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()
