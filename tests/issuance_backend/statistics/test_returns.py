"""Captures that came back: by officer, kit and item, each against how many were captured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.statistics.returns import CAPTURED, RETURNED, Span, StepOfCapture, return_lines
from tests.issuance_backend.test_openapi import Contract
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient, citizens, make_office
from verification.messages.statistics import ReturnLine

ALL = Span(1, 10**6)


def steps(*told: tuple[str, str, str, dict[str, str]]) -> Iterator[StepOfCapture]:
    """Dossier, event, actor, detail."""
    for sequence, (dossier, event, actor, detail) in enumerate(told, start=1):
        yield StepOfCapture(sequence, dossier, event, actor, detail)


def test_returns_are_counted_against_the_officer_and_the_kit_that_captured() -> None:
    kit = {"kit": "kit-1"}
    told = (
        ("a", "receive", "lan", kit),
        ("a", RETURNED, "system", {"items": "portrait,form"}),
        ("a", RETURNED, "minh", {"items": "portrait,signature"}),
        ("a", "capture", "hoa", {}),
        ("b", "receive", "lan", kit),
        ("c", "capture", "lan", {}),
        ("c", RETURNED, "minh", {"items": "particulars"}),
    )
    assert return_lines(steps(*told), ALL) == (
        ReturnLine("hoa", None, 1, 0, "0.0", {}),
        ReturnLine("lan", None, 1, 1, "100.0", {"particulars": 1}),
        ReturnLine("lan", "kit-1", 2, 1, "50.0", {"form": 1, "portrait": 1, "signature": 1}),
    )


def test_a_capture_before_the_span_counts_for_nobody() -> None:
    told = (
        ("a", "capture", "lan", {}),
        ("a", RETURNED, "minh", {"items": "form"}),
        ("a", "capture", "hoa", {}),
    )
    assert return_lines(steps(*told), Span(2, 3)) == (ReturnLine("hoa", None, 1, 0, "0.0", {}),)


EVENTS = st.sampled_from([*CAPTURED, RETURNED])
HISTORY = st.lists(st.tuples(EVENTS, st.sampled_from(["lan", "hoa"]), st.sampled_from(["form", "portrait"])))


@given(st.lists(HISTORY, max_size=6))
def test_every_capture_is_on_one_line_and_no_more_came_back_than_were_made(
    histories: list[list[tuple[str, str, str]]],
) -> None:
    told = [
        (f"{number}", event, actor, {"items": item})
        for number, history in enumerate(histories)
        for event, actor, item in history
    ]
    lines = return_lines(steps(*told), ALL)
    assert sum(line.captured for line in lines) == sum(event in CAPTURED for _, event, _, _ in told)
    for line in lines:
        assert line.returned <= line.captured
        assert all(amount <= line.returned for amount in line.reasons.values())


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Office:
    """Two dossiers captured, one of them sent back and captured again the day after."""
    office = make_office(tmp_path, office_pki, database_engine)
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("ha.leader", "Hà", (Role.TEAM_LEADER,), PASSWORD, "001")
    lan, minh = office.sign_in("lan.capture"), office.sign_in("minh.approve")
    made = [lan.capture(citizens()[n], f"capture-000000000{n}").get_json()["id"] for n in (0, 1)]
    minh.post(f"/v1/dossiers/{made[0]}/return", {"items": ["portrait"], "comment": "mờ"})
    office.now[0] += timedelta(days=1)
    return office


def returns(client: OfficerClient, query: str = "") -> Any:
    answered = client.get(f"/v1/statistics/returns{query}")
    Contract("statistics").judge(answered)
    return answered.get_json()


def test_the_office_tells_its_leaders_which_captures_came_back(office: Office) -> None:
    son = office.sign_in("son.supervisor")
    yesterday = NOW.date().isoformat()
    found = returns(son, f"?as_of={yesterday}")
    assert (found["period_from"], found["period_to"]) == (yesterday, yesterday)
    assert found["lines"] == [
        {
            "officer": "lan.capture", "kit": None, "captured": 2, "returned": 1, "percent": "50.0",
            "reasons": {"portrait": 1},
        }
    ]  # fmt: skip
    assert returns(son)["lines"] == [], "nothing was captured today"
    assert returns(son, "?period=year")["lines"] == found["lines"]


def test_who_does_not_lead_there_is_not_told(office: Office) -> None:
    assert returns(office.sign_in("lan.capture"))["code"] == "OFFICER_ROLE_MISSING"
    leader = office.sign_in("ha.leader")
    assert returns(leader, "?unit=079")["code"] == "UNIT_UNKNOWN"
    assert returns(leader, "?unit=001.02")["code"] == "UNIT_UNKNOWN", "nobody works there"
    assert returns(leader, "?as_of=2099-01-01")["code"] == "FIGURE_UNKNOWN"
    found = returns(leader, "?period=year")
    assert (found["unit"], found["lines"]) == ("001", []), "lan captures for no unit"
