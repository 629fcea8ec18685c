"""Officers' pages of the population registry: the four indices drawn, and what two officers sign for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from enrollment_admin.registry_desk.routes import ATTRIBUTES, STATES
from enrollment_admin.ui.pages import local_day
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.population_registry.dc01.domain import FormState
from issuance_backend.population_registry.publication.domain import PublicationState
from issuance_backend.population_registry.publication.service import PUBLISHABLE, PublicationOffice
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, SINCE_2025, WHOLE
from tests.support.engines import Sqlite
from tests.support.form_room import CHIEF, COLLECTOR, DISTRICT, REGISTRARS, STRANGER, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.office_pages import pages_of, sign_in, text
from verification.messages.fault_catalogue import fault
from verification.messages.publication import Receiver

INDICES, PUBLICATIONS = "/registry/indices", "/registry/publications"
NUMBER = "001190012345"


@pytest.fixture
def room(office: Office, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, Sqlite(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture
def pages(room: FormRoom, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(room.office, tmp_path) as app:
        yield app


def test_the_indices_are_drawn_and_lead_to_the_forms_that_fail(room: FormRoom, pages: Flask) -> None:
    room.keyed(4, read=lambda place: {**WHOLE, "religion": "" if place == 2 else "Không"})
    room.dc01.plan(1, NEIGHBOUR)
    collector = sign_in(pages, COLLECTOR)
    shown = text(collector.get(INDICES))
    assert '<rect class="index-du" width="75.0%"' in shown
    assert "75,0 %" in shown
    assert f'{INDICES}/du">1<' in shown
    assert f"area={NEIGHBOUR}" not in shown
    assert "–" in shown, "nothing was keyed a second time yet"
    failing = text(collector.get(f"{INDICES}/du"))
    assert "Còn trống: Tôn giáo" in failing
    assert failing.count("<code>") == 1
    assert "Còn ở bước: đã nhập, lô chưa rút mẫu" in text(collector.get(f"{INDICES}/sach"))
    chief = text(sign_in(pages, CHIEF).get(INDICES))
    assert f"area={COMMUNE}" in chief
    assert f"area={NEIGHBOUR}" in chief
    english = text(sign_in(pages, CHIEF, "en").get(f"{INDICES}?area={COMMUNE}"))
    assert "75.0 %" in english
    assert "Read right in every field" in english


def test_what_was_typed_wrong_is_said_beside_its_field_and_stays(room: FormRoom, pages: Flask) -> None:
    stranger = sign_in(pages, STRANGER)
    for asked, code, field in (
        (f"area={COMMUNE}", "REGISTRY_AREA_ELSEWHERE", "area"),
        ("area=xyz", "UNIT_UNKNOWN", "area"),
        ("on=2099-01-01", "FIELD_DATE", "on"),
    ):
        answer = stranger.get(f"{INDICES}?{asked}")
        shown = text(answer)
        assert answer.status_code in (403, 404, 422), asked
        assert f'id="{field}-fault"' in shown, asked
        assert fault(code).vi.what in shown, asked
        assert f'value="{asked.partition("=")[2]}"' in shown, asked
        assert '<rect class="index-' not in shown, asked
    assert stranger.get(f"{INDICES}?area={DISTRICT}", Accept="application/json").status_code == 403


def test_an_officer_of_a_unit_that_is_no_more_is_told_whose_figures_these_are(
    room: FormRoom, pages: Flask
) -> None:
    room.keyed(1)
    before = text(sign_in(pages, COLLECTOR).get(INDICES))
    assert "nay gồm cả" not in before
    room.dc01.now = datetime(2025, 7, 1, 3, tzinfo=UTC)
    after = text(sign_in(pages, COLLECTOR).get(INDICES))
    assert SINCE_2025 in after
    assert "nay gồm cả" in after
    assert '<rect class="index-' in after


def test_every_state_of_a_form_has_a_name_where_it_is_a_reason() -> None:
    for language in LANGUAGES:
        words = sentences(language)
        for state in set(FormState) - {FormState.CLEAN, FormState.LIVE, FormState.STALE}:
            assert f"dc01.state.{state}" in words or f"registry.state.{state}" in words, (language, state)


def test_one_officer_prepares_and_two_others_look_and_sign(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    publications = PublicationOffice(room.dc01.database, room.dc01.clock)
    publications.subscribe("health", Receiver("health", ("mother",)))
    first, second, third = (sign_in(pages, name) for name in REGISTRARS)
    wanted = {"citizen_number": NUMBER, "attributes": ["full_name", "mother"]}
    prepared = first.done(PUBLICATIONS, wanted, page=PUBLICATIONS)
    assert "Chờ ký lần một" in prepared
    assert "Trần Thị Bình" not in prepared, "whoever prepared it does not sign, and reads nothing"
    assert fault("SAME_OFFICER").vi.what not in prepared
    assert "không chuẩn bị và chưa ký" in prepared
    (path,) = set(re.findall(rf'href="({PUBLICATIONS}/[0-9a-f]{{16}})"', text(second.get(PUBLICATIONS))))
    for signer, state in ((second, "Chờ ký lần hai"), (third, "Đã công bố")):
        shown = text(signer.get(path))
        assert "Trần Thị Bình" in shown
        digest = re.search(r'name="values_digest" value="([0-9a-f]{64})"', shown)
        assert digest
        signed = {"values_digest": digest.group(1), "approves": "yes"}
        assert state in signer.done(f"{path}/signature", signed, page=path)
    over = text(third.get(path))
    assert REGISTRARS[1] in over
    assert "Trần Thị Bình" not in over
    again = third.post(f"{path}/signature", signed, page=path, Accept="application/json")
    assert (again.status_code, again.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")
    room.dc01.now += timedelta(minutes=5)
    assert "Giao dữ liệu" in text(first.get(f"{PUBLICATIONS}/missing"))


def test_a_signature_of_who_prepared_is_refused_whatever_the_page_shows(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    first = sign_in(pages, REGISTRARS[0])
    wanted = {"citizen_number": NUMBER, "attributes": "full_name"}
    made = first.post(PUBLICATIONS, wanted, page=PUBLICATIONS, Accept="application/json")
    assert made.status_code == 201
    said = {"values_digest": made.get_json()["values_digest"], "approves": "yes"}
    path = f"{PUBLICATIONS}/{made.get_json()['id']}"
    refused = first.post(f"{path}/signature", said, page=path, Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER")
    other = sign_in(pages, REGISTRARS[1]).post(
        f"{path}/signature", {**said, "values_digest": "0" * 64}, page=path
    )
    assert other.status_code == 422
    assert fault("FIELD_NOT_AS_REGISTERED").vi.what in text(other)


def test_what_cannot_be_prepared_is_said_beside_its_field_and_stays(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    first = sign_in(pages, REGISTRARS[0])
    for said, field, code in (
        (
            {"citizen_number": "001190099999", "attributes": "mother"},
            "citizen_number",
            "REGISTRY_PERSON_UNKNOWN",
        ),
        ({"citizen_number": NUMBER, "attributes": "phone"}, "attributes", "FIELD_MISSING"),
    ):
        answer = first.post(PUBLICATIONS, said, page=PUBLICATIONS)
        shown = text(answer)
        assert answer.status_code in (404, 422)
        assert f'id="{field}-fault"' in shown
        assert fault(code).vi.what in shown
        assert f'value="{said["citizen_number"]}"' in shown
        assert ('value="mother" checked' in shown) is (said["attributes"] == "mother")


def test_an_auditor_finds_no_act_and_no_value(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    wanted = {"citizen_number": NUMBER, "attributes": "mother"}
    made = sign_in(pages, REGISTRARS[0]).post(
        PUBLICATIONS, wanted, page=PUBLICATIONS, Accept="application/json"
    )
    auditor = sign_in(pages, "thanh.tra")
    for path in (PUBLICATIONS, f"{PUBLICATIONS}/{made.get_json()['id']}", f"{PUBLICATIONS}/missing"):
        shown = text(auditor.get(path))
        assert f'action="{PUBLICATIONS}' not in shown
        assert "Trần Thị Bình" not in shown


def test_the_pages_know_every_state_and_attribute() -> None:
    assert set(STATES) == {each.value for each in PublicationState}
    assert set(ATTRIBUTES) == PUBLISHABLE
    for language in LANGUAGES:
        words = sentences(language)
        named = [f"attribute.{each}" in words or f"field.{each}" in words for each in ATTRIBUTES]
        assert dict(zip(ATTRIBUTES, named, strict=True)) == dict.fromkeys(ATTRIBUTES, True)
        for state in STATES:
            assert {f"publication.state.{state}", f"publication.next.{state}"} <= words.keys()


def test_a_date_shows_what_is_known_of_it() -> None:
    shown = {text: local_day(text) for text in ("1950-03-15", "1950-03", "1950", "", None)}
    assert list(shown.values()) == ["15/03/1950", "03/1950", "1950", "", ""]
