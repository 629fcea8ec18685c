"""Who may do what with a form: by role, by unit, by who did the step before; answers keep the contract."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from PIL import Image
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

import issuance_backend
from issuance_backend import recorded_events
from issuance_backend.dc01_work.domain import FormStep, require_area, require_step
from issuance_backend.dc01_work.refusals import Dc01FormElsewhere
from issuance_backend.dc01_work.registry_forms import RegistryForms
from issuance_backend.idempotency.domain import request_digest
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.population_registry import repository as entries
from issuance_backend.refusals import Dc01BatchUnknown, RoleMissing
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, PAGES, WHOLE
from tests.support.engines import Engine
from tests.support.form_room import (
    CHIEF,
    CLERK,
    COLLECTOR,
    LEADER,
    NEW_CLERK,
    NEW_LEADER,
    REVIEWER,
    SECOND,
    STRANGER,
    SUCCESSOR,
    THIRD,
    FormRoom,
    form_room,
)
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient
from tests.support.malware_scanner import MALWARE, running_clamd
from verification.messages.dc01 import FormCollected

CONTRACT = OpenAPI.from_file_path(
    str(Path(issuance_backend.__file__ or "").parent / "openapi/dc01_work.yaml"),
    config=Config(
        extra_media_type_deserializers={"application/problem+json": json.loads, "image/png": bytes}
    ),
)
NUMBER = "001190012345"


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, database_engine, tmp_path) as made:
        yield made


def judged(answer: Any) -> Any:
    """Every answer of these tests is held against the published contract."""
    asked = EnvironBuilder(
        path=answer.request.path, method=answer.request.method, base_url="http://localhost"
    )
    request = WerkzeugOpenAPIRequest(asked.get_request(Request))
    CONTRACT.validate_response(request, WerkzeugOpenAPIResponse(answer))
    return answer


def get(officer: OfficerClient, path: str) -> Any:
    return judged(officer.get(path))


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def post(officer: OfficerClient, path: str, key: str | None = None, **said: Any) -> Any:
    return judged(officer.post(path, said or None, key=key))


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_a_form_goes_from_the_list_to_a_clean_record_by_different_officers(room: FormRoom) -> None:
    collector, clerk, leader = map(room.officer, (COLLECTOR, CLERK, LEADER))
    room.dc01.register(NUMBER)
    (planned,) = told(post(collector, "/v1/dc01-forms", unit=COMMUNE, barcodes=["A1"]), 201)
    batch = told(post(leader, "/v1/dc01-batches", unit=COMMUNE, aql="2.5"), 201)["id"]
    form = f"/v1/dc01-forms/{planned['id']}"
    misread = {**WHOLE, "citizen_number": NUMBER, "mother": "TRẦN THỊ CÚC"}
    assert work(collector) == {"collect": 1, "scan": 0, "correct": 0, "review": 0}
    told(post(collector, f"{form}/collection", collected_on="2021-01-10"))
    told(post(collector, f"{form}/scan", pages=list(PAGES)))
    assert get(clerk, f"{form}/pages/2").data == PAGES[1]
    told(post(clerk, f"{form}/index", batch=batch))
    assert told(get(clerk, "/v1/dc01-work/key/next"))["id"] == planned["id"]
    keyed = told(post(clerk, f"{form}/keying", values={**misread, "religion": ""}))
    assert keyed["findings"] == ["MISSING:religion"], "who keyed it sees at once what the rules found"
    assert told(get(clerk, f"{form}/values"))["findings"] == ["MISSING:religion"]
    assert told(post(clerk, f"{form}/keying", values=misread))["findings"] == []
    drawn = told(post(leader, f"/v1/dc01-batches/{batch}/sample"))
    assert (drawn["state"], drawn["sample_size"], drawn["acceptance_number"]) == ("sampled", 1, 0)
    second, third = room.officer(SECOND), room.officer(THIRD)
    assert work(second) == {"scan": 0, "index": 0, "key": 0, "key_again": 1, "decide": 0}
    assert told(get(second, "/v1/dc01-work/key_again/next"))["form"] == planned["id"]
    other = {**misread, "father": "NGUYỄN VĂN ANH"}
    assert post(second, f"{form}/second-keying", values=other).status_code == 204
    difference = told(get(third, "/v1/dc01-work/decide/next"))
    assert [each["field"] for each in difference["differences"]] == ["father"]
    assert post(third, f"{form}/decision", values={"father": WHOLE["father"]}).status_code == 204
    found = told(get(leader, f"/v1/dc01-batches/{batch}"))
    assert (found["state"], found["wrong"], found["low"], found["high"]) == ("accepted", 0, 0.0, 0.975)
    assert told(post(leader, f"/v1/dc01-batches/{batch}/matching"))["states"] == {"conflict": 1}
    reviewer = room.officer(REVIEWER)
    assert told(get(collector, f"{form}/values"))["conflicts"] == ["REGISTRY_DIFFERS:mother"]
    told(post(collector, f"{form}/correction", values={**misread, "mother": WHOLE["mother"]}))
    assert refused(post(collector, f"{form}/review", is_right=True)) == (403, "SAME_OFFICER")
    assert told(post(reviewer, f"{form}/review", is_right=True))["state"] == "clean"
    rates = told(get(leader, "/v1/dc01-work/clerk-rates"))
    assert [(each["clerk"], each["forms"], each["wrong_forms"]) for each in rates] == [(CLERK, 1, 0)]


def test_a_citizen_of_a_form_is_registered_and_captured_for_a_card_at_once(room: FormRoom) -> None:
    collector, leader = map(room.officer, (COLLECTOR, LEADER))
    (form,) = room.dc01.accepted(1)
    batch, path = room.dc01.forms.form(form).batch, f"/v1/dc01-forms/{form}"
    matched = told(post(leader, f"/v1/dc01-batches/{batch}/matching"))
    assert (matched["states"], matched["unregistered"]) == ({"clean": 1}, 1)
    assert refused(get(collector, f"{path}/person")) == (404, "REGISTRY_PERSON_UNKNOWN")
    assert told(get(collector, path))["registered"] is False
    key = "registration-0000000001"
    for _ in range(2):
        registered = told(post(leader, f"/v1/dc01-batches/{batch}/registration", key))
        assert (registered["states"], registered["unregistered"]) == ({"clean": 1}, 0)
    assert told(get(collector, path))["registered"] is True
    number = told(get(collector, f"{path}/person"))["citizen_number"]
    for other in (CLERK, CHIEF, "thanh.tra"):
        assert refused(get(room.officer(other), f"{path}/person")) == (403, "OFFICER_ROLE_MISSING")
    with room.dc01.database.reading() as connection:
        person = entries.person(connection, number)
        looks = connection.exec_driver_sql("SELECT citizen_number, officer, unit FROM person_reads")
        assert [tuple(row) for row in looks] == [(number, COLLECTOR, COMMUNE)]
    assert person is not None
    marks = {"identification": "Nốt ruồi dưới mắt trái"}
    captured = room.office.sign_in("lan.capture").capture(person, person=marks)
    assert captured.status_code == 201, captured.get_data(as_text=True)
    assert captured.get_json()["citizen_number"] == number


def work(officer: OfficerClient) -> dict[str, int]:
    return {each["step"]: each["forms"] for each in told(get(officer, "/v1/dc01-work"))}


def test_whoever_keyed_a_form_neither_keys_it_again_nor_looks_at_it(room: FormRoom) -> None:
    batch, (form,) = room.keyed()
    told(post(room.officer(LEADER), f"/v1/dc01-batches/{batch}/sample"))
    clerk, path = room.officer(CLERK), f"/v1/dc01-forms/{form}"
    assert get(clerk, "/v1/dc01-work/key_again/next").status_code == 204
    assert refused(get(clerk, f"{path}/pages/1")) == (403, "SAME_OFFICER")
    assert refused(post(clerk, f"{path}/second-keying", values=WHOLE)) == (403, "SAME_OFFICER")
    second = room.officer(SECOND)
    post(second, f"{path}/second-keying", values={**WHOLE, "mother": "X"})
    for each in (clerk, second):
        assert get(each, "/v1/dc01-work/decide/next").status_code == 204
        decided = post(each, f"{path}/decision", values={"mother": WHOLE["mother"]})
        assert refused(decided) == (403, "SAME_OFFICER")


def test_the_second_reader_is_told_nothing_of_the_first_keying(room: FormRoom) -> None:
    batch, (form,) = room.keyed(read=lambda _: {**WHOLE, "religion": "", "mother": "BÍ MẬT"})
    told(post(room.officer(LEADER), f"/v1/dc01-batches/{batch}/sample"))
    second, path = room.officer(SECOND), f"/v1/dc01-forms/{form}"
    assert refused(get(second, f"{path}/values")) == (409, "STATE_NOT_ALLOWED")
    asked = ("/v1/dc01-work/key_again/next", path, "/v1/dc01-forms?state=recheck_sampled")
    for each in (*asked, "/v1/dc01-forms?barcode=DC00000000", f"/v1/dc01-batches/{batch}"):
        said = get(second, each).get_data(as_text=True)
        assert "MISSING" not in said, each
        assert "BÍ MẬT" not in said, each
    assert get(second, f"{path}/pages/1").data == PAGES[0]


STEPS = {
    "collection": {"collected_on": "2021-01-10"},
    "scan": {"pages": list(PAGES)},
    "index": {"batch": "x"},
    "keying": {"values": WHOLE},
    "second-keying": {"values": WHOLE},
    "decision": {"values": {}},
    "correction": {"values": WHOLE},
    "review": {"is_right": True},
}


def test_nothing_of_another_unit_is_touched_or_shown(room: FormRoom) -> None:
    batch, (form,) = room.dc01.indexed(1)
    elsewhere, path = (403, "DC01_FORM_ELSEWHERE"), f"/v1/dc01-forms/{form}"
    collector, clerk, leader = map(room.officer, (STRANGER, "nhap.khac", "doi.khac"))
    by_step = {"collection": collector, "correction": collector, "review": collector}
    for step, said in STEPS.items():
        assert refused(post(by_step.get(step, clerk), f"{path}/{step}", **said)) == elsewhere, step
    assert refused(get(collector, f"{path}/person")) == elsewhere
    for read in (path, f"{path}/pages/1", f"{path}/values", "/v1/dc01-forms?barcode=DC00000000"):
        assert refused(get(clerk, read)) == elsewhere, read
    for step in ("sample", "matching", "registration"):
        assert refused(post(leader, f"/v1/dc01-batches/{batch}/{step}")) == elsewhere
    assert refused(get(leader, f"/v1/dc01-batches/{batch}")) == elsewhere
    assert refused(post(leader, "/v1/dc01-batches", unit=COMMUNE)) == elsewhere
    assert refused(post(collector, "/v1/dc01-forms", unit=COMMUNE, barcodes=["A9"])) == elsewhere
    for listed in ("/v1/dc01-forms?state=indexed", "/v1/dc01-batches"):
        assert told(get(clerk, listed)) == []
    assert get(clerk, "/v1/dc01-work/key/next").status_code == 204
    assert work(clerk)["key"] == 0
    assert told(get(room.officer(CLERK), path))["state"] == "indexed", "and nothing happened"


_COMMUNE, _CLERK, _LEADER = Role.COMMUNE_OFFICER, Role.FORM_CLERK, Role.TEAM_LEADER
PERMITTED = {
    FormStep.LIST: {_COMMUNE, _LEADER},
    FormStep.COLLECT: {_COMMUNE},
    FormStep.SCAN: {_COMMUNE, _CLERK},
    FormStep.INDEX: {_CLERK},
    FormStep.KEY: {_CLERK},
    FormStep.KEY_AGAIN: {_CLERK},
    FormStep.DECIDE: {_CLERK},
    FormStep.CORRECT: {_COMMUNE},
    FormStep.REVIEW: {_COMMUNE, _LEADER},
    FormStep.LEAD: {_LEADER},
}


def test_each_step_is_of_its_roles_alone(room: FormRoom) -> None:
    batch, (form,) = room.dc01.indexed(1)
    officers = {role: room.officer(name) for role, name in DOERS.items()}
    asked: dict[FormStep, tuple[str, dict[str, Any]]] = {
        FormStep.LIST: ("/v1/dc01-forms", {"unit": COMMUNE, "barcodes": ["A1"]}),
        **{
            step: (f"/v1/dc01-forms/{form}/{name}", said)
            for step, (name, said) in zip(list(FormStep)[1:9], STEPS.items(), strict=True)
        },
        FormStep.LEAD: (f"/v1/dc01-batches/{batch}/sample", {}),
    }
    assert list(asked) == list(FormStep)
    for step, (path, said) in asked.items():
        for role, officer in officers.items():
            answer = post(officer, path, **said)
            is_missing = answer.status_code == 403 and answer.get_json()["code"] == "OFFICER_ROLE_MISSING"
            assert is_missing is (role not in PERMITTED[step]), (step, role)
    for path in ("/v1/dc01-work", "/v1/dc01-forms?state=indexed", f"/v1/dc01-batches/{batch}"):
        assert refused(get(room.officer("lan.capture"), path)) == (403, "OFFICER_ROLE_MISSING")
        assert get(officers[Role.AUDITOR], path).status_code == 200


DOERS = {
    Role.COMMUNE_OFFICER: COLLECTOR,
    Role.FORM_CLERK: THIRD,
    Role.TEAM_LEADER: LEADER,
    Role.DISTRICT_CHIEF: CHIEF,
    Role.AUDITOR: "thanh.tra",
    Role.SUPERVISOR: "son.supervisor",
}


@pytest.mark.parametrize("role", sorted(set(Role) - DOERS.keys()))
@pytest.mark.parametrize("step", FormStep)
def test_no_other_role_takes_any_step(role: Role, step: FormStep) -> None:
    with pytest.raises(RoleMissing):
        require_step(Officer("x", "X", frozenset({role})), step)


def test_a_unit_holds_those_below_it_and_no_other() -> None:
    def may(area: str | None, unit: str) -> bool:
        try:
            require_area(Officer("x", "X", frozenset({Role.FORM_CLERK}), area), unit)
        except Dc01FormElsewhere:
            return False
        return True

    assert may("001.005", COMMUNE)
    assert may(COMMUNE, COMMUNE)
    assert may(None, COMMUNE)
    for area in (NEIGHBOUR, "001.00", "002", f"{COMMUNE}.1"):
        assert not may(area, COMMUNE), area


def test_a_picture_is_shown_only_for_the_step_that_its_form_waits_for(room: FormRoom) -> None:
    clerk, collector = room.officer(CLERK), room.officer(COLLECTOR)
    (planned,), (scanned,) = room.dc01.plan(1), room.dc01.scanned(1)
    missing, waits = (403, "OFFICER_ROLE_MISSING"), (409, "STATE_NOT_ALLOWED")
    assert refused(get(clerk, f"/v1/dc01-forms/{planned}/pages/1")) == waits
    assert refused(get(collector, f"/v1/dc01-forms/{scanned}/pages/1")) == missing
    assert refused(get(room.officer("thanh.tra"), f"/v1/dc01-forms/{scanned}/pages/1")) == missing
    assert get(clerk, f"/v1/dc01-forms/{scanned}/pages/1").headers["Cache-Control"] == "no-store"
    (settled,) = room.dc01.accepted(1)
    for each in (clerk, collector, room.officer(LEADER)):
        assert refused(get(each, f"/v1/dc01-forms/{settled}/pages/1")) == waits
    assert refused(get(clerk, f"/v1/dc01-forms/{scanned}/pages/9")) == (404, "DC01_PAGE_UNKNOWN")
    assert refused(get(clerk, "/v1/dc01-forms/nobody/pages/1")) == (404, "DC01_FORM_UNKNOWN")


def test_who_looked_is_recorded_in_the_officers_name(room: FormRoom) -> None:
    (form,) = room.dc01.scanned(1)
    get(room.officer(CLERK), f"/v1/dc01-forms/{form}/pages/1")
    with room.dc01.database.reading() as connection:
        looks = connection.exec_driver_sql(
            "SELECT form, reader, officer, unit, roles, purpose FROM person_reads"
        )
        assert [tuple(row) for row in looks] == [
            (form, "issuance", CLERK, "001.005", "form_clerk", "population_form")
        ]


def test_a_page_that_is_too_large_is_refused_beside_its_field(room: FormRoom) -> None:
    (form,) = room.dc01.plan(1)
    collector, path = room.officer(COLLECTOR), f"/v1/dc01-forms/{form}"
    told(post(collector, f"{path}/collection", collected_on="2021-01-10"))
    for page, code in (
        (PAGES[0] + bytes(4 * 1024 * 1024), "DC01_SCAN_TOO_LARGE"),
        (b"%PDF-1.7", "DC01_SCAN_NO_PICTURE"),
    ):
        answer = post(collector, f"{path}/scan", pages=[page])
        assert (answer.status_code, answer.get_json()["fields"]) == (422, {"pages": code})
    assert told(get(collector, path))["state"] == "collected"


def test_a_form_as_large_as_it_may_be_comes_through_the_office(room: FormRoom) -> None:
    """Larger than any capture: the office lets it in for this one address."""
    (form,) = room.dc01.scanned(1)
    noise = Image.frombytes("RGB", (1200, 1100), os.urandom(1200 * 1100 * 3))
    sheet = io.BytesIO()
    noise.save(sheet, "PNG")
    assert 3.9e6 < len(sheet.getvalue()) < 4 * 1024 * 1024
    collector, path = room.officer(COLLECTOR), f"/v1/dc01-forms/{form}"
    assert told(post(collector, f"{path}/scan", pages=[sheet.getvalue()] * 2))["pages"] == 2
    assert collector.post(f"{path}/review", {"is_right": True, "x": "x" * 7_000_000}).status_code == 413


def test_a_virus_never_becomes_a_picture(office: Office, database_engine: Engine, tmp_path: Path) -> None:
    with running_clamd() as clamd, form_room(office, database_engine, tmp_path, clamd.address) as room:
        (form,) = room.dc01.plan(1)
        collector, path = room.officer(COLLECTOR), f"/v1/dc01-forms/{form}"
        told(post(collector, f"{path}/collection", collected_on="2021-01-10"))
        infected = post(collector, f"{path}/scan", pages=[b"\xff\xd8\xff" + MALWARE])
        assert refused(infected) == (422, "CONTENT_INFECTED")
        assert told(get(collector, path))["state"] == "collected"
        assert told(post(collector, f"{path}/scan", pages=list(PAGES)))["state"] == "scanned"


def test_the_same_request_again_is_answered_as_before_and_done_once(room: FormRoom) -> None:
    (form,) = room.dc01.plan(1)
    collector, key = room.officer(COLLECTOR), "key-0000000000001"
    asked = f"/v1/dc01-forms/{form}/collection"
    first, again = (post(collector, asked, key=key, collected_on="2021-01-10") for _ in range(2))
    assert told(first) == told(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refused(post(collector, asked, collected_on="2021-01-10")) == (409, "STATE_NOT_ALLOWED")


def test_what_was_filed_under_a_commune_is_its_successors(room: FormRoom) -> None:
    """On the day of the merge, for steps, lists and batches alike; the neighbour's officers stay outside."""
    batch, (form,) = room.dc01.indexed(1)
    (planned,) = room.dc01.plan(1, NEIGHBOUR)
    path, elsewhere = f"/v1/dc01-forms/{form}", (403, "DC01_FORM_ELSEWHERE")
    successor, clerk, leader = map(room.officer, (SUCCESSOR, NEW_CLERK, NEW_LEADER))
    room.dc01.now = datetime(2025, 6, 30, 3, tzinfo=UTC)
    assert refused(get(clerk, path)) == refused(get(leader, f"/v1/dc01-batches/{batch}")) == elsewhere
    assert told(get(clerk, "/v1/dc01-forms?state=indexed")) == told(get(leader, "/v1/dc01-batches")) == []
    room.dc01.now = datetime(2025, 7, 1, 3, tzinfo=UTC)
    assert [each["id"] for each in told(get(clerk, "/v1/dc01-forms?state=indexed"))] == [form]
    assert told(get(clerk, "/v1/dc01-work/key/next"))["id"] == form
    assert work(successor) == {"collect": 1, "scan": 0, "correct": 0, "review": 0}
    assert told(post(successor, f"/v1/dc01-forms/{planned}/collection", collected_on="2021-01-10"))
    told(post(clerk, f"{path}/keying", values=WHOLE))
    assert [each["id"] for each in told(get(leader, "/v1/dc01-batches"))] == [batch]
    assert told(post(leader, f"/v1/dc01-batches/{batch}/sample"))["state"] == "sampled"
    second = room.officer(SECOND)
    assert told(get(second, "/v1/dc01-work/key_again/next"))["form"] == form
    assert post(second, f"{path}/second-keying", values={**WHOLE, "father": "X"}).status_code == 204
    assert told(get(room.officer(THIRD), "/v1/dc01-work/decide/next"))["form"] == form
    assert get(clerk, "/v1/dc01-work/decide/next").status_code == 204, "the first reader decides nothing"
    assert refused(get(room.officer(STRANGER), path)) == elsewhere
    assert refused(get(room.officer("doi.khac"), f"/v1/dc01-batches/{batch}")) == elsewhere


