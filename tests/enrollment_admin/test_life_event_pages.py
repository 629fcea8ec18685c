"""The page on which a commune's officer reports a death, a move, a marriage or a divorce."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from enrollment_admin.life_events.routes import KINDS
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.population_registry import repository
from tests.support.engines import Sqlite
from tests.support.form_room import COLLECTOR, LEADER, FormRoom
from tests.support.issuance_office import Office
from tests.support.office_pages import pages_of, sign_in, text
from tests.support.resident_room import ELSEWHERE, HERE, RESIDENT, SPOUSE, resident_room
from verification.messages.fault_catalogue import fault

EVENTS = "/registry/life-events"


@pytest.fixture
def room(office: Office, tmp_path: Path) -> Iterator[FormRoom]:
    with resident_room(office, Sqlite(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture
def pages(room: FormRoom, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(room.office, tmp_path) as app:
        yield app


def said(kind: str, number: str = RESIDENT, **more: str) -> dict[str, str]:
    report = f"report-{kind}-0001"
    return {
        **{"kind": kind, "report_id": report, "citizen_number": number, "occurred_on": "2021-01-20"},
        **{"document": "Trích lục 17/2021", **more},
    }


def test_every_event_is_reported_and_registered(room: FormRoom, pages: Flask) -> None:
    collector = sign_in(pages, COLLECTOR)
    assert "Biến động dân cư" in text(collector.get("/registry/indices")), "it is found in the top line"
    for kind, more in (
        ("marriage", {"spouse_number": SPOUSE}),
        ("divorce", {"spouse_number": SPOUSE}),
        ("move", {"current_residence": HERE, "permanent_residence": ""}),
        ("death", {"spouse_number": ""}),
    ):
        page = f"{EVENTS}?state={kind}"
        shown = text(collector.get(page))
        for name in (*KINDS[kind], "occurred_on", "document"):
            assert f'id="{name}"' in shown, (kind, name)
        assert "Đã ghi sự kiện." in collector.done(EVENTS, said(kind, **more), page=page)
    with room.dc01.database.reading() as connection:
        entry = repository.person(connection, RESIDENT)
    assert entry is not None
    assert (entry.life_status, entry.marital_status, entry.current_residence) == ("deceased", "Ly hôn", HERE)


def test_a_page_sent_twice_is_one_report(pages: Flask) -> None:
    collector = sign_in(pages, COLLECTOR)
    found = re.search(r'name="report_id" value="([0-9a-f]{32})"', text(collector.get(EVENTS)))
    assert found
    once = {**said("death"), "report_id": found.group(1)}
    for _ in range(2):
        collector.done(EVENTS, once, page=EVENTS)


def test_what_was_typed_wrong_is_said_beside_its_field_and_stays(pages: Flask) -> None:
    collector = sign_in(pages, COLLECTOR)
    for event, field, code in (
        (said("death", ELSEWHERE), "citizen_number", "PERSON_AREA_ELSEWHERE"),
        (said("death", "1"), "citizen_number", "REGISTRY_PERSON_UNKNOWN"),
        (said("death", occurred_on="20/01/2021"), "occurred_on", "FIELD_DATE"),
        (said("death", document=""), "document", "FIELD_MISSING"),
        (said("move", current_residence=""), "current_residence", "FIELD_MISSING"),
        (said("marriage", spouse_number=RESIDENT), "spouse_number", "FIELD_CHARACTERS"),
    ):
        answer = collector.post(EVENTS, event, page=EVENTS)
        shown = text(answer)
        assert answer.status_code == 422, event
        assert f'id="{field}-fault"' in shown, event
        assert fault(code).vi.what in shown, event
        assert f'value="{event["citizen_number"]}"' in shown, event
        assert f'name="kind" value="{event["kind"]}"' in shown, event
        assert f'value="{event["report_id"]}"' in shown, "the same page is the same report"


def test_another_role_finds_no_way_and_is_refused(pages: Flask) -> None:
    leader = sign_in(pages, LEADER)
    assert EVENTS not in text(leader.get("/registry/indices"))
    refused = leader.post(EVENTS, said("death"), page=EVENTS, Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")


def test_the_page_has_words_for_every_event() -> None:
    for language in LANGUAGES:
        words = sentences(language).keys()
        for kind in KINDS:
            assert {f"life_event.{each}.{kind}" for each in ("kind", "on", "hint")} <= words
