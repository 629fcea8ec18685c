"""A commune's officer reports what happens to who lives there, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.life_events.tables import LIFE_EVENTS
from issuance_backend.refusals import RoleMissing
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.life_events import LifeEventDesk
from tests.support.engines import Engine
from tests.support.form_room import COLLECTOR, STRANGER, SUCCESSOR, FormRoom
from tests.support.issuance_office import Office
from tests.support.registry_contract import post, refused, told
from tests.support.resident_room import AWAY, ELSEWHERE, HERE, RESIDENT, SPOUSE, resident_room
from verification.errors import FieldsRefused
from verification.messages.life_event import Birth, Death, LifeEventReport, LifeEventSeen

PATH = "/v1/registry-life-events"


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with resident_room(office, database_engine, tmp_path) as made:
        yield made


def said(kind: str, number: str = RESIDENT, report: str = "report-0001", **more: Any) -> dict[str, Any]:
    event = {"kind": kind, "citizen_number": number, **more}
    return {"report_id": report, "occurred_on": "2021-01-20", "document": "Trích lục 17/2021", "event": event}


def entry(room: FormRoom, number: str) -> RegistryPerson:
    with room.dc01.database.reading() as connection:
        found = repository.person(connection, number)
    assert found is not None
    return found


def test_what_is_reported_stands_in_the_officers_name(room: FormRoom) -> None:
    collector = room.officer(COLLECTOR)
    wedding = told(post(collector, PATH, said("marriage", spouse_number=SPOUSE)), 201)
    assert wedding["kind"] == "marriage"
    assert entry(room, SPOUSE).spouse == "Nguyễn Thị Lan"
    split = said("divorce", report="report-0002", spouse_number=SPOUSE)
    told(post(collector, PATH, split | {"occurred_on": "2021-01-25"}), 201)
    assert entry(room, RESIDENT).marital_status == "Ly hôn"
    moved = said("move", SPOUSE, "report-0003", current_residence=HERE)
    told(post(collector, PATH, moved), 201)
    assert entry(room, SPOUSE).current_residence == HERE
    told(post(collector, PATH, said("death", report="report-0004") | {"occurred_on": "2021-01-30"}), 201)
    assert entry(room, RESIDENT).life_status == "deceased"
    with room.dc01.database.reading() as connection:
        rows = connection.execute(select(LIFE_EVENTS.c.officer, LIFE_EVENTS.c.reported_by).distinct()).all()
    assert [tuple(row) for row in rows] == [(COLLECTOR, "issuance")]


def test_who_lives_elsewhere_is_another_communes(room: FormRoom) -> None:
    collector = room.officer(COLLECTOR)
    for event in (
        said("death", ELSEWHERE),
        # Nobody is moved into a commune by its own officers, to be theirs from then on.
        said("move", ELSEWHERE, current_residence=HERE, permanent_residence=HERE),
        said("marriage", ELSEWHERE, spouse_number=SPOUSE),
    ):
        answer = post(collector, PATH, event)
        assert (answer.status_code, answer.get_json()["fields"]) == (
            422,
            {"citizen_number": "PERSON_AREA_ELSEWHERE"},
        )
    neighbour = post(room.officer(STRANGER), PATH, said("death"))
    assert neighbour.get_json()["fields"] == {"citizen_number": "PERSON_AREA_ELSEWHERE"}
    assert entry(room, RESIDENT).life_status == "alive"
    # Whoever leaves is no longer theirs either.
    leaves = said("move", current_residence=AWAY)
    told(post(collector, PATH, leaves), 201)
    gone = post(collector, PATH, said("death", report="report-0002"))
    assert gone.get_json()["fields"] == {"citizen_number": "PERSON_AREA_ELSEWHERE"}


def test_who_lived_in_a_unit_is_its_successors(room: FormRoom) -> None:
    before = post(room.officer(SUCCESSOR), PATH, said("death"))
    told(before, 201)
    room.dc01.now = datetime(2025, 7, 2, 3, tzinfo=UTC)
    told(post(room.officer(COLLECTOR), PATH, said("death", SPOUSE, "report-0002")), 201)


def test_a_newborns_home_is_looked_at_too(room: FormRoom) -> None:
    report = LifeEventReport(
        report_id="report-0009",
        occurred_on=date(2021, 1, 20),
        document="Giấy chứng sinh 1/2021",
        officer=COLLECTOR,
        event=Birth("001", {"current_residence": AWAY, "permanent_residence": AWAY}),
        area="001.005.00157",
    )
    with pytest.raises(FieldsRefused) as fault:
        LifeEventOffice(room.dc01.database, room.dc01.clock).report("office", report)
    assert fault.value.fields == {"current_residence": "PERSON_AREA_ELSEWHERE"}


def test_a_report_without_an_area_is_known_again_by_its_old_digest() -> None:
    report = LifeEventReport("report-0001", date(2021, 1, 20), "x", COLLECTOR, Death(RESIDENT))
    assert "area" not in msgspec.to_builtins(report)


def test_what_the_engine_refuses_comes_back_beside_its_field(room: FormRoom) -> None:
    collector = room.officer(COLLECTOR)
    for event, answered in (
        (said("death", "001190099999"), (404, "REGISTRY_PERSON_UNKNOWN")),
        (said("death") | {"occurred_on": "2021-02-02"}, (422, "FIELDS_REFUSED")),
        (said("death") | {"document": " "}, (422, "FIELDS_REFUSED")),
        (said("marriage", spouse_number=RESIDENT), (422, "FIELDS_REFUSED")),
        (said("divorce", spouse_number=SPOUSE), (422, "FIELDS_REFUSED")),
    ):
        assert refused(post(collector, PATH, event)) == answered, event
    told(post(collector, PATH, said("death")), 201)
    assert refused(post(collector, PATH, said("death", report="report-0002"))) == (409, "STATE_NOT_ALLOWED")


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "correction", "citizen_number": RESIDENT, "attributes": {"full_name": "Lê Văn Tám"}},
        {"kind": "birth", "province": "001", "particulars": {}},
        {"kind": "death_annulled", "citizen_number": RESIDENT},
    ],
)
def test_one_officer_alone_neither_corrects_nor_makes_an_entry(room: FormRoom, event: dict[str, Any]) -> None:
    answer = post(room.officer(COLLECTOR), PATH, {**said("death"), "event": event})
    assert refused(answer) == (400, "REQUEST_MALFORMED")


@pytest.mark.parametrize("other", ["officer", "area"])
def test_no_request_names_an_officer_or_an_area(room: FormRoom, other: str) -> None:
    answer = post(room.officer(STRANGER), PATH, {**said("death"), other: "001"})
    assert refused(answer) == (400, "REQUEST_MALFORMED")


def test_what_is_sent_twice_is_done_once(room: FormRoom) -> None:
    collector, key = room.officer(COLLECTOR), "key-0000000000001"
    room.lose_answer()
    assert refused(post(collector, PATH, said("death"), key)) == (503, "REGISTRY_UNAVAILABLE")
    with room.dc01.database.reading() as connection:
        before = recorded_events.newest(connection)
    told(post(collector, PATH, said("death"), key), 201)
    told(post(collector, PATH, said("death"), "key-0000000000002"), 201)
    with room.dc01.database.reading() as connection:
        assert recorded_events.newest(connection) == before
    other = post(collector, PATH, said("death", SPOUSE))
    assert refused(other) == (422, "IDEMPOTENCY_CONFLICT"), "the report's id stands for something else"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COMMUNE_OFFICER}))
def test_no_other_role_reports(role: Role) -> None:
    desk = LifeEventDesk(registry_parts.life_events("http://127.0.0.1:9", "", lambda: None))
    seen = LifeEventSeen("report-0001", date(2021, 1, 20), "x", Death(RESIDENT))
    with pytest.raises(RoleMissing):
        desk.report(Officer("x", "X", frozenset({role})), seen)


def test_who_serves_in_no_unit_reports_of_nobody() -> None:
    desk = LifeEventDesk(registry_parts.life_events("http://127.0.0.1:9", "", lambda: None))
    seen = LifeEventSeen("report-0001", date(2021, 1, 20), "Trích lục 17/2021", Death(RESIDENT))
    for roles in ({Role.COMMUNE_OFFICER}, {Role.COMMUNE_OFFICER, Role.CENTRAL_APPROVER}):
        with pytest.raises(FieldsRefused) as fault:
            desk.report(Officer("x", "X", frozenset(roles)), seen)
        assert fault.value.fields == {"citizen_number": "PERSON_AREA_ELSEWHERE"}
