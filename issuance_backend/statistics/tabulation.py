"""A report as tables: the same rows in CSV, in a spreadsheet and on paper."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.naming import Codes
from verification.messages.statistics import Report, StageFigure, UnitLine

Cell = str | int
_NATION = "VN"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table with its heading."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


CODES = Codes()


def sheets(report: Report, names: Codes = CODES) -> tuple[Sheet, ...]:
    """Every table of a report, in a fixed order; nothing in them says when they were printed.

    Shares, limits, kinds, states and causes are called by ``names``: by their codes, which programs read.
    """
    return (
        Sheet("Nguồn số liệu", ("Mục", "Giá trị"), _source(report)),
        _units(report),
        Sheet(
            "Tỷ lệ",
            ("Định nghĩa", "Phiên bản", "Tử số", "Mẫu số", "Phần trăm"),
            tuple(
                (names.share(each.definition), each.version, each.part, each.whole, each.percent or "")
                for each in report.shares
            ),
        ),
        Sheet(
            "Trạng thái",
            ("Loại", "Trạng thái", "Vào", "Ra", "Tồn"),
            tuple(
                (*names.place(each.kind, each.state), each.entered, each.left, each.stock)
                for each in report.stocks
            ),
        ),
        _causes(report, names),
        _clocks(report, names),
        _stages(report, names),
        _turnarounds(report, names),
        _averages(report),
        _parts(report),
        _kits(report),
        _targets(report, names),
        Sheet(
            "Kiểm tra cân đối",
            ("Đồng nhất thức", "Số lần kiểm", "Sai"),
            tuple((each.id, each.checked, " ".join(each.broken)) for each in report.identities),
        ),
    )


def as_csv(report: Report) -> bytes:
    """All tables below each other; the same report gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for sheet in sheets(report):
        writer.writerow([sheet.name])
        writer.writerow(sheet.columns)
        writer.writerows([_harmless(cell) for cell in row] for row in sheet.rows)
        writer.writerow([])
    # The mark tells spreadsheet programs that the letters are UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    # A spreadsheet takes a text that begins so for a formula.
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@"} else cell


def _source(report: Report) -> tuple[tuple[Cell, ...], ...]:
    return (
        ("Đơn vị", report.unit_name),
        ("Mã đơn vị", report.unit or _NATION),
        ("Tính đến", report.as_of),
        ("Kỳ báo cáo", f"{report.period_from} / {report.period_to}"),
        ("Phiên bản số liệu", report.version),
        ("Số liệu cuối cùng", "có" if report.final else "chưa"),
        ("Phiên bản định nghĩa", report.definitions),
        ("Phiên bản lịch làm việc", report.calendar),
    )


def _units(report: Report) -> Sheet:
    lines = (report.total, *report.units)
    used = [each for each in vocabulary().counters if any(line.to_date.get(each.id) for line in lines)]
    names = tuple(name for each in used for name in (each.vi, f"{each.vi} (trong kỳ)"))

    def row(line: UnitLine) -> tuple[Cell, ...]:
        pairs = ((line.to_date.get(each.id, 0), line.in_period.get(each.id, 0)) for each in used)
        return (line.unit or _NATION, line.name, *(cell for pair in pairs for cell in pair))

    return Sheet("Chỉ tiêu theo đơn vị", ("Mã", "Đơn vị", *names), tuple(row(line) for line in lines))


def _causes(report: Report, names: Codes) -> Sheet:
    titles = {each.id: each.vi for each in vocabulary().causes}
    return Sheet(
        "Nguyên nhân",
        ("Nguyên nhân", "Phiên bản", "Mã", "Lũy kế", "Trong kỳ"),
        tuple(
            (
                titles[each.definition],
                each.version,
                names.cause(each.definition, each.code),
                each.to_date,
                each.in_period,
            )
            for each in report.causes
        ),
    )


def _clocks(report: Report, names: Codes) -> Sheet:
    return Sheet(
        "Thời hạn",
        (
            "Thời hạn",
            "Phiên bản",
            "Bắt đầu",
            "Trong hạn",
            "Quá hạn",
            "Tạm dừng",
            "Xong đúng hạn",
            "Xong trễ",
            "Kết thúc khác",
            "% đúng hạn",
            "% trễ",
        ),
        tuple(
            (
                names.clock(each.definition),
                each.version,
                each.started,
                each.inside,
                each.overdue,
                each.paused,
                each.on_time,
                each.late,
                each.ended,
                each.on_time_percent or "",
                each.late_percent or "",
            )
            for each in report.clocks
        ),
    )


