"""The planning page: filled in from figures, drawn, and seen beside the plan before."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from typing import Any

import msgspec
import pytest
from flask import Flask

from enrollment_admin.planner import outlook
from enrollment_admin.planner.measured_pace import Measured, measured, minutes_for_one
from enrollment_admin.planner.plan_form import PlanForm
from issuance_backend.campaign_planner.planning import plan
from tests.support.busy_office import set_targets
from tests.support.issuance_office import Office
from tests.support.office_pages import Browser, captured, sign_in, text
from verification.errors import FieldsRefused
from verification.messages.campaign_plan import Area, CycleTimes, PlanRequest
from verification.messages.fault_catalogue import fault
from verification.messages.statistics import Report

HANOI = {
    "starts_on": "2021-03-01", "ends_on": "2021-06-30", "rest": "none", "shifts_a_day": "1", "reserve": "",
    "officer_minutes": "38", "mobile_officer_minutes": "38,1", "officers_a_station": "2",
    "officers_a_team": "5", "unit-0": "001", "target-0": "60.000", "officers-0": "20", "stations-0": "10",
}  # fmt: skip


@pytest.fixture
def leader(app: Flask) -> Browser:
    return sign_in(app, "son.supervisor")


def planned(leader: Browser, **changes: str) -> str:
    answer = leader.post("/plans", {**HANOI, **changes}, page="/plans")
    assert answer.status_code == 200, text(answer)
    return text(answer)


def number_after(shown: str, words: str) -> int:
    found = re.search(re.escape(words) + r"[^0-9]*?(?:<[^>]*>|\s)*([\d.]+)", shown)
    assert found, words
    return int(found.group(1).replace(".", ""))


def test_a_plan_that_falls_short_says_so_and_why_none_does_better(leader: Browser) -> None:
    shown = planned(leader)
    assert "verdict-returned" in shown
    short = number_after(shown, 'class="verdict-what">Còn thiếu')
    least = number_after(shown, "dù sắp xếp cách nào vẫn còn ít nhất")
    assert 0 < least <= short < 60_000
    assert "45/2019/QH14" in shown
    assert re.search(r'<polyline class="line-plan" points="0.0,300.0 [\d., ]+"', shown)
    assert "line-former" not in shown


def test_another_number_is_seen_beside_the_plan_before(leader: Browser) -> None:
    first = planned(leader)
    kept = re.search(r'name="former" value="([^"]+)"', first)
    assert kept
    second = planned(leader, **{"officers-0": "400", "stations-0": "200"}, former=html.unescape(kept[1]))
    assert "verdict-completed" in second
    assert "thu nhận đủ mọi người" in second
    assert '<polyline class="line-former"' in second
    before = json.loads(html.unescape(kept[1]))
    assert f"+{60_000 - before['captured']:,}".replace(",", ".") in second
    assert 'name="officers-0"' in second
    assert 'value="400"' in second


@pytest.mark.parametrize(
    "former",
    ["{}", "[", "null", '{"target":-1}', "x" * 50_000, '"<script>alert(1)</script>"'],
)
def test_a_former_plan_that_is_none_is_left_out(leader: Browser, former: str) -> None:
    shown = planned(leader, former=former)
    assert "line-former" not in shown
    assert "<script>alert" not in shown


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"target-0": "viele"}, "target-0", "FIELD_CHARACTERS"),
        ({"officers-0": ""}, "officers-0", "FIELD_MISSING"),
        ({"officers-0": "100001"}, "officers-0", "FIELD_CHARACTERS"),
        ({"shifts_a_day": "4"}, "shifts_a_day", "FIELD_CHARACTERS"),
        ({"officer_minutes": ""}, "officer_minutes", "FIELD_MISSING"),
        ({"officer_minutes": "0"}, "officer_minutes", "FIELD_CHARACTERS"),
        ({"officer_minutes": "1e3"}, "officer_minutes", "FIELD_CHARACTERS"),
        ({"ends_on": "2021-02-30"}, "ends_on", "FIELD_DATE"),
        ({"ends_on": "2021-02-01"}, "ends_on", "FIELD_DATE"),
        ({"holidays": "30/4"}, "holidays", "FIELD_DATE"),
        ({"unit-0": ""}, "areas", "FIELD_MISSING"),
        ({"remote-0": "60001"}, "remote", "FIELD_CHARACTERS"),
    ],
)
def test_what_cannot_be_planned_is_said_beside_its_field(
    leader: Browser, changes: dict[str, str], field: str, code: str
) -> None:
    answer = leader.post("/plans", {**HANOI, **changes}, page="/plans")
    shown = text(answer)
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-fault">.{{0,60}}{fault(code).vi.what}', shown)
    assert 'value="20"' in shown or "officers-0" in changes, "what was typed stays"


def test_the_form_begins_with_targets_also_of_who_has_captured_nothing(
    app: Flask, office: Office, leader: Browser
) -> None:
    captured(app)
    set_targets(office, {"01": 1_000, "79": 2_000})
    shown = text(leader.get("/plans"))
    assert re.findall(r'name="target-\d+"[^>]*value="(\d+)"', shown) == ["1000", "2000"]
    assert re.findall(r'<option value="(\d\d)" selected>', shown) == ["01", "79"]
    assert re.search(r'name="ends_on"[^>]*value="2027-06-30"', shown)


def test_there_is_room_for_more_areas(leader: Browser) -> None:
    rows = len(re.findall(r'id="unit-\d+"', text(leader.get("/plans"))))
    shown = text(leader.post("/plans", {**HANOI, "more": "1"}, page="/plans"))
    assert len(re.findall(r'id="unit-\d+"', shown)) > rows
    assert "verdict" not in shown


def test_only_who_leads_finds_the_page(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    assert 'href="/plans"' not in text(lan.get("/dossiers"))
    assert lan.get("/plans").status_code == 403
    refused = lan.post("/plans", HANOI, page="/dossiers", Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


def test_a_program_gets_the_plan_as_it_is(leader: Browser) -> None:
    answer = leader.post("/plans", HANOI, page="/plans", Accept="application/json")
    found = answer.get_json()
    assert found["target"] == 60_000
    assert found["captured"] + found["shortfall"] == 60_000
    refused = leader.post(
        "/plans", {**HANOI, "rest": "", "officers-0": "x"}, page="/plans", Accept="application/json"
    )
    assert refused.get_json()["fields"] == {"officers-0": "FIELD_CHARACTERS"}


def posted(**changes: str) -> PlanForm:
    return PlanForm.posted({**HANOI, **changes})


def test_an_empty_time_is_the_measured_one() -> None:
    areas = (Measured("001", 60_000, 80.0), Measured("002", 5, 3.0), Measured("003", 5, 0.0))
    # 20 officers of 48 hours a week, and 560 dossiers in it.
    assert minutes_for_one(areas, {"001": 20, "003": 9}) == pytest.approx(20 * 2880 / 560, abs=0.05)
    assert minutes_for_one(areas, {"003": 9}) is None
    made = posted(officer_minutes="", mobile_officer_minutes="").request(areas)
    assert made.times.officer_minutes == made.times.mobile_officer_minutes == pytest.approx(102.9)
    with pytest.raises(FieldsRefused):
        posted(officer_minutes="").request(())


def test_rest_days_are_sundays_and_holidays_of_the_campaign() -> None:
    form = posted(rest="sundays", holidays="30/4/2021, 2021-05-01 2/9/2021")
    rest = form.request(()).rest_days
    assert {date(2021, 4, 30), date(2021, 5, 1), date(2021, 3, 7)} <= set(rest)
    assert date(2021, 9, 2) not in rest, "not a day of this campaign"
    assert all(day.weekday() == 6 for day in set(rest) - {date(2021, 4, 30), date(2021, 5, 1)})


def request_of(**changes: Any) -> PlanRequest:
    asked = PlanRequest(
        starts_on=date(2021, 3, 1),
        ends_on=date(2021, 3, 21),
        areas=(
            Area(unit="001", target=9_000, remote=200, officers=30, stations=10, mobile_teams=1),
            Area(unit="002", target=100, officers=5, stations=5),
        ),
        times=CycleTimes(officer_minutes=38, mobile_officer_minutes=60),
        reserve=4,
    )
    return msgspec.structs.replace(asked, **changes)


def test_the_drawing_ends_at_what_the_plan_captures_and_never_falls() -> None:
    asked = request_of()
    made = plan(asked)
    kept = outlook.outlook(asked, made)
    assert kept.by_day[-1] == made.captured
    assert list(kept.by_day) == sorted(kept.by_day)
    assert len(kept.by_day) == 21
    assert outlook.former_outlook(msgspec.json.encode(kept).decode()) == kept
    points = [
        tuple(map(float, each.split(","))) for each in outlook.curve(kept.by_day, 21, made.target).split()
    ]
    assert points[0] == (0.0, 300.0)
    assert points[-1][0] == pytest.approx(1000)
    assert all(0 <= y <= 300 for _, y in points)


def test_the_fullest_means_and_the_greatest_shortfall_are_shown_first() -> None:
    asked = request_of()
    lines = outlook.lines(asked, plan(asked), None)
    assert [line.plan.unit for line in lines] == ["001", "002"]
    short, easy = lines
    assert short.plan.shortfall > 0 == easy.plan.shortfall
    assert max(short.officers_used, short.places_used) > 95
    assert easy.officers_used < 50
    assert sum(week.lent for week in short.weeks) == sum(short.plan.lent.values())


def test_lines_without_a_unit_are_not_planned() -> None:
    report = msgspec.json.decode(
        json.dumps({
            "as_of": "2026-11-21T03:00:00Z", "version": 1, "final": False,
            "definitions": "1", "calendar": "1",
            "unit": "", "unit_name": "", "period_from": "2026-11-01", "period_to": "2026-11-20",
            "total": {"unit": "", "name": "", "to_date": {}, "in_period": {}},
            "units": [
                {"unit": unit, "name": "", "to_date": {}, "in_period": {"captured": 40}}
                for unit in ("000", "01")
            ],
            "shares": [], "funnel": [], "stocks": [], "clocks": [], "stages": [], "targets": [],
            "identities": [],
        }),
        type=Report,
    )  # fmt: skip
    assert measured(report, date(2026, 11, 20)) == (Measured("01", 0, 2.0),)
