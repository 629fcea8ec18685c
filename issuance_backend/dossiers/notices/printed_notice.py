"""A notice of rejection on paper (PDF): why, by which law, and how to complain; it names no officer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from issuance_backend.dossiers.notices.domain import packaged_texts
from issuance_backend.printed_type import BOLD, FONTS, PLAIN, register_type, text_style
from verification.encoding.dates import slashed

_MARGIN = 20 * mm
_SIGNATURES = ("Người nhận thông báo", "Cơ quan ra thông báo")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContent:
    """What a notice says: of whom, since when, why; ``office`` is what the unit is called."""

    dossier: str
    receipt_code: str
    full_name: str
    citizen_number: str
    date_of_birth: str
    office: str
    captured_on: date
    rejected_on: date
    reason: str
    legal_basis: str
    comment: str


def as_pdf(content: NoticeContent, fonts: Path = FONTS) -> bytes:
    """The notice; the same content gives the same bytes. Raises ReportFontMissing."""
    register_type(fonts)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title=f"Thông báo {content.dossier}",
        invariant=1,
    )
    document.build(list(_page(content)))
    return out.getvalue()


def _page(content: NoticeContent) -> Iterator[Flowable]:
    centred, plain = text_style(BOLD, 10, TA_CENTER), text_style(PLAIN, 10)
    yield Paragraph("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", centred)
    yield Paragraph("<u>Độc lập - Tự do - Hạnh phúc</u>", centred)
    yield Spacer(1, 8 * mm)
    yield Paragraph("THÔNG BÁO", text_style(BOLD, 14, TA_CENTER))
    yield Paragraph("Về việc từ chối cấp thẻ căn cước", centred)
    yield Spacer(1, 6 * mm)
    for line in _lines(content):
        yield Paragraph(line, plain)
        yield Spacer(1, 2.5 * mm)
    for text in packaged_texts().complaint:
        yield Paragraph(escape(text), plain)
        yield Spacer(1, 2.5 * mm)
    yield Spacer(1, 8 * mm)
    width = (A4[0] - 2 * _MARGIN) / len(_SIGNATURES)
    names = [Paragraph(each, centred) for each in _SIGNATURES]
    yield Table(
        [names], [width] * len(names), 30 * mm, style=TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP")])
    )


def _lines(content: NoticeContent) -> Iterator[str]:
    said = {
        "Cơ quan ra thông báo": content.office,
        "Kính gửi ông/bà": content.full_name,
        "Số định danh cá nhân": content.citizen_number,
        "Ngày sinh": content.date_of_birth,
        "Mã hồ sơ": content.dossier,
        "Mã giấy hẹn": content.receipt_code,
        "Ngày tiếp nhận": slashed(content.captured_on),
        "Ngày từ chối": slashed(content.rejected_on),
        "Lý do": packaged_texts().reasons[content.reason],
        "Căn cứ pháp luật": content.legal_basis,
        "Nội dung": content.comment,
    }
    for name, value in said.items():
        yield f"{name}: <b>{escape(value) or '.' * 24}</b>"
