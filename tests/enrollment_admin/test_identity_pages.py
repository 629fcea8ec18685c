"""The page on which a registrar looks at a person's record and judges its identities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from enrollment_admin.registry_people.routes import DECISIONS
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.population_registry.identities.domain import TABLE, IdentityKind, IdentityStatus
from issuance_backend.population_registry.identities.service import RecordOffice
from tests.support.engines import Sqlite
from tests.support.form_room import REGISTRARS, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.office_pages import pages_of, sign_in, text
from verification.messages.fault_catalogue import fault
from verification.messages.registry_records import IdentityClaim

PEOPLE, NUMBER = "/registry/people", "001190012345"
PAGE = f"{PEOPLE}?citizen_number={NUMBER}"


@pytest.fixture
def room(office: Office, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, Sqlite(tmp_path), tmp_path) as made:
        made.dc01.register(NUMBER)
        yield made


@pytest.fixture
def pages(room: FormRoom, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(room.office, tmp_path) as app:
        yield app


def test_a_claimed_identity_is_validated_made_the_reference_and_revoked(room: FormRoom, pages: Flask) -> None:
    registrar = sign_in(pages, REGISTRARS[0])
    assert "Chưa có căn cứ nào" in text(registrar.get(PAGE))
    records = RecordOffice(room.dc01.database, room.dc01.clock)
    identity = records.claim(IdentityClaim(NUMBER, "cmnd_9", "ho.tich", "012345678")).id
    shown = text(registrar.get(PAGE))
    assert "CMND 9 số" in shown
    assert "Trần Thị Bình" in shown
    for decision, said in (("validate", "Đúng"), ("refer", "căn cứ chính"), ("revoke", "Đã thu hồi")):
        assert f'value="{decision}"' in text(registrar.get(PAGE)), decision
        path = f"{PEOPLE}/identities/{identity}"
        done = registrar.done(path, {"decision": decision, "citizen_number": NUMBER}, page=PAGE)
        assert said in done, decision
    assert 'name="decision"' not in text(registrar.get(PAGE)), "nothing is decided of what is revoked"


def test_an_unknown_number_is_said_beside_its_field(pages: Flask) -> None:
    answer = sign_in(pages, REGISTRARS[0]).get(f"{PEOPLE}?citizen_number=001190099999")
    assert answer.status_code == 404
    assert fault("REGISTRY_PERSON_UNKNOWN").vi.what in text(answer)
    assert 'value="001190099999"' in text(answer)


def test_others_neither_see_the_record_nor_find_the_page(pages: Flask) -> None:
    auditor = sign_in(pages, "thanh.tra")
    assert f'href="{PEOPLE}"' not in text(auditor.get("/registry/publications"))
    refused = auditor.get(PAGE, Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


def test_the_page_offers_what_the_registry_allows_and_has_words_for_it() -> None:
    for status in IdentityStatus:
        possible = {event.value for (state, event) in TABLE.transitions if state is status}
        assert set(DECISIONS[status.value]) - {"refer"} == possible
    for language in LANGUAGES:
        words = sentences(language).keys()
        assert {f"identity.kind.{each.value}" for each in IdentityKind} <= words
        assert {f"identity.status.{each.value}" for each in IdentityStatus} <= words
        assert {f"identity.decision.{each}" for group in DECISIONS.values() for each in group} <= words
