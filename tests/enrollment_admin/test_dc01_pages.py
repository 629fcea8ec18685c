"""Officers' pages of forms DC01: from the list to an accepted batch, by different officers, no script."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from enrollment_admin.dc01_forms.drawing import progress, verdict
from enrollment_admin.dc01_forms.fields import NAMES
from enrollment_admin.dc01_forms.routes import AQLS, LEVELS
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.dc01_work.domain import WAITING, FormStep
from issuance_backend.population_registry.dc01 import repository as forms
from issuance_backend.population_registry.dc01.domain import FIELDS, BatchState
from issuance_backend.population_registry.dc01.sampling import _LETTERS_OF, _ZERO_AT
from tests.support.dc01_office import COMMUNE, PAGES, WHOLE, somebody
from tests.support.engines import Sqlite
from tests.support.form_room import (
    CLERK,
    COLLECTOR,
    LEADER,
    REVIEWER,
    SECOND,
    STRANGER,
    THIRD,
    FormRoom,
    form_room,
)
from tests.support.issuance_office import Office
from tests.support.office_pages import Browser, pages_of, sign_in, text
from verification.messages.dc01 import BatchView
from verification.messages.fault_catalogue import fault

NUMBER = "001190012345"


@pytest.fixture
def room(office: Office, tmp_path: Path) -> Iterator[FormRoom]:
    with form_room(office, Sqlite(tmp_path), tmp_path) as made:
        yield made


@pytest.fixture
def pages(room: FormRoom, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(room.office, tmp_path) as app:
        yield app


def pictures(*contents: bytes) -> dict[str, Any]:
    return {"pages": [(io.BytesIO(each), f"{place}.png") for place, each in enumerate(contents)]}


def followed(officer: Browser, path: str) -> str:
    """Where a page leads that shows the next form."""
    answer = officer.get(path)
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["Location"])


def test_a_form_becomes_part_of_an_accepted_batch_by_different_officers(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    collector, clerk, leader = (sign_in(pages, name) for name in (COLLECTOR, CLERK, LEADER))
    listed = {"unit": COMMUNE, "barcodes": "A1"}
    assert "A1" in collector.done("/dc01/forms", listed, page="/dc01")
    (form,) = [each.id for each in room.dc01.forms.of_barcode("A1")]
    path, wanted = f"/dc01/forms/{form}", {"unit": COMMUNE, "aql": "2.5", "level": "II"}
    assert "Đang nhập" in leader.done("/dc01/batches", wanted, page="/dc01")
    collected = {"collected_on": "2021-01-10"}
    collector.done(f"{path}/collection", collected, page="/dc01/forms?state=planned")
    collector.done(f"{path}/scan", pictures(*PAGES), page=f"{path}/scan")
    assert clerk.get(f"{path}/pages/2").data == PAGES[1]
    batch = re.search(r'<option value="([0-9a-f]{16})"', text(clerk.get(f"{path}/index"))).group(1)  # type: ignore[union-attr]
    clerk.done(f"{path}/index", {"batch": batch}, page=f"{path}/index")
    misread = {**WHOLE, "citizen_number": NUMBER, "mother": "TRẦN THỊ CÚC"}
    assert followed(clerk, "/dc01/keying") == f"{path}/keying"
    mended = clerk.done(f"{path}/keying", {**misread, "religion": ""}, page=f"{path}/keying")
    assert "Còn trống: Tôn giáo" in mended
    assert 'value="TRẦN THỊ CÚC"' in mended, "what was keyed is there to be mended"
    assert "Không còn phiếu nào chờ" in clerk.done(f"{path}/keying", misread, page=f"{path}/keying")
    assert "Đang phúc tra mẫu" in leader.done(f"/dc01/batches/{batch}/sample", page=f"/dc01/batches/{batch}")
    assert "Không còn phiếu nào chờ" in text(clerk.get("/dc01/second-keying")), (
        "who keyed it re-checks nothing"
    )
    second, third = sign_in(pages, SECOND), sign_in(pages, THIRD)
    blind = text(second.get(followed(second, "/dc01/second-keying")))
    assert "CÚC" not in blind
    other = {**misread, "father": "NGUYỄN VĂN ANH", "mother": "TRẦN THỊ C"}
    second.done(f"{path}/second-keying", other, page=f"{path}/second-keying")
    deciding = text(third.get("/dc01/differences"))
    assert deciding.count('name="choice_father"') == 3
    right = {"choice_father": "other", "other_father": WHOLE["father"], "choice_mother": "=TRẦN THỊ CÚC"}
    undecided = third.post(f"/dc01/differences/{form}", {}, page="/dc01/differences")
    assert undecided.status_code == 422
    third.done(f"/dc01/differences/{form}", right, page="/dc01/differences")
    judged = text(leader.get(f"/dc01/batches/{batch}"))
    assert "Lô đạt" in judged
    assert "0,0 % – 97,5 %" in judged
    leader.done(f"/dc01/batches/{batch}/matching", page=f"/dc01/batches/{batch}")
    assert "Khác với cơ sở dữ liệu dân cư: Họ tên mẹ" in text(collector.get(f"{path}/correction"))
    corrected = {**misread, "mother": WHOLE["mother"]}
    collector.done(f"{path}/correction", corrected, page=f"{path}/correction")
    refused = collector.get(f"{path}/review")
    assert refused.status_code == 403
    assert fault("SAME_OFFICER").vi.what in text(refused)
    reviewer = sign_in(pages, REVIEWER)
    assert WHOLE["mother"] in text(reviewer.get(f"{path}/review"))
    reviewer.done(f"{path}/review", {"is_right": "yes"}, page=f"{path}/review")
    assert room.dc01.states([form]) == ["clean"]


def test_a_namesake_becomes_clean_by_what_another_officer_saw(room: FormRoom, pages: Flask) -> None:
    room.dc01.register(NUMBER)
    (first,) = room.dc01.accepted(1, read=lambda _: {**WHOLE, "citizen_number": NUMBER})
    (form,) = room.dc01.accepted(1)
    for each in (first, form):
        room.dc01.forms.match(room.dc01.forms.form(each).batch or "")
    path, collector, reviewer = f"/dc01/forms/{form}", sign_in(pages, COLLECTOR), sign_in(pages, REVIEWER)
    seen = text(collector.get(f"{path}/correction"))
    barcode = room.dc01.forms.form(first).barcode
    assert f"cha mẹ với phiếu mã vạch <code>{barcode}</code>" in seen
    assert f'cơ sở dữ liệu dân cư: <span class="number">{NUMBER}</span>' in seen
    collector.done(f"{path}/correction", WHOLE, page=f"{path}/correction")
    assert 'name="told_apart_by"' in text(reviewer.get(f"{path}/review"))
    for wrong in (
        {"is_right": "no", "told_apart_by": "people_met"},
        {"is_right": "yes", "told_apart_by": "x"},
    ):
        refused = reviewer.post(f"{path}/review", wrong, page=f"{path}/review")
        assert refused.status_code == 422
        assert 'id="told_apart_by-fault"' in text(refused)
    said = {"is_right": "yes", "told_apart_by": "people_met"}
    reviewer.done(f"{path}/review", said, page=f"{path}/review")
    assert room.dc01.states([first, form]) == ["clean", "clean"]


def test_a_leader_registers_a_batch_and_the_commune_reads_each_number(room: FormRoom, pages: Flask) -> None:
    abroad = {**somebody(1), "birth_registration_place": "Paris, Pháp"}
    whole, refused = room.dc01.accepted(2, read=lambda at: abroad if at else WHOLE)
    leader, collector = sign_in(pages, LEADER), sign_in(pages, COLLECTOR)
    batch = f"/dc01/batches/{room.dc01.forms.form(whole).batch}"
    assert "Đăng ký vào cơ sở dữ liệu dân cư" not in text(leader.get(batch))
    leader.done(f"{batch}/matching", page=batch)
    assert "Chưa có trong cơ sở dữ liệu dân cư" in text(collector.get("/dc01/forms?state=clean"))
    assert "Đăng ký vào cơ sở dữ liệu dân cư" in text(leader.get(batch))
    assert "Đăng ký vào cơ sở dữ liệu dân cư" not in text(collector.get(batch))
    registered = leader.done(f"{batch}/registration", page=batch)
    assert "Đăng ký vào cơ sở dữ liệu dân cư" not in registered
    with room.dc01.database.reading() as connection:
        number = forms.form(connection, whole).person  # type: ignore[union-attr]
    assert number
    listed = text(collector.get("/dc01/forms?state=clean"))
    assert f'href="/dc01/forms/{whole}/person"' in listed
    assert number not in listed, "a number is shown to who asks for it, and the look is recorded"
    assert number in text(collector.get(f"/dc01/forms/{whole}/person"))
    clerk = sign_in(pages, CLERK)
    assert "/person" not in text(clerk.get("/dc01/forms?state=clean"))
    assert clerk.get(f"/dc01/forms/{whole}/person").status_code == 403
    assert "bảng mã nước chưa công bố" in text(collector.get(f"/dc01/forms/{refused}/correction"))
    absent = collector.get(f"/dc01/forms/{refused}/person")
    assert absent.status_code == 404


def test_officers_find_their_work_in_the_top_line_and_no_other(room: FormRoom, pages: Flask) -> None:
    room.dc01.scanned(2)
    desks = {
        name: text(sign_in(pages, name).get("/dc01")) for name in (COLLECTOR, CLERK, LEADER, "thanh.tra")
    }
    for name, desk in desks.items():
        assert 'href="/dc01" aria-current="page"' in desk
        assert ("Mở lô mới" in desk) is (name == LEADER), name
        assert ("Nhập phiếu" in desk) is (name == CLERK), name
    assert "Số phiếu: 2" in desks[CLERK]
    assert sign_in(pages, "lan.capture").get("/dc01").status_code == 403
    assert "/dc01" not in text(sign_in(pages, "lan.capture").get("/reports"))


def test_another_communes_officer_is_told_whose_form_it_is(room: FormRoom, pages: Flask) -> None:
    (form,) = room.dc01.scanned(1)
    stranger = sign_in(pages, STRANGER)
    for path in (f"/dc01/forms/{form}/scan", f"/dc01/forms/{form}/pages/1", f"/dc01/forms/{form}/correction"):
        answer = stranger.get(path)
        assert answer.status_code == 403
        assert fault("DC01_FORM_ELSEWHERE").vi.what in text(answer)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ((), "FIELD_MISSING"),
        ((PAGES[0] + bytes(4 * 1024 * 1024),), "DC01_SCAN_TOO_LARGE"),
        ((PAGES[0] + bytes(3 * 1024 * 1024),) * 3, "DC01_SCAN_TOO_LARGE"),
        ((PAGES[0],) * 5, "DC01_SCAN_NO_PICTURE"),
        ((b"%PDF-1.7",), "DC01_SCAN_NO_PICTURE"),
        ((bytes(15 * 1024 * 1024),), "DC01_SCAN_TOO_LARGE"),
    ],
    ids=["none", "a large page", "a large form", "five pages", "a document", "larger than any form"],
)
def test_what_is_no_scan_is_said_beside_the_field(
    room: FormRoom, pages: Flask, sent: tuple[bytes, ...], code: str
) -> None:
    (form,) = room.dc01.scanned(1)
    collector, path = sign_in(pages, COLLECTOR), f"/dc01/forms/{form}/scan"
    answer = collector.post(path, pictures(*sent), page=path)
    assert answer.status_code in {413, 422}
    assert fault(code).vi.what in text(answer)


def test_what_was_keyed_wrong_is_said_beside_its_field_and_the_rest_stays(
    room: FormRoom, pages: Flask
) -> None:
    _, (form,) = room.dc01.indexed(1)
    clerk, path = sign_in(pages, CLERK), f"/dc01/forms/{form}/keying"
    for wrong, code in (("X" * 201, "FIELD_TOO_LONG"), ("A\u200bB", "FIELD_CHARACTERS")):
        answer = clerk.post(path, {**WHOLE, "mother": wrong}, page=path)
        assert answer.status_code == 422
        assert 'id="mother-fault"' in text(answer)
        assert fault(code).vi.what in text(answer)
        assert f'value="{WHOLE["father"]}"' in text(answer)


def test_a_day_that_is_none_is_said_at_its_form(room: FormRoom, pages: Flask) -> None:
    (form,) = room.dc01.plan(1)
    collector, page = sign_in(pages, COLLECTOR), "/dc01/forms?state=planned"
    for day in ("", "2030-01-01"):
        answer = collector.post(f"/dc01/forms/{form}/collection", {"collected_on": day}, page=page)
        assert answer.status_code == 422
        assert f'id="{form}-fault"' in text(answer)


def view(**changed: Any) -> BatchView:
    told = {
        "id": "b", "unit": COMMUNE, "state": "accepted", "round": 1, "aql": "1.0", "level": "II",
        "severity": "normal", "forms": 200, "sample_size": 32, "acceptance_number": 1, "checked": 32,
        "wrong": 1, "low": 0.0008, "high": 0.1622, "states": {"clean": 150, "conflict": 50},
    }  # fmt: skip
    return BatchView(**told | changed)


def test_figures_are_as_long_as_their_amounts() -> None:
    assert [(part.stage, part.forms, part.start, part.percent) for part in progress(view())] == [
        ("conflict", 50, 0.0, 25.0),
        ("clean", 150, 25.0, 75.0),
    ]
    drawn = verdict(view())
    assert drawn is not None
    assert (drawn.end, drawn.found, drawn.limit) == (20, 3.125, 1.0)
    assert [drawn.place(each) for each in (drawn.found, drawn.limit, drawn.high)] == [15.62, 5.0, 81.1]
    assert verdict(view(wrong=None, low=None, high=None)) is None
    assert verdict(view(low=0.0, high=0.001, aql="0.10", wrong=0)).end == 1  # type: ignore[union-attr]


def test_pages_know_every_field_state_limit_and_finding_of_the_registry() -> None:
    assert set(NAMES) == FIELDS
    assert len(NAMES) == len(FIELDS)
    assert (set(AQLS), set(LEVELS)) == (set(_ZERO_AT), set(_LETTERS_OF))
    rules = json.loads(Path("issuance_backend/population_registry/rules/rules.json").read_text())["rules"]
    for language in LANGUAGES:
        words = sentences(language)
        assert {f"dc01.field.{name}" for name in FIELDS} <= words.keys()
        assert {
            f"dc01.batch_{part}.{state}" for part in ("state", "next") for state in BatchState
        } <= words.keys()
        assert {
            f"dc01.step.{step}" for step in {*WAITING, FormStep.KEY_AGAIN, FormStep.DECIDE}
        } <= words.keys()
        for rule in rules:
            if (rule["measure"], rule["weight"]) == ("clean", "fault"):
                assert words[f"dc01.finding.{rule['id']}"] == rule["text"][language]
