from __future__ import annotations

import inspect
from datetime import date, timedelta
from itertools import chain

import msgspec
import pytest

from issuance_backend.biometric_search import gallery_record
from issuance_backend.biometric_search.refusals import SearchTaskUnknown, WarrantRefused
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import RoleMissing, SameOfficer
from tests.support.running import run_pending
from tests.support.search_bed import (
    INVESTIGATORS,
    OFFICE,
    WARRANT,
    SearchBed,
    identify,
    investigation,
    messages,
    officer,
    samples_of,
    verify,
)
from verification.errors import TransitionRefused
from verification.messages.biometric_search import InvestigationSearch, SearchRequest, Warrant

FIRST, SECOND = INVESTIGATORS


@pytest.fixture
def searched(bed: SearchBed) -> SearchBed:
    for person in range(4):
        bed.enrol(person, gallery="crime")
    bed.desk.investigate(FIRST, investigation(2))
    run_pending(bed.worker)
    return bed


def test_a_search_for_an_investigation_cannot_be_expressed_without_a_warrant() -> None:
    """Not by the type, not by its schema, not by the service: there is no other way to ask."""
    with pytest.raises(TypeError, match="warrant"):
        InvestigationSearch(task_id="investigation-1", gallery="crime", samples=messages(samples_of(1)))  # type: ignore[call-arg]
    body = {"task_id": "investigation-1", "gallery": "crime", "samples": []}
    for warrant in ({}, {"warrant": None}, {"warrant": {}}, {"warrant": {"number": "1"}}, {"warrant": "1"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**body, **warrant}, InvestigationSearch)
    (schema,), components = msgspec.json.schema_components([InvestigationSearch])
    assert schema
    assert "warrant" in components["InvestigationSearch"]["required"]
    assert set(components["Warrant"]["required"]) == {"number", "authority", "valid_from", "valid_through"}
    assert "default" not in components["InvestigationSearch"]["properties"]["warrant"]


def test_no_other_request_is_for_an_investigation() -> None:
    tags = {kind.__struct_config__.tag for kind in SearchRequest.__args__}
    assert tags == {"insert", "identify", "verify", "delete"}
    parameter = inspect.signature(SearchDesk.investigate).parameters["request"]
    assert parameter.annotation == "InvestigationSearch"


def test_without_a_warrant_nobody_is_named(bed: SearchBed) -> None:
    """Whoever has a face and invents an application for it learns that somebody is enrolled, and not who."""
    for person in range(3):
        bed.enrol(person)
        bed.enrol(person, gallery="province-01")
    asked = (
        identify(2, encounter="no-such-application", officers=()),
        identify(2, task_id="in-a-province", gallery="province-01"),
        verify(2, "subject-2", task_id="compared"),
    )
    for request in asked:
        bed.desk.submit(OFFICE, request)
    run_pending(bed.worker)
    for request in asked:
        told = bed.desk.task(OFFICE, request.task_id)
        assert told == bed.desk.submit(OFFICE, request)
        assert told.outcome in {"adjudication", "likely"}
        assert {(each.subject, each.encounter) for each in told.candidates} <= {(None, None)}
        assert b"subject-" not in msgspec.json.encode(told)


def test_no_answer_says_whom_another_one_speaks_of(bed: SearchBed) -> None:
    """A table of known numbers, each compared with some face, tells nobody whose a stranger's face is."""
    for gallery in ("national", "crime"):
        for person in range(4):
            bed.enrol(person, gallery)
    compared = [verify(9, f"subject-{person}") for person in range(4)]
    later = [identify(2, "asked-once", encounter="none"), identify(2, "asked-twice", encounter="none")]
    for request in (*compared, *later):
        bed.desk.submit(OFFICE, request)
    bed.desk.investigate(FIRST, investigation(2))
    bed.desk.investigate(SECOND, investigation(2, task_id="asked-again"))
    run_pending(bed.worker)
    told = [bed.desk.task(OFFICE, each.task_id) for each in (*compared, *later)]
    told += [bed.desk.investigation(FIRST, each).task for each in ("investigation-2", "asked-again")]
    names = [[each.reference for each in task.candidates] for task in told]
    assert [len(each) for each in names] == [1, 1, 1, 1, 4, 4, 4, 4]
    assert len(set(chain.from_iterable(names))) == 20
    assert [bed.desk.task(OFFICE, each.task_id) for each in later] == told[4:6], "the same answer keeps them"


