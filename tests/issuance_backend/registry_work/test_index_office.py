"""Who sees how good the data of a unit are: by role, by unit, and without what would tell a blind reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import issuance_backend
from issuance_backend.officers import service
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.population_registry.dc01.measures import IndexName
from issuance_backend.refusals import RoleMissing
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.indices import INDICES, IndexOffice
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, SINCE_2025, WHOLE
from tests.support.engines import Engine
from tests.support.form_room import (
    CHIEF,
    CLERK,
    COLLECTOR,
    DISTRICT,
    LEADER,
    STRANGER,
    SUCCESSOR,
    SUPERVISOR,
    FormRoom,
    form_room,
)
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient

CONTRACT = OpenAPI.from_file_path(
    str(Path(issuance_backend.__file__ or "").parent / "openapi/registry_work.yaml"),
    config=Config(extra_media_type_deserializers={"application/problem+json": json.loads}),
)
INDICES_OF, ELSEWHERE = "/v1/registry-indices", (403, "REGISTRY_AREA_ELSEWHERE")


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, database_engine, tmp_path) as made:
        yield made


def get(officer: OfficerClient, path: str) -> Any:
    """An answer, held against the published contract."""
    answer = officer.get(path)
    asked = EnvironBuilder(path=answer.request.path, method="GET", base_url="http://localhost")
    request = WerkzeugOpenAPIRequest(asked.get_request(Request))
    CONTRACT.validate_response(request, WerkzeugOpenAPIResponse(answer))
    return answer


def told(answer: Any) -> Any:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def figures(answer: Any, unit: str = COMMUNE) -> dict[str, tuple[int, int]]:
    lines = [each for each in told(answer) if each["unit"] == unit]
    return {each["index"]: (each["numerator"], each["denominator"]) for each in lines}


def test_a_communes_officer_sees_its_figures_and_exactly_what_fails(room: FormRoom) -> None:
    room.keyed(2, read=lambda place: {**WHOLE, "religion": "" if place else "Không"})
    (planned,) = room.dc01.plan(1)
    room.dc01.plan(2, NEIGHBOUR)
    collector = room.officer(COLLECTOR)
    assert figures(get(collector, INDICES_OF)) == {
        "dung": (0, 0), "du": (1, 2), "sach": (0, 2), "song": (0, 0), "thu-thap": (2, 3)
    }  # fmt: skip
    (missing,) = told(get(collector, f"{INDICES_OF}/du/failing"))
    assert (missing["unit"], missing["reasons"]) == (COMMUNE, ["MISSING:religion", "STATE:auto_checked"])
    assert [each["form"] for each in told(get(collector, f"{INDICES_OF}/thu-thap/failing"))] == [planned]
    chief = told(get(room.officer(CHIEF), INDICES_OF))
    assert [each["unit"] for each in chief[::5]] == [DISTRICT, COMMUNE, NEIGHBOUR]
    assert told(get(room.officer("thanh.tra"), INDICES_OF))[0]["unit"] == "", "an auditor sees the nation"


def test_no_figure_of_another_unit_is_shown(room: FormRoom) -> None:
    room.dc01.indexed(1)
    stranger, clerk = room.officer(STRANGER), room.officer(CLERK)
    for asked in (COMMUNE, DISTRICT, "001", "002", "x", "0"):
        for path in (INDICES_OF, f"{INDICES_OF}/sach/failing"):
            answer = get(stranger, f"{path}?area={asked}")
            assert refused(answer) in (ELSEWHERE, (404, "UNIT_UNKNOWN")), (path, asked)
            assert refused(get(clerk, f"{path}?area={asked}")) == (403, "OFFICER_ROLE_MISSING")
    assert refused(get(stranger, f"{INDICES_OF}?area={COMMUNE}")) == ELSEWHERE
    assert figures(get(stranger, INDICES_OF), NEIGHBOUR)["thu-thap"] == (0, 0)
    assert figures(get(room.officer(LEADER), f"{INDICES_OF}?area={COMMUNE}"))["thu-thap"] == (1, 1)


def test_past_figures_of_a_unit_are_its_successors_to_see(room: FormRoom) -> None:
    room.dc01.indexed(1)
    successor, path = room.officer(SUCCESSOR), f"{INDICES_OF}?area={COMMUNE}&on=2021-02-01"
    assert refused(get(successor, path)) == ELSEWHERE
    room.dc01.now = datetime(2025, 7, 1, 3, tzinfo=UTC)
    assert figures(get(successor, path))["thu-thap"] == (1, 1)
    assert figures(get(successor, INDICES_OF), SINCE_2025)["thu-thap"] == (1, 1)


def test_an_officer_of_a_unit_that_is_no_more_sees_what_it_became(room: FormRoom) -> None:
    room.dc01.indexed(1)
    (planned,) = room.dc01.plan(1, NEIGHBOUR)
    room.dc01.now = datetime(2025, 7, 1, 3, tzinfo=UTC)
    collector = room.officer(COLLECTOR)
    assert told(get(collector, INDICES_OF))[0]["unit"] == SINCE_2025
    assert figures(get(collector, INDICES_OF), SINCE_2025)["thu-thap"] == (1, 2)
    failing = told(get(collector, f"{INDICES_OF}/thu-thap/failing"))
    assert [each["form"] for each in failing] == [planned]
    # On a day on which it was, its own; nothing else of its successor is its officers'.
    assert figures(get(collector, f"{INDICES_OF}?on=2021-02-01"))["thu-thap"] == (1, 1)
    assert refused(get(collector, f"{INDICES_OF}?area=01")) == ELSEWHERE
    # A district has no successor but the province that holds it, which is not its officers' to see.
    assert refused(get(room.officer(CHIEF), INDICES_OF)) == (404, "UNIT_UNKNOWN")
    # Two communes became this one: before that day nobody can say which of their figures are its own.
    successor = get(room.officer(SUCCESSOR), f"{INDICES_OF}?on=2021-02-01")
    assert refused(successor) == (404, "UNIT_UNKNOWN")
    assert refused(get(collector, f"{INDICES_OF}?on=x")) == (422, "FIELDS_REFUSED")


def test_who_also_keys_forms_is_not_told_what_is_wrong_with_them(room: FormRoom) -> None:
    room.keyed(1, read=lambda _: {**WHOLE, "religion": ""})
    with patch.object(service, "_METHOD", "scrypt:1024:8:1"):
        roles = (Role.COMMUNE_OFFICER, Role.FORM_CLERK)
        OfficerDoor(room.office.database, lambda: NOW).enrol("hai.viec", "Hai", roles, PASSWORD, DISTRICT)
    (form,) = told(get(room.officer("hai.viec"), f"{INDICES_OF}/du/failing"))
    assert (form["unit"], form["reasons"]) == (COMMUNE, [])


def test_what_cannot_be_asked_is_refused_beside_its_field(room: FormRoom) -> None:
    leader = room.officer(LEADER)
    for path, fields in (
        ("?on=2021-02-30", {"on": "FIELD_DATE"}),
        ("?on=2021-02-02", {"on": "FIELD_DATE"}),
        ("/x/failing", {"index": "FIELD_CHARACTERS"}),
        ("/du/failing?limit=0", {"limit": "FIELD_CHARACTERS"}),
    ):
        answer = get(leader, INDICES_OF + path)
        assert (answer.status_code, answer.get_json()["fields"]) == (422, fields), path


def test_failing_forms_come_in_pages(room: FormRoom) -> None:
    ids = sorted(room.dc01.plan(3))
    supervisor = room.officer(SUPERVISOR)
    first = get(supervisor, f"{INDICES_OF}/thu-thap/failing?limit=2")
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert link.startswith(INDICES_OF)
    assert [each["form"] for each in told(first) + told(get(supervisor, link))] == ids


def test_the_indices_are_the_registrys() -> None:
    assert set(INDICES) == {each.value for each in IndexName}


SEEING = {Role.COMMUNE_OFFICER, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.SUPERVISOR, Role.AUDITOR}


@pytest.mark.parametrize("role", sorted(set(Role) - SEEING))
def test_no_other_role_sees_them(role: Role) -> None:
    office = IndexOffice(registry_parts.quality_indices("http://127.0.0.1:9", "", lambda: None))
    with pytest.raises(RoleMissing):
        office.indices(Officer("x", "X", frozenset({role})), None, None)


def test_a_registry_that_is_down_is_said(office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(LEADER, "N", (Role.TEAM_LEADER,), PASSWORD, DISTRICT)
    assert refused(get(office.sign_in(LEADER), INDICES_OF)) == (503, "REGISTRY_UNAVAILABLE")
