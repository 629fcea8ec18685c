"""A report on paper (PDF): the funnel and the provinces drawn, the tables behind them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from reportlab.graphics.charts.barcharts import HorizontalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from issuance_backend.moments import parse_moment
from issuance_backend.printed_type import BOLD, FONTS, PLAIN, register_type, text_style
from issuance_backend.statistics.definitions import Distribution, vocabulary
from issuance_backend.statistics.naming import Vietnamese
from issuance_backend.statistics.tabulation import Sheet, sheets
from verification.messages.national_time import VIETNAM
from verification.messages.statistics import PartFigure, Report

_PAGE = landscape(A4)
_MARGIN = 15 * mm
_WIDTH = _PAGE[0] - 2 * _MARGIN
_COLUMNS = 9
"""More columns than this are printed below each other, with the first two repeated."""

_BAR = colors.HexColor("#1f5c99")
_BANDS = tuple(map(colors.HexColor, ("#6b7178", "#a33a2c", "#c98a1b", "#7f9cc0", "#3f78b3", "#1f5c99")))
"""From the worst to the best; not told by colour alone: the table below has the amounts."""

_GRID = colors.HexColor("#c4c9cf")
_DECIMAL = re.compile(r"-?\d+\.\d+")


def as_pdf(report: Report, fonts: Path = FONTS) -> bytes:
    """The report as pages; the same report gives the same bytes. Raises ReportFontMissing."""
    register_type(fonts)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=_PAGE,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{report.unit_name} {report.as_of}",
        # Neither the moment of printing nor a random number goes into the file.
        invariant=1,
    )
    document.build(_content(report))
    return out.getvalue()


def _read_here(as_of: str) -> str:
    # Until seven in the morning UTC still writes the day before, which is another day's report.
    return f"{parse_moment(as_of).astimezone(VIETNAM):%d/%m/%Y %H:%M:%S}, giờ Việt Nam"


def _content(report: Report) -> list[Flowable]:
    words = vocabulary()
    done = report.total.to_date
    content: list[Flowable] = [
        Paragraph(f"Báo cáo thống kê: {escape(report.unit_name)}", text_style(BOLD, 16)),
        Paragraph(
            f"Tính đến {_read_here(report.as_of)} · phiên bản số liệu {report.version}",
            text_style(PLAIN, 9),
        ),
        Spacer(1, 4 * mm),
        _bars(
            "Từ thu nhận đến trả thẻ", [(words.counter(name).vi, done.get(name, 0)) for name in report.funnel]
        ),
    ]
    accounts = [(words.counter(name).vi, done.get(name, 0)) for name in report.account_funnel]
    if any(amount for _, amount in accounts):
        content.append(_bars("Từ hồ sơ định danh đến kích hoạt", accounts))
    captured = sorted(
        ((line.name, line.to_date.get("captured", 0)) for line in report.units), key=lambda each: -each[1]
    )
    if captured:
        content.append(_bars("Hồ sơ đã thu nhận theo đơn vị", captured))
    for cause in words.causes:
        named = [
            (Vietnamese().cause(cause.id, each.code), each.to_date)
            for each in report.causes
            if each.definition == cause.id
        ]
        if named:
            content.append(_bars(cause.vi, named))
    content.extend(_quality(report))
    for sheet in sheets(report, Vietnamese()):
        if sheet.rows:
            content.extend(_table(part) for part in _narrow(sheet))
    return content


def _quality(report: Report) -> Iterator[Flowable]:
    """Each distribution as bars of its parts, made up of their bands."""
    for each in vocabulary().distributions:
        parts = [part for part in report.parts if part.definition == each.id]
        if parts:
            yield _stacked(each, parts)


def _stacked(named: Distribution, parts: Sequence[PartFigure]) -> KeepTogether:
    height = 7.0 * mm * len(parts)
    drawing = Drawing(_WIDTH, height + 20 * mm)
    chart = HorizontalBarChart()
    chart.x, chart.y = 30 * mm, 8 * mm
    chart.width, chart.height = _WIDTH - 50 * mm, height
    chart.data = [[part.bands[number].to_date for part in parts] for number in range(len(named.bands))]
    chart.categoryAxis.style = "stacked"
    chart.categoryAxis.categoryNames = [named.part_name(part.part) for part in parts]
    chart.categoryAxis.reverseDirection = True
    chart.categoryAxis.labels.fontName = chart.valueAxis.labels.fontName = PLAIN
    chart.categoryAxis.labels.fontSize = chart.valueAxis.labels.fontSize = 7
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = _whole
    for number, _ in enumerate(named.bands):
        chart.bars[number].fillColor = _BANDS[number]
    legend = Legend()
    legend.x, legend.y, legend.alignment = 30 * mm, height + 17 * mm, "right"
    legend.fontName, legend.fontSize, legend.columnMaximum, legend.deltax = PLAIN, 7, 1, 34 * mm
    legend.colorNamePairs = list(zip(_BANDS, named.band_names, strict=True))
    drawing.add(chart)
    drawing.add(legend)
    return KeepTogether([Paragraph(escape(named.vi), text_style(BOLD, 11)), drawing])


def _bars(title: str, values: Sequence[tuple[str, int]]) -> KeepTogether:
    height = min(9.0 * mm, 130 * mm / len(values)) * len(values)
    drawing = Drawing(_WIDTH, height + 12 * mm)
    chart = HorizontalBarChart()
    chart.x, chart.y = 70 * mm, 8 * mm
    chart.width, chart.height = _WIDTH - 90 * mm, height
    chart.data = [[amount for _, amount in values]]
    chart.categoryAxis.categoryNames = [name for name, _ in values]
    chart.categoryAxis.reverseDirection = True
    chart.categoryAxis.labels.fontName = chart.valueAxis.labels.fontName = PLAIN
    chart.categoryAxis.labels.fontSize = min(8, height / len(values) * 0.8)
    # A longer name, of an exemption or a fault, goes on in a second line.
    chart.categoryAxis.labels.maxWidth = 66 * mm
    chart.valueAxis.labels.fontSize = 7
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = _whole
    chart.bars[0].fillColor = _BAR
    chart.barLabelFormat = _whole
    chart.barLabels.fontName, chart.barLabels.fontSize = PLAIN, 7
    chart.barLabels.boxAnchor, chart.barLabels.nudge = "w", 4
    drawing.add(chart)
    return KeepTogether([Paragraph(escape(title), text_style(BOLD, 11)), drawing])


def _table(sheet: Sheet) -> KeepTogether | Table:
    head, cell = text_style(BOLD, 7), text_style(PLAIN, 7)
    rows = [[Paragraph(escape(name), head) for name in sheet.columns]]
    rows += [[Paragraph(escape(_shown(value)), cell) for value in row] for row in sheet.rows]
    style = TableStyle([("GRID", (0, 0), (-1, -1), 0.3, _GRID), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    table = Table(
        rows, colWidths=[_WIDTH / len(sheet.columns)] * len(sheet.columns), repeatRows=1, style=style
    )
    return KeepTogether([Spacer(1, 4 * mm), Paragraph(escape(sheet.name), text_style(BOLD, 11)), table])


def _narrow(sheet: Sheet) -> list[Sheet]:
    if len(sheet.columns) <= _COLUMNS:
        return [sheet]
    step = _COLUMNS - 2
    return [
        Sheet(
            sheet.name,
            sheet.columns[:2] + sheet.columns[first : first + step],
            tuple(row[:2] + row[first : first + step] for row in sheet.rows),
        )
        for first in range(2, len(sheet.columns), step)
    ]


def _shown(value: str | int) -> str:
    """As it is written in Viet Nam, where the comma parts what is less than one."""
    if isinstance(value, int):
        return _whole(value)
    return value.replace(".", ",") if _DECIMAL.fullmatch(value) else value


def _whole(value: float) -> str:
    """A number as it is written in Viet Nam: dots between the thousands."""
    return f"{int(value):,}".replace(",", ".")