@pytest.mark.parametrize(
    "warrant",
    [
        msgspec.structs.replace(WARRANT, number=" "),
        msgspec.structs.replace(WARRANT, authority=""),
        msgspec.structs.replace(WARRANT, valid_through=date(2026, 11, 20)),
        msgspec.structs.replace(WARRANT, valid_from=date(2026, 11, 22)),
        msgspec.structs.replace(WARRANT, number="x" * 201),
    ],
)
def test_a_warrant_that_is_not_in_force_is_refused(bed: SearchBed, warrant: Warrant) -> None:
    with pytest.raises(WarrantRefused):
        bed.desk.investigate(FIRST, investigation(1, warrant=warrant))
    with bed.database.reading() as connection:
        assert not gallery_record.verify(connection, bed.keys.key("crime"))


def test_who_the_candidates_are_is_told_once_a_second_officer_released_it(searched: SearchBed) -> None:
    asked = searched.desk.investigation(FIRST, "investigation-2")
    assert (asked.task.outcome, asked.released_by) == ("candidates", None)
    assert asked.task.candidates[0].is_hit
    assert {(each.subject, each.encounter) for each in asked.task.candidates} == {(None, None)}
    with pytest.raises(SameOfficer):
        searched.desk.release(FIRST, "investigation-2")
    released = searched.desk.release(SECOND, "investigation-2")
    assert (released.requested_by, released.released_by) == (FIRST.id, SECOND.id)
    told = searched.desk.investigation(FIRST, "investigation-2")
    assert told.task.candidates[0].subject == "subject-2"
    with pytest.raises(TransitionRefused):
        searched.desk.release(SECOND, "investigation-2")


def test_nothing_is_released_after_the_warrant_ran_out(searched: SearchBed) -> None:
    searched.now[0] += timedelta(days=60)
    with pytest.raises(WarrantRefused):
        searched.desk.release(SECOND, "investigation-2")


def test_an_answer_that_is_not_there_yet_is_not_released(bed: SearchBed) -> None:
    bed.desk.investigate(FIRST, investigation(2))
    with pytest.raises(TransitionRefused):
        bed.desk.release(SECOND, "investigation-2")
    assert bed.desk.investigation(SECOND, "investigation-2").task.status == "queued"


def test_the_gallerys_own_record_names_the_warrant_and_both_officers(searched: SearchBed) -> None:
    searched.desk.release(SECOND, "investigation-2")
    with searched.database.reading() as connection:
        lines = gallery_record.verify(connection, searched.keys.key("crime"))
    told = [(line.actor, line.purpose, line.detail.get("warrant")) for line in lines[-2:]]
    assert told == [
        (FIRST.id, "investigation", WARRANT.number),
        (SECOND.id, "investigation", WARRANT.number),
    ]


def test_every_look_at_who_was_found_is_in_the_gallerys_own_record(searched: SearchBed) -> None:
    def looks() -> list[str]:
        with searched.database.reading() as connection:
            lines = gallery_record.verify(connection, searched.keys.key("crime"))
        return [line.actor for line in lines if line.detail.get("act") == "look"]

    searched.desk.investigation(FIRST, "investigation-2")
    searched.desk.release(SECOND, "investigation-2")
    assert not looks(), "nobody was told a name but by the release, which is recorded itself"
    third = officer("investigator.c", Role.INVESTIGATOR)
    searched.desk.investigation(FIRST, "investigation-2")
    searched.desk.investigation(third, "investigation-2")
    assert searched.desk.investigate(FIRST, investigation(2)).task.candidates[0].subject == "subject-2"
    assert looks() == [FIRST.id, third.id, FIRST.id]


def test_only_investigators_ask_and_the_card_office_does_not_see_it(searched: SearchBed) -> None:
    other = officer("examiner", Role.EXAMINER, Role.CAPTURE, Role.APPROVER)
    with pytest.raises(RoleMissing):
        searched.desk.investigate(other, investigation(1))
    with pytest.raises(RoleMissing):
        searched.desk.investigation(other, "investigation-2")
    with pytest.raises(SearchTaskUnknown):
        searched.desk.task(OFFICE, "investigation-2")
    with pytest.raises(SearchTaskUnknown):
        searched.desk.investigation(FIRST, "insert-crime-1-0")


def test_filters_leave_out_whoever_cannot_be_meant(bed: SearchBed) -> None:
    bed.enrol(1, gallery="crime", sex="F", birth_year=1990)
    bed.enrol(2, gallery="crime", sex="M", birth_year=1990)
    bed.enrol(3, gallery="crime", sex="M", birth_year=1950)
    bed.enrol(4, gallery="crime")
    request = investigation(2, sex="M", born_from=1985, born_to=1995)
    bed.desk.investigate(FIRST, request)
    run_pending(bed.worker)
    released = bed.desk.release(SECOND, request.task_id)
    assert {each.subject for each in released.task.candidates} == {"subject-2", "subject-4"}


def test_a_search_by_warrant_opens_no_case_of_a_card(searched: SearchBed) -> None:
    assert searched.examiners.next_case(officer("e", Role.EXAMINER)) is None
    assert not searched.searched