def test_what_is_repeated_after_a_lost_answer_is_done_once(room: FormRoom) -> None:
    leader, collector = room.officer(LEADER), room.officer(COLLECTOR)
    (form,) = room.dc01.plan(1)
    for officer, path, said, status in (
        (leader, "/v1/dc01-batches", {"unit": COMMUNE, "aql": "2.5"}, 201),
        (collector, "/v1/dc01-forms", {"unit": COMMUNE, "barcodes": ["A1", "A2"]}, 201),
        (collector, f"/v1/dc01-forms/{form}/collection", {"collected_on": "2021-01-10"}, 200),
    ):
        before, key = recorded(room), f"key-of-what-{path.rpartition('/')[2]}"
        room.lose_answer()
        lost = post(officer, path, key=key, **said)
        assert refused(lost) == (503, "REGISTRY_UNAVAILABLE")
        done = recorded(room)
        assert done > before
        assert told(post(officer, path, key=key, **said), status)
        assert recorded(room) == done, path
        # Who does not say that it is the same asks for another one.
        other = post(officer, path, **said)
        assert other.status_code == 201 or refused(other)[0] == 409


def test_a_key_is_its_officers_own(room: FormRoom) -> None:
    first, second = room.dc01.plan(2)
    key, said = "key-0000000000001", {"collected_on": "2021-01-10"}
    told(post(room.officer(COLLECTOR), f"/v1/dc01-forms/{first}/collection", key=key, **said))
    told(post(room.officer(REVIEWER), f"/v1/dc01-forms/{second}/collection", key=key, **said))
    assert room.dc01.states([first, second]) == ["collected"] * 2


