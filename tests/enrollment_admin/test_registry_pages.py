"""Officers' pages of the population registry: the four indices drawn, and what fails them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.population_registry.dc01.domain import FormState
from tests.support.dc01_office import COMMUNE, NEIGHBOUR, WHOLE
from tests.support.engines import Sqlite
from tests.support.form_room import CHIEF, COLLECTOR, DISTRICT, STRANGER, FormRoom, form_room
from tests.support.issuance_office import Office
from tests.support.office_pages import pages_of, sign_in, text
from verification.messages.fault_catalogue import fault

INDICES = "/registry/indices"


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


def test_every_state_of_a_form_has_a_name_where_it_is_a_reason() -> None:
    for language in LANGUAGES:
        words = sentences(language)
        for state in set(FormState) - {FormState.CLEAN, FormState.LIVE, FormState.STALE}:
            assert f"dc01.state.{state}" in words or f"registry.state.{state}" in words, (language, state)
