"""Plans over HTTP: made by a process of their own, refused like everything else."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_backend.campaign_planner import service
from issuance_backend.campaign_planner.service import PlanningDesk
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import PlanNotFound, RoleMissing
from tests.support.engines import Sqlite
from tests.support.issuance_office import Office, make_office
from verification.errors import FieldsRefused
from verification.messages.campaign_plan import Area, CycleTimes, PlanRequest

LEADER = Officer("chi.huy", "Chỉ huy", frozenset({Role.SUPERVISOR}))


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    return make_office(tmp_path, office_pki, Sqlite(tmp_path))


def asked(**changes: Any) -> PlanRequest:
    request = PlanRequest(
        starts_on=date(2021, 3, 1),
        ends_on=date(2021, 3, 5),
        areas=(Area(unit="001", target=500, officers=10, stations=5),),
        times=CycleTimes(officer_minutes=38, mobile_officer_minutes=60),
    )
    return msgspec.structs.replace(request, **changes)


def test_a_plan_is_made_by_a_process_of_its_own() -> None:
    made = PlanningDesk().plan(LEADER, asked())
    assert made.is_feasible
    assert made.captured == 500


_GREETING_SOLVER = """
import os, sys
from issuance_backend.campaign_planner import __main__ as planner, programme

solved = programme.solved
def greeting(*asked):
    os.write(1, b"Welcome to the solver\\n")
    return solved(*asked)
programme.solved = greeting
sys.exit(planner.main())
"""


def test_what_a_solver_prints_is_no_part_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_COMMAND", (sys.executable, "-c", _GREETING_SOLVER))
    assert PlanningDesk().plan(LEADER, asked()).captured == 500


def test_only_who_leads_plans() -> None:
    with pytest.raises(RoleMissing):
        PlanningDesk().plan(Officer("lan", "Lan", frozenset({Role.CAPTURE})), asked())


def test_a_refusal_comes_back_from_the_other_process() -> None:
    with pytest.raises(FieldsRefused) as refused:
        PlanningDesk().plan(LEADER, asked(ends_on=date(2021, 2, 1)))
    assert refused.value.fields == {"ends_on": "FIELD_DATE"}


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "import os; os.abort()", "print('Welcome')"])
def test_a_planner_that_dies_or_babbles_is_a_refusal(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(service, "_COMMAND", (sys.executable, "-c", program))
    with pytest.raises(PlanNotFound):
        PlanningDesk().plan(LEADER, asked())


def test_a_planner_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(service, "PLAN_SECONDS", 0.5)
    desk = PlanningDesk()
    for _ in range(2):  # and the next one is served
        with pytest.raises(PlanNotFound):
            desk.plan(LEADER, asked())


def test_who_comes_while_a_plan_is_made_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(service, "PLAN_SECONDS", 3.0)
    monkeypatch.setattr(service, "WAIT_SECONDS", 0.05)
    desk = PlanningDesk()

    def ask() -> float:
        began = time.monotonic()
        with pytest.raises(PlanNotFound):
            desk.plan(LEADER, asked())
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        refused = sorted(pool.map(lambda _: ask(), range(8)))
    assert refused[6] < 2.0
    assert refused[7] >= 3.0, "one plan is made at a time, and the first is"


def test_over_http(office: Office) -> None:
    leader = office.sign_in("son.supervisor")
    answered = leader.post("/v1/campaign-plans", asked())
    assert answered.status_code == 200
    assert answered.get_json()["captured"] == 500
    wrong = leader.post("/v1/campaign-plans", {**msgspec.to_builtins(asked()), "areas": []})
    assert (wrong.status_code, wrong.get_json()["code"]) == (400, "REQUEST_MALFORMED")
    assert office.sign_in("lan.capture").post("/v1/campaign-plans", asked()).status_code == 403
