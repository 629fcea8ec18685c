"""Two signed-in registrars merge: one request, one officer; who proposed it does not decide it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuance_backend import recorded_events
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.refusals import RoleMissing
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.merges import MergeOffice
from tests.support.engines import Engine
from tests.support.form_room import CHIEF, DISTRICT, REGISTRARS, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.registry_contract import get, post, refused, told
from verification.messages.registry_merge import EntriesJudged, MergeWanted

PATH, KEPT, MERGED = "/v1/registry-merges", "001190012345", "001190054321"
WANTED = {"act": "merge", "kept": KEPT, "merged": MERGED, "reason": "registered_twice"}
FIRST, SECOND, _ = REGISTRARS


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, database_engine, tmp_path) as made:
        for number in (KEPT, MERGED):
            made.dc01.register(number)
        yield made


def proposed(room: FormRoom, wanted: dict[str, Any] | None = None) -> str:
    return str(told(post(room.officer(FIRST), PATH, wanted or WANTED), 201)["id"])


def signed(room: FormRoom, made: str, name: str = SECOND) -> Any:
    """Look at both entries as this officer, and sign for them."""
    digest = told(get(room.officer(name), f"{PATH}/{made}/entries"))["entries_digest"]
    return post(room.officer(name), f"{PATH}/{made}/decision", {"entries_digest": digest, "approves": True})


def leads_to(room: FormRoom) -> str:
    return RegistryDesk(room.dc01.database).extract(MERGED).citizen_number


def test_one_proposes_and_another_looks_and_signs_each_in_their_own_name(room: FormRoom) -> None:
    made = proposed(room)
    assert leads_to(room) == MERGED
    assert [each["id"] for each in told(get(room.officer("thanh.tra"), f"{PATH}?state=proposed"))] == [made]
    done = told(signed(room, made))
    assert (done["state"], done["proposed_by"], done["decided_by"]) == ("signed", FIRST, SECOND)
    assert leads_to(room) == KEPT
    back = proposed(room, {**WANTED, "act": "separate", "reason": "two_people"})
    assert leads_to(room) == KEPT
    told(signed(room, back))
    assert leads_to(room) == MERGED


def test_who_proposed_it_neither_looks_nor_decides(room: FormRoom) -> None:
    made, first, same = proposed(room), room.officer(FIRST), (403, "SAME_OFFICER")
    digest = told(get(room.officer(SECOND), f"{PATH}/{made}/entries"))["entries_digest"]
    assert refused(get(first, f"{PATH}/{made}/entries")) == same
    for said in ({"approves": True}, {"approves": False, "refusal": "not_proven"}):
        decided = post(first, f"{PATH}/{made}/decision", {"entries_digest": digest, **said})
        assert refused(decided) == same
    assert leads_to(room) == MERGED


@pytest.mark.parametrize("other", ["officer", "approved_by", "proposed_by", "decided_by"])
def test_no_request_names_an_officer(room: FormRoom, other: str) -> None:
    made, second = proposed(room), room.officer(SECOND)
    digest = told(get(second, f"{PATH}/{made}/entries?officer={FIRST}"))["entries_digest"]
    judged = {"entries_digest": digest, "approves": True}
    for path, said in ((PATH, WANTED), (f"{PATH}/{made}/decision", judged)):
        assert refused(post(second, path, {**said, other: FIRST})) == (400, "REQUEST_MALFORMED")
    assert leads_to(room) == MERGED


def test_who_looks_is_recorded_for_both_and_nothing_of_what_is_refused(room: FormRoom) -> None:
    made = proposed(room)
    get(room.officer(FIRST), f"{PATH}/{made}/entries")
    told(signed(room, made))
    with room.dc01.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT citizen_number, officer, reader, purpose, unit, roles FROM person_reads"
        ).all()
    said = (SECOND, "issuance", "merge_check", DISTRICT, "registrar")
    assert {tuple(row) for row in rows} == {(KEPT, *said), (MERGED, *said)}
    assert len(rows) == 2


def test_a_refusal_needs_its_reason_and_is_the_end(room: FormRoom) -> None:
    made, second = proposed(room), room.officer(SECOND)
    path, no = f"{PATH}/{made}/decision", {"entries_digest": "", "approves": False}
    assert post(second, path, no).get_json()["fields"] == {"refusal": "FIELD_MISSING"}
    assert told(post(second, path, {**no, "refusal": "wrong_reference"}))["state"] == "refused"
    assert refused(get(second, f"{PATH}/{made}/entries")) == (409, "STATE_NOT_ALLOWED")
    assert refused(post(second, path, {**no, "refusal": "not_proven"})) == (409, "STATE_NOT_ALLOWED")


def test_what_cannot_be_proposed_names_the_field(room: FormRoom) -> None:
    for changed, faults in (
        ({"merged": "001190099999"}, {"merged": "REGISTRY_PERSON_UNKNOWN"}),
        ({"merged": KEPT}, {"merged": "MERGE_NOT_POSSIBLE"}),
        ({"act": "separate", "reason": "two_people"}, {"merged": "MERGE_NOT_STANDING"}),
        ({"reason": "two_people"}, {"reason": "FIELD_CHARACTERS"}),
    ):
        asked = post(room.officer(FIRST), PATH, {**WANTED, **changed})
        assert (asked.status_code, asked.get_json()["fields"]) == (422, faults)
    for asked in ("", "?state=nowhere"):
        assert refused(get(room.officer(FIRST), PATH + asked)) == (422, "FIELDS_REFUSED")
    for name in ("%2E%2E", "a%2Fb", "0" * 16):
        assert room.officer(SECOND).get(f"{PATH}/{name}").status_code == 404


def test_what_is_sent_twice_is_done_once(room: FormRoom) -> None:
    made, second, key = proposed(room), room.officer(SECOND), "key-0000000000001"
    digest = told(get(second, f"{PATH}/{made}/entries"))["entries_digest"]
    said = {"entries_digest": digest, "approves": True}
    room.lose_answer()
    lost = post(second, f"{PATH}/{made}/decision", said, key)
    assert refused(lost) == (503, "REGISTRY_UNAVAILABLE")
    with room.dc01.database.reading() as connection:
        before = recorded_events.newest(connection)
    assert told(post(second, f"{PATH}/{made}/decision", said, key))["state"] == "signed"
    with room.dc01.database.reading() as connection:
        assert recorded_events.newest(connection) == before


def test_lists_come_in_pages(room: FormRoom) -> None:
    back = {**WANTED, "kept": MERGED, "merged": KEPT}
    made, auditor = {proposed(room), proposed(room, back)}, room.officer("thanh.tra")
    first = get(auditor, f"{PATH}?state=proposed&limit=1")
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    assert link.startswith(PATH)
    assert {each["id"] for each in told(first) + told(get(auditor, link))} == made


def test_an_auditor_reads_and_decides_nothing_and_others_read_nothing(room: FormRoom) -> None:
    made, missing = proposed(room), (403, "OFFICER_ROLE_MISSING")
    auditor = room.officer("thanh.tra")
    assert told(get(auditor, f"{PATH}/{made}"))["state"] == "proposed"
    assert refused(get(auditor, f"{PATH}/{made}/entries")) == missing
    for path in (f"/{made}", "?state=proposed"):
        assert refused(get(room.officer(CHIEF), PATH + path)) == missing


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REGISTRAR}))
def test_no_other_role_proposes_looks_or_decides(role: Role) -> None:
    desk = MergeOffice(registry_parts.merges("http://127.0.0.1:9", "", lambda: None))
    officer = Officer("x", "X", frozenset({role}))
    with pytest.raises(RoleMissing):
        desk.propose(officer, MergeWanted("merge", KEPT, MERGED, "registered_twice"))
    with pytest.raises(RoleMissing):
        desk.decide(officer, "x", EntriesJudged("0", True))
    with pytest.raises(RoleMissing):
        desk.entries(officer, "x")