def test_what_the_registry_still_works_on_is_said(room: FormRoom) -> None:
    """Its answer is lost because it is not there yet: nothing is begun a second time."""
    (form,) = room.dc01.plan(1)
    path = f"/v1/dc01/forms/{form}/collection"
    key = hashlib.sha256(f"{COLLECTOR}/key-0000000000001".encode()).hexdigest()
    body = msgspec.json.encode(FormCollected(collected_on=date(2021, 1, 10), officer=COLLECTOR))
    register = RequestRegister(room.dc01.database, room.dc01.clock)
    register.begin("issuance", key, request_digest("POST", f"{path}?", body))
    said = {"collected_on": "2021-01-10"}
    asked = f"/v1/dc01-forms/{form}/collection"
    assert refused(post(room.officer(COLLECTOR), asked, key="key-0000000000001", **said)) == (
        409,
        "REQUEST_STILL_RUNNING",
    )
    assert room.dc01.states([form]) == ["planned"]


def recorded(room: FormRoom) -> int:
    with room.dc01.database.reading() as connection:
        return recorded_events.newest(connection)


def test_lists_come_in_pages_whose_links_lead_on_at_the_office(room: FormRoom) -> None:
    ids = sorted(room.dc01.plan(3))
    clerk = room.officer(CLERK)
    first = get(clerk, "/v1/dc01-forms?state=planned&limit=2")
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert link.startswith("/v1/dc01-forms?")
    assert [each["id"] for each in told(first) + told(get(clerk, link))] == ids
    assert refused(get(clerk, "/v1/dc01-forms?state=nowhere")) == (422, "FIELDS_REFUSED")


@pytest.mark.parametrize("name", ["..", "../batches", "%2E%2E", "a/b", "a?b", "a b", "ư", "x" * 41])
def test_what_is_no_name_leads_to_no_other_address_of_the_registry(room: FormRoom, name: str) -> None:
    clerk, leader = room.officer(CLERK), room.officer(LEADER)
    part = quote(name, safe="").replace(".", "%2E")
    for answer in (
        clerk.get(f"/v1/dc01-forms/{part}"),
        clerk.get(f"/v1/dc01-forms/{part}/values"),
        leader.post(f"/v1/dc01-batches/{part}/sample"),
    ):
        assert answer.status_code == 404
    with pytest.raises(Dc01BatchUnknown):
        RegistryForms("http://127.0.0.1", "", lambda: None).address(("batches", name), {})


def test_a_registry_that_is_down_is_said(office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(CLERK, "N", (Role.FORM_CLERK,), PASSWORD, "001.005")
    clerk = office.sign_in(CLERK)
    assert refused(get(clerk, "/v1/dc01-work")) == (503, "REGISTRY_UNAVAILABLE")
