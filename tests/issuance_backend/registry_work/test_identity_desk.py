"""A signed-in registrar judges the identities of a person, on a record whose look is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.refusals import RoleMissing
from issuance_backend.registry_work import registry_parts
from issuance_backend.registry_work.identities import IdentityDesk
from tests.support.engines import Engine
from tests.support.form_room import DISTRICT, REGISTRARS, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.registry_contract import get, post, refused, told
from verification.messages.registry_records import IdentityClaim, IdentityJudged

PEOPLE, IDENTITIES, NUMBER = "/v1/registry-people", "/v1/registry-identities", "001190012345"
FIRST = REGISTRARS[0]


@pytest.fixture
def room(office: Office, database_engine: Engine, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, database_engine, tmp_path) as made:
        made.dc01.register(NUMBER)
        yield made


def claimed(room: FormRoom) -> str:
    claim = IdentityClaim(NUMBER, "cmnd_9", "ho.tich", "012345678")
    return RecordOffice(room.dc01.database, room.dc01.clock).claim(claim).id


def decided(room: FormRoom, identity: str, decision: str, **more: Any) -> Any:
    said = {"decision": decision, **more}
    return post(room.officer(FIRST), f"{IDENTITIES}/{identity}/decision", said)


def test_a_registrar_sees_the_record_and_decides_in_their_own_name(room: FormRoom) -> None:
    identity, registrar = claimed(room), room.officer(FIRST)
    (shown,) = told(get(registrar, f"{PEOPLE}/{NUMBER}"))["identities"]
    assert (shown["id"], shown["status"], shown["is_reference"]) == (identity, "claimed", False)
    for decision, status, is_reference in (
        ("validate", "valid", False),
        ("refer", "valid", True),
        ("revoke", "revoked", False),
    ):
        made = told(decided(room, identity, decision))
        assert (made["status"], made["is_reference"]) == (status, is_reference)
    assert refused(decided(room, identity, "reopen")) == (409, "STATE_NOT_ALLOWED")
    with room.dc01.database.reading() as connection:
        actors = connection.exec_driver_sql(
            "SELECT DISTINCT actor FROM events WHERE event IN ('validate', 'refer', 'revoke')"
        ).all()
        reads = connection.exec_driver_sql(
            "SELECT citizen_number, officer, purpose, unit, roles FROM person_reads"
        ).all()
    assert [tuple(each) for each in actors] == [(FIRST,)]
    assert [tuple(each) for each in reads] == [(NUMBER, FIRST, "identity_check", DISTRICT, "registrar")]


def test_what_cannot_be_decided_is_refused(room: FormRoom) -> None:
    identity = claimed(room)
    assert refused(decided(room, identity, "refer")) == (409, "STATE_NOT_ALLOWED")
    assert refused(decided(room, identity, "claim")) == (422, "FIELDS_REFUSED")
    assert refused(decided(room, "0" * 16, "validate")) == (404, "IDENTITY_UNKNOWN")
    assert refused(decided(room, identity, "validate", officer="x")) == (400, "REQUEST_MALFORMED")
    assert refused(get(room.officer(FIRST), f"{PEOPLE}/001190099999")) == (404, "REGISTRY_PERSON_UNKNOWN")
    for name in ("%2E%2E", "a%2Fb"):
        assert room.officer(FIRST).get(f"{PEOPLE}/{name}").status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REGISTRAR}))
def test_no_other_role_looks_or_decides(role: Role) -> None:
    desk = IdentityDesk(registry_parts.identities("http://127.0.0.1:9", "", lambda: None))
    officer = Officer("x", "X", frozenset({role}))
    with pytest.raises(RoleMissing):
        desk.record(officer, NUMBER)
    with pytest.raises(RoleMissing):
        desk.decide(officer, "x", IdentityJudged("validate"))
