"""A report as a spreadsheet (XLSX), with charts of the funnels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from issuance_backend.moments import parse_moment
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.naming import Vietnamese
from issuance_backend.statistics.tabulation import Sheet, sheets
from verification.messages.statistics import Report

_WIDEST = 42
_CHART, _ACCOUNTS = "Phễu", "Phễu định danh"


def as_xlsx(report: Report) -> bytes:
    """The tables on a sheet each; the same report gives the same bytes."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(out, options) as workbook:
        # The moment of the figures, not of printing: a file must not differ from itself.
        created = parse_moment(report.as_of).astimezone(UTC).replace(tzinfo=None, microsecond=0)
        workbook.set_properties({"title": f"{report.unit_name} {report.as_of}", "created": created})
        heading = workbook.add_format({"bold": True, "bottom": 1})
        whole = workbook.add_format({"num_format": "#,##0"})
        for sheet in sheets(report, Vietnamese()):
            page = workbook.add_worksheet(sheet.name)
            page.write_row(0, 0, sheet.columns, heading)
            for number, row in enumerate(sheet.rows, start=1):
                for column, cell in enumerate(row):
                    page.write(number, column, cell, whole if isinstance(cell, int) else None)
            page.freeze_panes(1, 0)
            _set_widths(page, sheet)
        _funnel(workbook, report, _CHART, report.funnel)
        _funnel(workbook, report, _ACCOUNTS, report.account_funnel)
    return out.getvalue()


def _funnel(workbook: Workbook, report: Report, title: str, counters: Sequence[str]) -> None:
    page = workbook.add_worksheet(title)
    for row, name in enumerate(counters):
        page.write(row, 0, vocabulary().counter(name).vi)
        page.write(row, 1, report.total.to_date.get(name, 0))
    last = len(counters) - 1
    chart = workbook.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": report.unit_name,
            "categories": [title, 0, 0, last, 0],
            "values": [title, 0, 1, last, 1],
            "data_labels": {"value": True},
        }
    )
    chart.set_y_axis({"reverse": True})
    chart.set_legend({"none": True})
    page.set_column(0, 0, _WIDEST)
    page.insert_chart("D2", chart)


def _set_widths(page: Worksheet, sheet: Sheet) -> None:
    for column, name in enumerate(sheet.columns):
        cells = [name, *(str(row[column]) for row in sheet.rows)]
        page.set_column(column, column, min(_WIDEST, max(map(len, cells)) + 2))
