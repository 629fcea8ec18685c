"""The page that shows leaders whose captures came back, and for what."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.support.issuance_office import citizens
from tests.support.office_pages import captured, sign_in, text


@pytest.fixture
def one_of_two(app: Flask) -> Flask:
    """Two captures, of which one was sent back."""
    first, _ = (captured(app, number=person.citizen_number) for person in citizens()[:2])
    path = f"/dossiers/{first}"
    sign_in(app, "minh.approve").done(
        f"{path}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=path
    )
    return app


def test_a_leader_sees_who_captured_how_many_and_what_came_back(one_of_two: Flask) -> None:
    son = sign_in(one_of_two, "son.supervisor")
    shown = text(son.get("/reports/returns"))
    line = re.search(r"<tr><th scope=\"row\">lan\.capture</th>(.*?)</tr>", shown, re.DOTALL)
    assert line
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line[1], re.DOTALL)]
    assert cells == ["Tại điểm thu nhận", "2", "1", "50,0 %", "Ảnh chân dung: 1"]
    assert 'href="/reports/returns' in text(son.get("/reports"))
    told = son.get("/reports/returns", Accept="application/json").get_json()
    assert told["lines"][0]["reasons"] == {"portrait": 1}


def test_a_time_in_which_nothing_was_captured_is_said(one_of_two: Flask) -> None:
    son = sign_in(one_of_two, "son.supervisor")
    assert "Không có hồ sơ nào được thu nhận" in text(son.get("/reports/returns?as_of=2021-01-01"))


def test_whoever_does_not_lead_is_refused_and_not_offered_the_page(one_of_two: Flask) -> None:
    lan = sign_in(one_of_two, "lan.capture")
    assert lan.get("/reports/returns").status_code == 403
    assert "/reports/returns" not in text(lan.get("/reports"))


@pytest.mark.parametrize("query", ["unit=nowhere", "as_of=someday", "period=decade"])
def test_what_cannot_be_asked_is_said(one_of_two: Flask, query: str) -> None:
    answered = sign_in(one_of_two, "son.supervisor").get(f"/reports/returns?{query}")
    assert answered.status_code in {404, 422}
    assert "class=" in text(answered)


def test_the_report_draws_what_came_back_with_its_records(one_of_two: Flask) -> None:
    lan = sign_in(one_of_two, "lan.capture")
    shown = text(lan.get("/reports"))
    (drawn,) = re.findall(r"<h3>Mục bị trả lại</h3>(.*?)</table>", shown, re.DOTALL)
    assert "Ảnh chân dung" in drawn
    (link,) = re.findall(r'href="(/reports/records\?[^"]*)"[^>]*>1</a>', drawn)
    assert "cause.returns.portrait" in link
    behind = text(lan.get(link.replace("&amp;", "&")))
    assert "Mục bị trả lại: Ảnh chân dung" in behind
    assert behind.count("Hồ sơ <code>") == 1
    assert "Hồ sơ phải thu nhận lại" in shown, "none of two, and that is said"
