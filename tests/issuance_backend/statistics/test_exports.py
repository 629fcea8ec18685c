from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import msgspec
import pypdf
import pytest

from issuance_backend.refusals import ReportFontMissing
from issuance_backend.statistics.printed_report import as_pdf
from issuance_backend.statistics.service import Asked, StatisticsOffice
from issuance_backend.statistics.spreadsheet import as_xlsx
from issuance_backend.statistics.tabulation import as_csv, sheets
from issuance_backend.statistics.target_desk import TargetDesk
from monitoring.database import Database
from tests.support.figure_history import START, Told, record
from verification.messages.statistics import NewTarget, Report

NOW = START + timedelta(days=9)


@pytest.fixture
def report(database: Database) -> Report:
    steps = [
        Told(START, "dossier/1", "captured", {"unit": "001.02", "size": "1800000", "operator_seconds": "90"}),
        Told(START, "packet/2", "announced", {"unit": "036", "kit": "kit-9", "sequence": "3"}),
        Told(START, "dossier/2", "captured", {"unit": "036", "exceptions": "finger_worn"}),
        Told(
            START + timedelta(days=1),
            "dossier/1",
            "local_approved",
            {"finger_quality": "02:40 07:unreadable"},
        ),
    ]
    record(database, steps)
    office = StatisticsOffice(database, lambda: NOW)
    plan = TargetDesk(database, lambda: NOW)
    plan.set_by_program((NewTarget("captured", "036", "2021-01-01", "2021-07-01", 7, "=cmd()"),), "planning")
    return office.report(Asked(as_of=START + timedelta(days=1)))


def again(database: Database) -> Report:
    """The same moment asked for later, after more was recorded."""
    record(database, [Told(NOW, "dossier/3", "captured", {"unit": "001"})])
    office = StatisticsOffice(database, lambda: NOW + timedelta(days=40))
    return office.report(Asked(as_of=START + timedelta(days=1)))


def test_csv_of_the_same_moment_is_the_same_bytes(database: Database, report: Report) -> None:
    """Whatever is recorded since, also where it is of a kind, state, unit or kit never heard of before."""
    assert report.final
    assert as_csv(again(database)) == as_csv(report)
    since = NOW + timedelta(days=1)
    record(
        database,
        [
            Told(since, "dossier/2", "returned", {"items": "portrait"}),
            Told(since, "card/7", "at_office", {"unit": "079.5"}),
            Told(since, "account/7", "captured", {"unit": "036"}),
            Told(since, "packet/7", "announced", {"unit": "036", "kit": "kit-9", "sequence": "9"}),
        ],
    )
    assert as_csv(again(database)) == as_csv(report)
    assert report.version == 4


def test_only_what_is_settled_is_said_to_be_final(database: Database, report: Report) -> None:
    """A transaction may be under way that took its moment before: it is over within a minute."""
    for seconds, final in ((0, False), (1, False), (59, False), (60, True)):
        asked = Asked(as_of=NOW - timedelta(seconds=seconds))
        assert StatisticsOffice(database, lambda: NOW).report(asked).final is final
    assert not StatisticsOffice(database, lambda: NOW).report(Asked()).final


@pytest.mark.parametrize("made", [as_csv, as_xlsx, as_pdf])
def test_the_same_report_is_the_same_file(report: Report, made: object) -> None:
    assert made(report) == made(report)


def test_csv_holds_every_figure_of_the_report(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(report).decode("utf-8-sig"))))
    heads = rows[rows.index(["Chỉ tiêu theo đơn vị"]) + 1]
    lines = {row[0]: dict(zip(heads, row, strict=True)) for row in rows if len(row) == len(heads)}
    assert lines["001"]["hồ sơ đã thu nhận"] == "1800000"
    assert lines["VN"]["hồ sơ đã thu nhận"] == "1800001"
    assert lines["001"]["Đơn vị"] == "Hà Nội"
    assert ["Tính đến", report.as_of] in rows
    assert ["Phiên bản số liệu", "4"] in rows
    assert ["Ngoại lệ khi thu nhận", "1", "finger_worn", "1", "0"] in rows
    assert ["sent_of_captured", "1", "1800000", "1800001", "100.0"] in rows
    minutes, stay = "Phút thao tác của cán bộ cho một lần thu nhận", str(1_800_000 * 86_400)
    assert [minutes, "1", "1800000", "162000000", "1.5", "0", "0", ""] in rows
    assert ["dossier", "captured", "1800000", stay, "1440.0", "1800000", stay, "1440.0"] in rows
    quality = "Chất lượng vân tay theo ngón (NFIQ 2)"
    assert [quality, "1", "Ngón trỏ phải", "40–59", "1800000", "1800000", "1800000"] in rows
    assert [quality, "1", "Ngón trỏ trái", "không đọc được", "1800000", "1800000", "1800000"] in rows
    assert ["kit-9", "036", "3", "2", "0", report.kits[0].oldest_since] in rows


def test_no_cell_of_csv_is_a_formula(report: Report) -> None:
    from issuance_backend.statistics.tabulation import _harmless  # noqa: PLC0415

    assert [_harmless(cell) for cell in ("=1+1", "+1", "@x", "-5", "x", -5)] == [
        "'=1+1",
        "'+1",
        "'@x",
        "'-5",
        "x",
        -5,
    ]


def test_xlsx_has_a_sheet_for_each_table_with_its_numbers_and_a_chart(report: Report) -> None:
    with zipfile.ZipFile(io.BytesIO(as_xlsx(report))) as archive:
        workbook = archive.read("xl/workbook.xml").decode()
        units = archive.read("xl/worksheets/sheet2.xml").decode()
        assert "xl/charts/chart1.xml" in archive.namelist()
        assert not any(
            "<f>" in archive.read(name).decode() for name in archive.namelist() if "sheets/sheet" in name
        )
    assert all(f'name="{sheet.name}"' in workbook for sheet in sheets(report))
    assert "<v>1800000</v>" in units


def test_pdf_is_readable_text_with_vietnamese_letters(report: Report) -> None:
    pages = pypdf.PdfReader(io.BytesIO(as_pdf(report))).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert "Báo cáo thống kê: Toàn quốc" in text
    assert "hồ sơ đã thu nhận" in text
    assert "1.800.000" in text
    assert "Hà Nội" in text
    assert "Ngoại lệ khi thu nhận" in text
    assert "Vân tay mòn, không thu được" in text
    assert "Chất lượng vân tay theo ngón (NFIQ 2)" in text
    assert "không đọc được" in text
    assert "kit-9" in text


def test_paper_says_the_moment_as_clocks_here_show_it(report: Report) -> None:
    early = msgspec.structs.replace(report, as_of="2021-04-06T18:30:00.000000Z")
    text = pypdf.PdfReader(io.BytesIO(as_pdf(early))).pages[0].extract_text()
    assert "Tính đến 07/04/2021 01:30:00, giờ Việt Nam" in text


def test_without_its_type_no_pdf_is_made(report: Report, tmp_path: Path) -> None:
    with pytest.raises(ReportFontMissing):
        as_pdf(report, tmp_path)


def test_an_empty_office_has_its_report_too(database: Database) -> None:
    report = StatisticsOffice(database, lambda: NOW).report(Asked())
    assert report.total.to_date == {}
    assert as_pdf(report).startswith(b"%PDF")
    assert as_xlsx(report).startswith(b"PK")
    assert "Toàn quốc" in as_csv(report).decode()
