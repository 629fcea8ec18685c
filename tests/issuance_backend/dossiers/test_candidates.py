"""Others in the registry who are likely the applicant: counted by the rules, shown to approvers alone."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from issuance_backend import recorded_events
from issuance_backend.dossiers import candidate_desk
from issuance_backend.dossiers.registry_client import RegistryOverHttp
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.accesses.service import AccessLog
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.domain import extract
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.refusals import RoleMissing, SameOfficer
from tests.support.application_desk import (
    CLERK,
    EVERYTHING,
    LAN,
    MINH,
    PERSON,
    THU,
    Desk,
    capture_of,
    packet_of,
)
from tests.support.engines import Engine
from tests.support.issuance_office import Office, citizens
from tests.support.registry_office import LOADED_AT, RegistryWorld, decided_by_two, make_registry
from tests.support.served_app import serving
from verification.errors import FieldsRefused, RegistryUnavailable, TransitionRefused
from verification.messages.enrollment import DossierReturn
from verification.messages.person_match import MatchAnswer, MatchCandidate, MatchEvidence

TOKEN = "office-token"
DOUBLE = replace(PERSON, citizen_number="001099000017", old_id="012345678")
EVIDENCE = (MatchEvidence("full_name", "same", 12.0), MatchEvidence("date_of_birth", "same", 14.5))


def candidate(number: str, likeness: str = "likely") -> MatchCandidate:
    return MatchCandidate(number, likeness, 40.0, EVIDENCE)


TWO = (candidate("001099000017"), candidate("001099000025"))


def counted(desk: Desk, dossier: str) -> list[str]:
    return [step.detail["candidates"] for step in desk.view(dossier).steps if step.event == "validate"]


# -- what the rules count


def test_a_capture_at_a_desk_says_how_many_others_there_are(desk: Desk) -> None:
    desk.registry.others[PERSON.citizen_number] = TWO
    assert counted(desk, desk.captured()) == ["2"]
    assert counted(desk, desk.captured(citizens()[1], number=2)) == ["0"]


def test_others_keep_no_dossier_from_its_approval(desk: Desk) -> None:
    desk.registry.others[PERSON.citizen_number] = TWO
    assert desk.state(desk.locally_approved()) == "dedup_1n"


def test_particulars_that_are_captured_again_are_compared_again(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("place_of_residence",), "nhà cũ"))
    desk.registry.others[PERSON.citizen_number] = TWO
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2))
    assert counted(desk, dossier) == ["0", "2"]


def test_a_packet_and_the_packet_that_answers_say_it_too(desk: Desk) -> None:
    desk.registry.others[PERSON.citizen_number] = TWO[:1]
    dossier = desk.received(packet_of())
    assert counted(desk, dossier) == ["1"]
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    desk.registry.others[PERSON.citizen_number] = TWO
    desk.received(packet_of(number=2, answers=dossier, prints=()))
    assert counted(desk, dossier) == ["1", "2"]


def test_nobody_is_compared_by_particulars_that_are_wrong(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.registry, "candidates", lambda *_: pytest.fail("asked"))
    with pytest.raises(FieldsRefused):
        desk.office.captures.capture(LAN, capture_of(portrait=b""))


def test_a_registry_that_cannot_compare_leaves_everything_where_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> MatchAnswer:
        raise RegistryUnavailable("status 500")

    with monkeypatch.context() as patched:
        patched.setattr(desk.registry, "candidates", down)
        for take_in in (desk.captured, lambda: desk.received(packet_of())):
            with pytest.raises(RegistryUnavailable):
                take_in()
    assert desk.recorded() == 0
    assert counted(desk, desk.captured()) == ["0"]


# -- who they are


def test_approvers_see_numbers_and_evidence_and_it_is_recorded_that_they_looked(desk: Desk) -> None:
    desk.registry.others[PERSON.citizen_number] = TWO
    dossier = desk.captured()
    version = desk.view(dossier).steps
    for officer in (MINH, THU):
        assert desk.office.candidates.look(officer, dossier) == MatchAnswer(TWO, complete=True)
    with desk.database.reading() as connection:
        steps = recorded_events.of_subject(connection, candidate_desk.subject(dossier))
    assert [(step.actor, step.event, step.detail["candidates"]) for step in steps] == [
        ("minh", "look", "2"),
        ("thu", "look", "2"),
    ]
    assert desk.view(dossier).steps == version, "looking changes nothing of the dossier"
    desk.approve_locally(MINH, dossier)


def test_nobody_else_sees_them(desk: Desk) -> None:
    dossier, own = desk.captured(), desk.captured(citizens()[1], EVERYTHING, 2)
    for officer in (LAN, CLERK):
        with pytest.raises(RoleMissing):
            desk.office.candidates.look(officer, dossier)
    with pytest.raises(SameOfficer):
        desk.office.candidates.look(EVERYTHING, own)
    desk.office.captures.withdraw(LAN, dossier)
    with pytest.raises(TransitionRefused):
        desk.office.candidates.look(MINH, dossier)


def test_what_nobody_saw_is_not_recorded_as_seen(desk: Desk) -> None:
    dossier = desk.captured()
    before, desk.registry.is_up = desk.recorded(), False
    with pytest.raises(RegistryUnavailable):
        desk.office.candidates.look(MINH, dossier)
    assert desk.recorded() == before


def test_over_http_they_are_for_approvers_and_their_numbers_stand_nowhere(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    office.registry.others[PERSON.citizen_number] = TWO
    lan, minh = office.sign_in("lan.capture"), office.sign_in("minh.approve")
    made = lan.capture(PERSON).get_json()
    path = f"/v1/dossiers/{made['id']}/candidates"
    refused = lan.get(path)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")
    shown = minh.get(path)
    assert [each["citizen_number"] for each in shown.get_json()["candidates"]] == [
        each.citizen_number for each in TWO
    ]
    assert shown.headers["Cache-Control"] == "no-store"
    office.registry.is_up = False
    down = minh.get(path)
    assert (down.status_code, down.get_json()["code"]) == (503, "REGISTRY_UNAVAILABLE")
    assert office.client().get(path).status_code == 401
    with office.database.reading() as connection:
        recorded = str(connection.exec_driver_sql("SELECT subject, detail FROM events").all())
    view = minh.get(f"/v1/dossiers/{made['id']}").get_data(as_text=True)
    logged = str([record.__dict__ for record in caplog.records])
    for each in TWO:
        assert each.citizen_number not in recorded + view + logged


# -- what the registry's own program answers


@pytest.fixture
def world(database_engine: Engine) -> RegistryWorld:
    """A registry in which one person stands twice."""
    made = make_registry(database_engine.new())
    with made.database.writing() as connection:
        repository.add(connection, [DOUBLE], LOADED_AT)
    MatchingDesk(made.database, made.clock).refresh()
    return made


@pytest.fixture
def served(world: RegistryWorld, tmp_path: Path) -> Iterator[str]:
    tokens, digest = tmp_path / "registry_tokens.json", hashlib.sha256(TOKEN.encode()).hexdigest()
    roles = ["registry.read", "person.match"]
    tokens.write_text(json.dumps({"office": {"sha256": digest, "roles": roles}}))
    settings = RegistrySettings(service_tokens=tokens, database_url=world.database.url)
    with serving(create_registry_app(settings, clock=world.clock)) as url:
        yield url


def test_a_person_with_two_entries_is_found_until_they_are_merged(world: RegistryWorld, served: str) -> None:
    registry, person = RegistryOverHttp(served, TOKEN), extract(PERSON).person
    found = registry.candidates(person, PERSON.citizen_number)
    assert [each.citizen_number for each in found.candidates] == [DOUBLE.citizen_number]
    assert {item.level for item in found.candidates[0].evidence} == {"same", "same-commune"}
    assert found.complete
    told = AccessLog(world.database, world.clock).of_person(DOUBLE.citizen_number)
    assert [(each.reader, each.purpose) for each in told] == [("office", "comparison")]
    assert not AccessLog(world.database, world.clock).of_person(PERSON.citizen_number)
    other = citizens()[1]
    assert not registry.candidates(extract(other).person, other.citizen_number).candidates
    decided_by_two(world.merges, PERSON.citizen_number, DOUBLE.citizen_number)
    for number in (PERSON.citizen_number, DOUBLE.citizen_number):
        assert not registry.candidates(person, number).candidates


def test_without_the_role_or_the_registry_nothing_is_taken_for_nobody(served: str) -> None:
    person = extract(PERSON).person
    for registry in (RegistryOverHttp(served, "wrong"), RegistryOverHttp("http://127.0.0.1:9", TOKEN)):
        with pytest.raises(RegistryUnavailable):
            registry.candidates(person, PERSON.citizen_number)
