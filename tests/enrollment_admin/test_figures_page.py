"""What was measured, drawn for whoever leads: time and effort, quality by finger, missing numbers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text as sql

from enrollment_admin.reports import charts
from issuance_backend.statistics.record_check import RecordCheckDesk
from tests.support.figure_history import Told, record
from tests.support.issuance_office import NOW, Office
from tests.support.office_pages import sign_in, text
from verification.messages.statistics import BandFigure, PartFigure


@pytest.fixture
def measured(office: Office) -> Office:
    """A capture that took ten minutes and lay for a day, with two prints, and two packets that never came."""
    dossier = "dossier/0123456789abcdef"
    told = {"unit": "001", "kit": "kit-7", "sequence": "3"}
    record(office.database, [
        Told(NOW - timedelta(days=3), dossier, "received", {"unit": "001.02", "operator_seconds": "630"}),
        Told(NOW - timedelta(days=3), "packet/1", "announced", told),
        Told(NOW - timedelta(hours=10), dossier, "dedup_1n", {"finger_quality": "02:60 07:unreadable"}),
    ])  # fmt: skip
    return office


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "vi",
            ("Thời gian và công sức", "10,5", "Ngón trỏ phải", "không đọc được", "Số thứ tự gói còn thiếu"),
        ),
        (
            "en",
            (
                "Time and effort",
                "10.5",
                "Right index finger",
                "unreadable",
                "Packet numbers that are missing",
            ),
        ),
    ],
)
def test_figures_of_time_prints_and_kits_are_drawn_with_the_records_behind_them(
    app: Flask, measured: Office, language: str, words: tuple[str, ...]
) -> None:
    lan = sign_in(app, "lan.capture", language)
    shown = text(lan.get("/reports"))
    assert [word for word in words if word not in shown] == []
    assert 'class="band-60"' in shown
    behind = {}
    for figure in (
        "measured.operator_time",
        "out.dossier.received",
        "band.finger_quality.02.60",
        "missing.kit-7",
    ):
        link = re.search(rf'href="(/reports/records\?figure={figure}[^"]*)"', shown)
        assert link is not None, figure
        behind[figure] = text(lan.get(link.group(1).replace("&amp;", "&")))
    assert "kit-7/1" in behind["missing.kit-7"]
    assert "kit-7/2" in behind["missing.kit-7"]
    assert words[2] in behind["band.finger_quality.02.60"]
    assert all("0123456789abcdef" in page for figure, page in behind.items() if figure != "missing.kit-7")


@pytest.mark.parametrize(
    ("language", "agree", "differ", "nation"),
    [
        ("vi", "Số liệu khớp với", "Số liệu khác với", "cả nước"),
        ("en", "Figures that agree with", "The figures differ from", "the nation"),
    ],
)
def test_what_the_last_check_against_the_record_found_is_said(
    app: Flask, measured: Office, language: str, agree: str, differ: str, nation: str
) -> None:
    lan = sign_in(app, "lan.capture", language)
    desk = RecordCheckDesk(measured.database, lambda: NOW)
    unchecked = text(lan.get("/reports"))
    assert agree not in unchecked
    assert differ not in unchecked
    version = desk.check().version
    good = text(lan.get("/reports"))
    assert agree in good
    assert differ not in good
    with measured.database.writing() as connection:
        wrong = "UPDATE figure_days SET balance = 5 WHERE figure = 'count.captured' AND unit IN ('', '001')"
        assert connection.execute(sql(wrong)).rowcount
    desk.check()
    bad = text(lan.get("/reports"))
    assert agree not in bad
    assert differ in bad
    assert f"<li>count.captured: {nation}</li>" in bad
    assert re.search(rf"{version}, .*2/\d+</span></p><ul>", bad)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (None, None),
        ("0.5", ("0.5", "minutes")),
        ("119.9", ("119.9", "minutes")),
        ("120.0", ("2.0", "hours")),
        ("2879.0", ("48.0", "hours")),
        ("3600.0", ("2.5", "days")),
    ],
)
def test_a_time_is_said_in_the_unit_that_people_use(
    minutes: str | None, said: tuple[str, str] | None
) -> None:
    assert charts.in_words(minutes) == said


def test_bands_lie_beside_each_other_and_fill_the_bar() -> None:
    bands = tuple(BandFigure(band, amount, 0) for band, amount in (("0", 1), ("20", 0), ("40", 3)))
    ((_, slices),) = charts.fingers([PartFigure("finger_quality", 1, "02", 4, bands)])
    assert [(each.part, each.start, each.percent) for each in slices] == [
        ("0", 0.0, 25.0),
        ("40", 25.0, 75.0),
    ]
