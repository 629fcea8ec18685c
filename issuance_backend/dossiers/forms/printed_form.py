"""A form on paper (PDF): the items in the order, under the numbers and with the heading of its edition."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from itertools import groupby
from pathlib import Path

from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCode
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from issuance_backend.dossiers.forms.domain import form_reference
from issuance_backend.printed_type import BOLD, FONTS, PLAIN, register_type, text_style
from verification.messages.forms import FormEdition, FormField
from verification.messages.receipt_code import status_link

_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_PORTRAIT = (40 * mm, 60 * mm)
"""4 x 6 cm, as the circulars print it."""

_SYMBOL = 34 * mm
"""With the four modules of white around that readers need."""

_DOTS = "." * 24
_SEXES = {"M": "Nam", "F": "Nữ"}
_FINGERS = ("Ngón cái", "Ngón trỏ", "Ngón giữa", "Ngón nhẫn", "Ngón út")
_HANDS = ("Bàn tay phải", "Bàn tay trái")
_LINE = colors.HexColor("#8a929b")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """What goes on the paper: values by item, coded exceptions, the picture, and what it belongs to.

    ``status_address`` is the public page that answers for ``receipt_code``.
    """

    values: Mapping[str, str]
    dossier: str = ""
    portrait: bytes = b""
    exceptions: Sequence[str] = field(default=())
    receipt_code: str = ""
    status_address: str = ""


def as_pdf(edition: FormEdition, filled: FilledForm, fonts: Path = FONTS) -> bytes:
    """The filled form; the same form gives the same bytes. Raises ReportFontMissing."""
    register_type(fonts)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=12 * mm,
        bottomMargin=14 * mm,
        title=f"{form_reference(edition)} {filled.dossier}".strip(),
        invariant=1,
    )
    document.build(list(_content(edition, filled)))
    return out.getvalue()


def _content(edition: FormEdition, filled: FilledForm) -> Iterator[Flowable]:
    small, centred = text_style(PLAIN, 7, TA_RIGHT), text_style(BOLD, 10, TA_CENTER)
    yield Paragraph(f"Mẫu {edition.code} ban hành kèm theo {escape(edition.circular)}", small)
    yield Spacer(1, 2 * mm)
    yield Paragraph("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", centred)
    yield Paragraph("<u>Độc lập - Tự do - Hạnh phúc</u>", centred)
    yield Spacer(1, 5 * mm)
    yield Paragraph(escape(edition.layout.heading), text_style(BOLD, 14, TA_CENTER))
    yield Spacer(1, 4 * mm)
    yield from _head(edition, filled)
    for row in _rows(edition.fields):
        yield _items(row, filled.values)
    yield from _stated(edition, filled.exceptions)
    if edition.layout.fingerprints:
        yield _finger_boxes()
    yield _signatures(edition.layout.signatures)


def _head(edition: FormEdition, filled: FilledForm) -> Iterator[Flowable]:
    """The bar code, the receipt code and the portrait, where the edition has them."""
    left: list[Flowable] = []
    if edition.layout.barcode and filled.dossier:
        left = [
            Code128(filled.dossier, barHeight=11 * mm, barWidth=0.33 * mm),
            Paragraph(f"Mã hồ sơ: {escape(filled.dossier)}", text_style(PLAIN, 8)),
        ]
    if edition.layout.receipt and filled.receipt_code:
        left += [Spacer(1, 3 * mm), _receipt(filled, _WIDTH - 52 * mm)]
    if edition.layout.portrait:
        shown = (
            Image(io.BytesIO(filled.portrait), *_PORTRAIT)
            if filled.portrait
            else Paragraph("Ảnh 4 x 6 cm", text_style(PLAIN, 8, TA_CENTER))
        )
        frame = Table([[shown]], _PORTRAIT[0] + 2 * mm, _PORTRAIT[1] + 2 * mm)
        frame.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.6, _LINE), *_centred()]))
        yield Table(
            [[left or "", frame]],
            [_WIDTH - 50 * mm, 50 * mm],
            style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")]),
        )
    else:
        yield from left
    yield Spacer(1, 3 * mm)


def _centred() -> list[tuple[object, ...]]:
    return [("ALIGN", (0, 0), (-1, -1), "CENTER"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]


def _rows(fields: Sequence[FormField]) -> Iterator[tuple[FormField, ...]]:
    """Items of half a width in pairs, the others each on a line of its own."""
    for width, run in groupby(fields, key=lambda each: each.width):
        items = tuple(run)
        step = 2 if width == "half" else 1
        yield from (items[first : first + step] for first in range(0, len(items), step))


def _items(row: tuple[FormField, ...], values: Mapping[str, str]) -> Table:
    cells = [Paragraph(_line(each, values.get(each.item, "")), text_style(PLAIN, 9.5)) for each in row]
    return Table([cells], [_WIDTH / len(cells)] * len(cells), style=_CLOSE)


_CLOSE = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)


def _line(asked: FormField, value: str) -> str:
    return f"{asked.number}. {escape(asked.vi)}: <b>{escape(_shown(asked.style, value)) or _DOTS}</b>"


def _shown(style: str, value: str) -> str:
    """A value as the form writes it: names in capitals, days as they are read here, sex as a word."""
    if style == "capitals":
        return value.upper()
    if style == "sex":
        return _SEXES.get(value, value)
    if style == "day" and len(value) == 10:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    return value


def _stated(edition: FormEdition, exceptions: Sequence[str]) -> Iterator[Flowable]:
    texts = [each.vi for each in edition.exceptions if each.code in exceptions]
    if texts:
        yield Paragraph(f"Ngoại lệ: <b>{escape('; '.join(texts))}</b>", text_style(PLAIN, 9.5))


def _finger_boxes() -> KeepTogether:
    head, cell = text_style(BOLD, 8), text_style(PLAIN, 7, TA_CENTER)
    rows = [[Paragraph(hand, head), *(Paragraph(name, cell) for name in _FINGERS)] for hand in _HANDS]
    table = Table(rows, [_WIDTH / 6] * 6, [24 * mm, 24 * mm])
    table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.5, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return KeepTogether([Spacer(1, 3 * mm), Paragraph("Vân tay (ô ngón khuyết ghi lý do)", head), table])


def _receipt(filled: FilledForm, width: float) -> Table:
    """How the citizen asks where things stand: the code to type, and the same as a QR code."""
    told = [
        Paragraph("Mã tra cứu hồ sơ", text_style(PLAIN, 9)),
        Paragraph(escape(filled.receipt_code), text_style(BOLD, 15)),
    ]
    symbol: Flowable | str = ""
    if filled.status_address:
        address = escape(filled.status_address)
        told.append(Paragraph(f"Tra cứu tại <b>{address}</b> hoặc quét mã QR.", text_style(PLAIN, 9)))
        symbol = QrCode(
            status_link(filled.status_address, filled.receipt_code), width=_SYMBOL, height=_SYMBOL, qrBorder=4
        )
    told.append(Paragraph("Ai có mã này đều xem được hồ sơ đang ở bước nào.", text_style(PLAIN, 8)))
    frame = [("BOX", (0, 0), (-1, -1), 0.6, _LINE), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    widths = [width - _SYMBOL - 4 * mm, _SYMBOL + 4 * mm]
    return Table([[told, symbol]], widths, style=TableStyle(frame), hAlign="LEFT")


def _signatures(names: Sequence[str]) -> KeepTogether:
    cell = text_style(BOLD, 9, TA_CENTER)
    day = Paragraph("......, ngày ..... tháng ..... năm .....", text_style(PLAIN, 9, TA_RIGHT))
    table = Table(
        [[Paragraph(escape(name), cell) for name in names]], [_WIDTH / len(names)] * len(names), 24 * mm
    )
    return KeepTogether([Spacer(1, 4 * mm), day, table])
