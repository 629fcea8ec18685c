"""Units by published criteria: points, ranks, commendation, and versions that leave the past alone."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from flask import Flask

from enrollment_admin.reports import leaderboard as board
from enrollment_admin.reports.leaderboard import Standing
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.statistics.definitions import vocabulary
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.busy_office import OFFICE_UNIT, set_targets
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.office_pages import captured, sign_in, text
from verification.messages.statistics import TargetFigure

CRITERIA = board.published()[-1]


def target(unit: str = "01") -> TargetFigure:
    return TargetFigure(
        definition="captured", unit=unit, unit_name="", starts_on="2026-01-01", ends_on="2026-12-31",
        target=10, done=5, percent=None, days_left=1, needed_a_day=None, pace_a_day="0", projected=5,
        reached_on=None, is_over_target=False, rank=1, basis="KH 1", set_by="plan",
    )  # fmt: skip


def unit(
    name: str, done: str | None, errors: str | None, on_time: str | None, *, aims: bool = True
) -> Standing:
    shares = (None if each is None else Decimal(each) for each in (done, errors, on_time))
    return Standing(name, name, target(name) if aims else None, *shares)


def test_points_are_the_weights_times_what_was_reached() -> None:
    (place,) = board.board([unit("01", "50.0", "2.5", "80.0")], CRITERIA)
    assert place.points == {"pace": Decimal("25.0"), "errors": Decimal("18.8"), "on_time": Decimal("20.0")}
    assert (place.total, place.rank, place.is_commended) == (Decimal("63.8"), 1, False)


def test_weights_are_a_hundred_points_in_every_published_version() -> None:
    for each in board.published():
        assert set(each.weights) == set(board.MEASURES)
        assert sum(each.weights.values()) == 100
        counters = {counter.id for counter in vocabulary().counters}
        assert {each.counter, each.errors.part, each.errors.whole} <= counters
        assert each.clock in {clock.id for clock in vocabulary().clocks}


def test_more_than_the_target_and_no_work_at_all_give_no_points() -> None:
    over, idle = board.board([unit("01", "250.0", "0.0", "100.0"), unit("02", "0.0", None, None)], CRITERIA)
    assert (over.standing.unit, over.total) == ("01", Decimal("100.0"))
    assert (idle.standing.unit, idle.total) == ("02", Decimal(0))


def test_equal_points_are_equal_ranks_and_who_has_no_target_is_not_ranked() -> None:
    places = board.board(
        [
            unit("03", "50.0", "0.0", "100.0"),
            unit("09", None, "0.0", "100.0", aims=False),
            unit("01", "50.0", "0.0", "100.0"),
            unit("02", "40.0", "0.0", "100.0"),
        ],
        CRITERIA,
    )
    assert [(each.standing.unit, each.rank) for each in places] == [
        ("01", 1),
        ("03", 1),
        ("02", 3),
        ("09", 0),
    ]


@pytest.mark.parametrize(
    ("shares", "is_commended"),
    [
        (("100.0", "5.0", "95.0"), True),
        (("99.9", "0.0", "100.0"), False),
        (("99.95", "0.0", "100.0"), False),
        (("100.0", "5.04", "100.0"), False),
        (("100.0", "5.1", "100.0"), False),
        (("100.0", "0.0", "94.9"), False),
        (("100.0", "0.0", None), False),
        (("100.0", None, "100.0"), False),
    ],
)
def test_commended_is_who_keeps_all_three(shares: tuple[str | None, ...], is_commended: bool) -> None:
    (place,) = board.board([unit("01", *shares)], CRITERIA)
    assert place.is_commended is is_commended


def test_a_new_version_leaves_boards_of_past_days_as_they_were() -> None:
    newer = msgspec.structs.replace(CRITERIA, version=CRITERIA.version + 1, valid_from=date(2027, 1, 1))
    known = (newer, CRITERIA)
    assert board.criteria_on(date(2026, 12, 31), known) is CRITERIA
    assert board.criteria_on(date(2027, 1, 1), known) is newer
    assert board.criteria_on(date(1999, 1, 1), known) is CRITERIA


def test_nearly_all_of_a_target_is_not_all_of_it(app: Flask, office: Office) -> None:
    set_targets(office, {"01": 2_000})
    found = StatisticsOffice(office.database, lambda: NOW).report(Asked(unit="01"))
    (aim,) = (msgspec.structs.replace(each, done=1_999) for each in found.targets)
    shown = board.standing(found, [aim], CRITERIA)
    assert shown.done_percent == Decimal("99.95")


def test_a_target_of_a_province_that_was_merged_since_stands_with_that_provinces_own_figures(
    app: Flask, office: Office
) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(
        "lan.capture", "Lan", (Role.CAPTURE,), PASSWORD, OFFICE_UNIT
    )
    set_targets(office, {"001": 4})
    first, _ = (captured(app, number=person.citizen_number) for person in citizens()[:2])
    path = f"/dossiers/{first}"
    sign_in(app, "minh.approve").done(
        f"{path}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=path
    )
    shown = text(sign_in(app, "lan.capture").get("/reports/leaderboard"))
    assert re.search(r'<dt>Hồ sơ bị trả lại</dt><dd class="number">50,0 %', shown)


def test_the_board_stands_on_the_reports_own_figures(app: Flask, office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(
        "lan.capture", "Lan", (Role.CAPTURE,), PASSWORD, OFFICE_UNIT
    )
    set_targets(office, {"01": 4, "79": 2})
    first, _ = (captured(app, number=person.citizen_number) for person in citizens()[:2])
    path = f"/dossiers/{first}"
    sign_in(app, "minh.approve").done(
        f"{path}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=path
    )
    lan = sign_in(app, "lan.capture")
    shown = text(lan.get("/reports/leaderboard"))
    assert "phiên bản 1" in shown
    # Half of the target; half of the dossiers returned; nothing finished or overdue.
    assert re.search(r'<dt>Tổng điểm</dt><dd class="number strong">25,0<', shown)
    assert re.search(r"<dt>Đã làm/chỉ tiêu</dt><dd class=\"number\">2/4<", shown)
    found = lan.get("/reports/leaderboard", Accept="application/json").get_json()
    assert found["places"] == [
        {"unit": "01", "rank": 1, "points": "25.0"},
        {"unit": "79", "rank": 2, "points": "0.0"},
    ], "who has a target and has done nothing stands on the board"
    assert (found["criteria"], found["version"]) == ("capture-campaign", 1)
    assert 'href="/reports/leaderboard' in text(lan.get("/reports"))
