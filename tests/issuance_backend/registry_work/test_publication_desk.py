"""Three signed-in registrars publish: one request, one officer; who proposed or signed does not sign."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from issuance_backend import recorded_events
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.publication.service import PublicationOffice
from issuance_backend.refusals import RoleMissing
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.publications import PublicationDesk
from tests.support.engines import Engine
from tests.support.form_room import CHIEF, DISTRICT, REGISTRARS, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.registry_contract import get, post, refused, told
from verification.messages.life_event import Correction, LifeEventReport
from verification.messages.publication import PublicationWanted, Receiver, ValuesSigned

PATH, NUMBER = "/v1/registry-publications", "001190012345"
WANTED = {"citizen_number": NUMBER, "attributes": ["full_name", "mother"]}
SAME = (403, "SAME_OFFICER")


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, database_engine, tmp_path) as made:
        made.dc01.register(NUMBER)
        PublicationOffice(made.dc01.database, made.dc01.clock).subscribe(
            "admin", Receiver("health", ("full_name", "mother"))
        )
        yield made


def proposed(room: FormRoom) -> str:
    return str(told(post(room.officer(REGISTRARS[0]), PATH, WANTED), 201)["id"])


def sign(room: FormRoom, name: str, made: str, *, approves: bool = True) -> Any:
    """Look at the values as this officer, and sign for them."""
    officer = room.officer(name)
    digest = told(get(officer, f"{PATH}/{made}/values"))["values_digest"]
    return post(officer, f"{PATH}/{made}/signature", {"values_digest": digest, "approves": approves})


def test_one_prepares_and_two_others_sign_each_in_their_own_name(room: FormRoom) -> None:
    first, second, third = REGISTRARS
    made = proposed(room)
    looked = told(get(room.officer(second), f"{PATH}/{made}/values"))
    assert looked["values"] == {"full_name": "Nguyễn Thị Lan", "mother": "Trần Thị Bình"}
    once = told(sign(room, second, made))
    assert (once["state"], once["proposed_by"], once["signed_by"]) == ("signed_once", first, [second])
    assert [each["id"] for each in told(get(room.officer(first), f"{PATH}?state=signed_once"))] == [made]
    done = told(sign(room, third, made))
    assert (done["state"], done["signed_by"]) == ("published", [second, third])
    assert told(get(room.officer("thanh.tra"), f"{PATH}/{made}"))["ended"] == []
    room.dc01.now += timedelta(minutes=4)
    missing = told(get(room.officer(first), f"{PATH}/missing-acknowledgements"))
    assert {(each["receiver"], each["kind"]) for each in missing} == {("health", "publish")}
    assert told(get(room.officer(first), f"{PATH}/missing-acknowledgements?older_than_minutes=5")) == []


def test_who_proposed_or_signed_neither_looks_nor_signs(room: FormRoom) -> None:
    first, second, _ = REGISTRARS
    made = proposed(room)
    digest = told(get(room.officer(first), f"{PATH}/{made}"))["values_digest"]
    signature = {"values_digest": digest}
    for name in (first, second):
        officer = room.officer(name)
        if name == second:
            told(sign(room, second, made))
        assert refused(get(officer, f"{PATH}/{made}/values")) == SAME
        assert refused(post(officer, f"{PATH}/{made}/signature", signature)) == SAME
    assert told(get(room.officer(first), f"{PATH}/{made}"))["signed_by"] == [second]


@pytest.mark.parametrize("other", ["officer", "signed_by", "approved_by", "proposed_by"])
def test_no_request_names_an_officer(room: FormRoom, other: str) -> None:
    """The office alone says who acts: whoever is signed in."""
    made, third = proposed(room), room.officer(REGISTRARS[2])
    digest = told(get(third, f"{PATH}/{made}"))["values_digest"]
    for path, said in ((PATH, WANTED), (f"{PATH}/{made}/signature", {"values_digest": digest})):
        assert refused(post(third, path, {**said, other: REGISTRARS[1]})) == (400, "REQUEST_MALFORMED")
    asked = f"{PATH}/{made}/values?officer={REGISTRARS[0]}"
    assert get(third, asked).status_code == 200, "who looks is who is signed in"
    assert reads(room) == [(NUMBER, REGISTRARS[2])]


def reads(room: FormRoom) -> list[tuple[str, str]]:
    """Whose entry which officer read in order to sign."""
    with room.dc01.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT citizen_number, officer, reader, purpose, unit, roles FROM person_reads ORDER BY id"
        ).all()
    assert {tuple(row[2:]) for row in rows} <= {("issuance", "publication_check", DISTRICT, "registrar")}
    return [(row[0], row[1]) for row in rows]


def test_only_who_may_sign_reads_the_entry_and_that_is_recorded(room: FormRoom) -> None:
    made = proposed(room)
    get(room.officer(REGISTRARS[0]), f"{PATH}/{made}/values")
    assert reads(room) == [], "what is refused was not read"
    told(sign(room, REGISTRARS[1], made))
    told(sign(room, REGISTRARS[2], made))
    assert reads(room) == [(NUMBER, REGISTRARS[1]), (NUMBER, REGISTRARS[2])]
    over = get(room.officer(REGISTRARS[1]), f"{PATH}/{made}/values")
    assert refused(over) == (409, "STATE_NOT_ALLOWED")


def corrected(room: FormRoom, mother: str) -> None:
    event = Correction(NUMBER, {"mother": mother})
    report = LifeEventReport(
        report_id="report-0001",
        occurred_on=date(2021, 1, 30),
        document="HT-1",
        officer="hộ.tịch",
        event=event,
    )
    LifeEventOffice(room.dc01.database, room.dc01.clock).report("civil", report)


def test_a_corrected_value_is_withdrawn_and_the_withdrawal_waits_for_its_receiver(room: FormRoom) -> None:
    first, second, third = REGISTRARS
    made, open_one = proposed(room), proposed(room)
    for name in (second, third):
        told(sign(room, name, made))
    corrected(room, "Trần Thị Cúc")
    lead = room.officer(first)
    assert told(get(lead, f"{PATH}/{made}"))["ended"] == ["mother"]
    assert [each["ended"] for each in told(get(lead, f"{PATH}?state=published"))] == [["mother"]]
    assert told(get(lead, f"{PATH}/{open_one}"))["state"] == "outdated"
    room.dc01.now += timedelta(minutes=4)
    missing = told(get(lead, f"{PATH}/missing-acknowledgements"))
    assert [each["attribute"] for each in missing if each["kind"] == "withdraw"] == ["mother"]


def test_the_faults_of_the_gate_are_told_and_nobody_signs(room: FormRoom) -> None:
    room.dc01.register("001090012346")
    wanted = {"citizen_number": "001090012346", "attributes": ["full_name"]}
    stopped = told(post(room.officer(REGISTRARS[0]), PATH, wanted), 201)
    assert (stopped["state"], stopped["faults"]) == ("refused", ["CITIZEN_NUMBER_SEX_DIFFERS"])
    second = room.officer(REGISTRARS[1])
    assert refused(get(second, f"{PATH}/{stopped['id']}/values")) == (409, "STATE_NOT_ALLOWED")
    signed = post(second, f"{PATH}/{stopped['id']}/signature", {"values_digest": stopped["values_digest"]})
    assert refused(signed) == (409, "STATE_NOT_ALLOWED")


def test_a_rejection_is_one_officers_and_the_end(room: FormRoom) -> None:
    made = proposed(room)
    assert told(sign(room, REGISTRARS[1], made, approves=False))["state"] == "rejected"
    assert refused(get(room.officer(REGISTRARS[2]), f"{PATH}/{made}/values")) == (409, "STATE_NOT_ALLOWED")


def test_what_is_sent_twice_is_done_once(room: FormRoom) -> None:
    first, key = room.officer(REGISTRARS[0]), "key-0000000000001"
    room.lose_answer()
    assert refused(post(first, PATH, WANTED, key)) == (503, "REGISTRY_UNAVAILABLE")
    with room.dc01.database.reading() as connection:
        before = recorded_events.newest(connection)
    told(post(first, PATH, WANTED, key), 201)
    with room.dc01.database.reading() as connection:
        assert recorded_events.newest(connection) == before
    other = post(room.officer(REGISTRARS[1]), PATH, WANTED, key)
    assert told(other, 201)["proposed_by"] == REGISTRARS[1], "a key is its officer's own"


def test_lists_come_in_pages_and_what_cannot_be_asked_is_refused(room: FormRoom) -> None:
    made = [proposed(room) for _ in range(3)]
    auditor = room.officer("thanh.tra")
    first = get(auditor, f"{PATH}?state=checked&limit=2")
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert link.startswith(PATH)
    assert {each["id"] for each in told(first) + told(get(auditor, link))} == set(made)
    for asked in ("", "?state=nowhere", "/missing-acknowledgements?older_than_minutes=-1"):
        assert refused(get(auditor, PATH + asked)) == (422, "FIELDS_REFUSED"), asked
    lead = room.officer(REGISTRARS[0])
    unknown = {"citizen_number": "001190099999", "attributes": ["full_name"]}
    assert refused(post(lead, PATH, unknown)) == (404, "REGISTRY_PERSON_UNKNOWN")
    for attributes in ([], ["phone"], ["citizen_number"]):
        asked = post(lead, PATH, {**WANTED, "attributes": attributes})
        assert "attributes" in asked.get_json()["fields"]


@pytest.mark.parametrize("name", ["..", "receivers", "a/b", "a b", "x" * 41])
def test_what_is_no_publication_leads_to_no_other_address(room: FormRoom, name: str) -> None:
    lead, part = room.officer(REGISTRARS[0]), quote(name, safe="").replace(".", "%2E")
    assert lead.get(f"{PATH}/{part}").status_code == 404
    assert lead.post(f"{PATH}/{part}/signature", {"values_digest": "x"}).status_code == 404


def test_an_auditor_reads_lists_and_no_values_and_others_nothing(room: FormRoom) -> None:
    made = proposed(room)
    auditor, chief, missing = room.officer("thanh.tra"), room.officer(CHIEF), (403, "OFFICER_ROLE_MISSING")
    for path in ("?state=checked", f"/{made}", "/missing-acknowledgements"):
        assert get(auditor, PATH + path).status_code == 200, path
        assert refused(get(chief, PATH + path)) == missing, path
    assert refused(get(auditor, f"{PATH}/{made}/values")) == missing


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REGISTRAR}))
def test_no_other_role_proposes_signs_or_sees_values(role: Role) -> None:
    desk = PublicationDesk(registry_parts.publications("http://127.0.0.1:9", "", lambda: None))
    officer = Officer("x", "X", frozenset({role}))
    with pytest.raises(RoleMissing):
        desk.propose(officer, PublicationWanted(NUMBER, ("full_name",)))
    with pytest.raises(RoleMissing):
        desk.sign(officer, "x", ValuesSigned("0"))
    with pytest.raises(RoleMissing):
        desk.values(officer, "x")