def _stages(report: Report, names: Codes) -> Sheet:
    return Sheet(
        "Công việc đang chờ",
        (
            "Loại",
            "Trạng thái",
            "Tồn",
            "Chờ lâu nhất từ",
            "Trung vị (phút)",
            "p95 (phút)",
            "Ngày để giải quyết",
            "Chờ từ (ngày: số)",
        ),
        tuple(
            (
                *_waiting(each, names),
                each.stock,
                each.oldest_since or "",
                _cell(each.half_left_within_minutes),
                _cell(each.nineteen_of_twenty_left_within_minutes),
                each.days_to_clear or "",
                "; ".join(f"{older.days}: {older.amount}" for older in each.older),
            )
            for each in report.stages
        ),
    )


def _turnarounds(report: Report, names: Codes) -> Sheet:
    return Sheet(
        "Thời gian ở mỗi bước",
        (
            "Loại",
            "Trạng thái",
            "Đã rời",
            "Tổng giây",
            "Trung bình (phút)",
            "Đã rời trong kỳ",
            "Tổng giây trong kỳ",
            "Trung bình trong kỳ (phút)",
        ),
        tuple(
            (
                *names.place(each.kind, each.state),
                each.left,
                each.seconds,
                each.average_minutes or "",
                each.left_in_period,
                each.seconds_in_period,
                each.average_minutes_in_period or "",
            )
            for each in report.turnarounds
        ),
    )


def _averages(report: Report) -> Sheet:
    titles = {each.id: each.vi for each in vocabulary().measures}
    return Sheet(
        "Số đo trung bình",
        (
            "Số đo",
            "Phiên bản",
            "Số lần đo",
            "Tổng",
            "Trung bình",
            "Số lần đo trong kỳ",
            "Tổng trong kỳ",
            "Trung bình trong kỳ",
        ),
        tuple(
            (
                titles[each.definition],
                each.version,
                each.measured,
                each.total,
                each.average or "",
                each.measured_in_period,
                each.total_in_period,
                each.average_in_period or "",
            )
            for each in report.averages
        ),
    )


def _parts(report: Report) -> Sheet:
    words = vocabulary()
    parts = [(part, words.distribution(part.definition)) for part in report.parts]
    return Sheet(
        "Phân bố",
        ("Phân bố", "Phiên bản", "Phần", "Mức", "Số lượng", "Trên tổng số", "Trong kỳ"),
        tuple(
            (
                named.vi,
                part.version,
                named.part_name(part.part),
                named.band_name(each.band),
                each.to_date,
                part.whole,
                each.in_period,
            )
            for part, named in parts
            for each in part.bands
        ),
    )


def _kits(report: Report) -> Sheet:
    return Sheet(
        "Số thứ tự gói còn thiếu",
        ("Bộ thiết bị", "Đơn vị", "Số mới nhất", "Còn thiếu", "Đã bỏ theo vụ việc", "Thiếu lâu nhất từ"),
        tuple(
            (each.kit, each.unit, each.newest, each.missing, each.given_up, each.oldest_since or "")
            for each in report.kits
        ),
    )


def _targets(report: Report, names: Codes) -> Sheet:
    return Sheet(
        "Chỉ tiêu giao",
        (
            "Hạng",
            "Mã",
            "Đơn vị",
            "Định nghĩa",
            "Từ",
            "Đến",
            "Giao",
            "Đạt",
            "%",
            "Cần mỗi ngày",
            "Đang làm mỗi ngày",
            "Dự kiến cuối kỳ",
            "Ngày đạt",
            "Vượt",
        ),
        tuple(
            (
                each.rank,
                each.unit or _NATION,
                each.unit_name,
                names.counter(each.definition),
                each.starts_on,
                each.ends_on,
                each.target,
                each.done,
                each.percent or "",
                each.needed_a_day or "",
                each.pace_a_day,
                each.projected,
                each.reached_on or "",
                "có" if each.is_over_target else "",
            )
            for each in report.targets
        ),
    )


def _waiting(each: StageFigure, names: Codes) -> tuple[Cell, Cell]:
    kind, state = names.place(each.kind, each.state)
    return kind, f"{state} ◄" if each.is_bottleneck else state


def _cell(value: int | None) -> Cell:
    return "" if value is None else value
