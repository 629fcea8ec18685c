"""At the counter: a receipt, the record to print, a complaint with its slip; at the desk: its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from gateway.domain.purpose import PURPOSES
from issuance_backend.population_registry.accesses.service import MOST_TOLD
from issuance_backend.population_registry.identities.domain import ATTRIBUTES, ONLY_ENRICHED
from tests.support.citizen_counter import (
    PERSON,
    CitizenCounter,
    citizen_counter,
    tell_of_extract_and_receiver,
)
from tests.support.delivery import RECEIVER, SUPERVISOR
from tests.support.engines import Sqlite
from tests.support.issuance_office import Office
from tests.support.office_pages import Browser, pages_of, sign_in, text
from tests.support.registry_office import make_registry
from verification.messages.citizen_access import ComplaintAbout, ComplaintOutcome, ComplaintState
from verification.messages.credential_status import CredentialState
from verification.messages.registry_access import Purpose, ReadingFor


@pytest.fixture
def counter(office: Office, tmp_path: Path) -> CitizenCounter:
    return citizen_counter(office, make_registry(Sqlite(tmp_path).new()), tmp_path)


@pytest.fixture
def pages(counter: CitizenCounter, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(counter.office, tmp_path) as app:
        yield app


def opened(mai: Browser, receipt: str) -> str:
    """The address of the record that a receipt opened."""
    answer = mai.post("/own-record", {"receipt": receipt}, page="/own-record")
    assert answer.status_code == 303, text(answer)
    location: str = answer.headers["Location"]
    return location


def complain(mai: Browser, visit: str, **said: str) -> Any:
    fields = {"subject": "attribute:religion", "text": "Tôi không theo tôn giáo nào."} | said
    return mai.post(f"{visit}/complaints", fields, page=visit)


def test_a_complaint_goes_from_the_counter_to_the_citizens_screen(
    counter: CitizenCounter, pages: Flask
) -> None:
    bank = ReadingFor(purpose="bank.counter.identify", agency="bank-demo")
    counter.records.book.note(PERSON.citizen_number, "gateway", bank)
    mai = sign_in(pages, RECEIVER)
    visit = opened(mai, counter.receipt(counter.give_card()))
    record = text(mai.get(visit))
    places = [record.index(f"{name}</th>") for name in ("Họ, chữ đệm và tên", "Ngày sinh", "Nhóm máu")]
    assert places == sorted(places), "as on the form"
    for said in (PERSON.full_name, PERSON.citizen_number, "Dữ liệu ban đầu", "Thẻ đã được trao"):
        assert said in record
    for said in ("bank-demo", "Ngân hàng nhận biết khách hàng", "Nơi đăng ký khai sinh"):
        assert said in record
    slip = complain(mai, visit)
    assert slip.status_code == 201
    code = re.search(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", text(slip)).group()  # type: ignore[union-attr]
    filed = re.search(r"kn-[0-9a-f]{12}", text(slip)).group()  # type: ignore[union-attr]
    guest = Browser(pages.test_client())
    assert "Khiếu nại đang chờ trả lời" in text(guest.get(f"/status?code={code}"))
    son = sign_in(pages, SUPERVISOR)
    assert filed in text(son.get("/complaints"))
    path = f"/complaints/{filed}"
    assert "Tôi không theo tôn giáo nào." in text(son.get(path))
    answered = {"outcome": "upheld", "answer": "Đúng.\nĐã đề nghị sửa.", "value": "Không"}
    refused = son.post(f"{path}/answer", answered, page=path)
    assert refused.status_code == 422
    assert 'id="document-fault"' in text(refused)
    refused = son.post(f"{path}/answer", answered | {"value": "", "document": "Đơn 1"}, page=path)
    assert refused.status_code == 422
    assert 'id="value-fault"' in text(refused)
    assert "Khiếu nại đúng" in son.done(f"{path}/answer", answered | {"document": "Đơn 1"}, page=path)
    assert counter.registry.value(PERSON.citizen_number, "religion") == "Không"
    told = text(guest.get(f"/status?code={code.lower()}"))
    assert "Khiếu nại đã có trả lời" in told
    assert "Đã đề nghị sửa." in told
    for secret in (PERSON.full_name, PERSON.citizen_number, SUPERVISOR, RECEIVER):
        assert secret not in told
    assert "Đã trả lời" in text(mai.get(visit))


def test_a_kit_that_took_the_commune_along_and_a_receiver_are_shown(
    counter: CitizenCounter, pages: Flask
) -> None:
    tell_of_extract_and_receiver(counter.registry)
    mai = sign_in(pages, RECEIVER)
    visit = opened(mai, counter.receipt(counter.give_card()))
    record = text(mai.get(visit))
    for said in (
        *("Bộ thiết bị mang theo dữ liệu cả xã", "Bộ thiết bị <code>kit-7</code>", "có hiệu lực đến"),
        *("Giao cho đơn vị nhận dữ liệu được công bố: Ngày sinh, Họ, chữ đệm và tên", "tax"),
    ):
        assert said in record
    filed = complain(mai, visit, subject=re.search(r'"(access:extract-\d+)"', record).group(1))  # type: ignore[union-attr]
    assert filed.status_code == 201


def test_what_is_refused_is_said_beside_the_field_and_what_was_typed_stays(
    counter: CitizenCounter, pages: Flask
) -> None:
    mai = sign_in(pages, RECEIVER)
    visit = opened(mai, counter.receipt(counter.give_card()))
    for said, kept in (({"subject": ""}, "Tôi không theo tôn giáo nào."), ({"text": " "}, "religion")):
        refused = complain(mai, visit, **said)
        assert refused.status_code == 422
        assert "has-fault" in text(refused)
        assert kept in text(refused)
    filed = re.search(r"kn-[0-9a-f]{12}", text(complain(mai, visit))).group()  # type: ignore[union-attr]
    son, path = sign_in(pages, SUPERVISOR), f"/complaints/{filed}"
    for answer in ({"outcome": "", "answer": "Đúng vậy."}, {"outcome": "upheld", "answer": " "}):
        refused = son.post(f"{path}/answer", answer, page=path)
        assert refused.status_code == 422
        assert "has-fault" in text(refused)


def test_a_receipt_that_proves_nothing_is_told_so(counter: CitizenCounter, pages: Flask) -> None:
    mai, receipt = sign_in(pages, RECEIVER), counter.receipt(counter.give_card())
    opened(mai, receipt)
    for shown, said in ((receipt, "đã mở một lần xem"), ("x", "iên nhận")):
        answer = mai.post("/own-record", {"receipt": shown}, page="/own-record")
        assert answer.status_code == 303
        page = text(mai.get("/own-record"))
        assert 'class="notice fault"' in page
        assert said in page


@pytest.mark.parametrize("path", ["/own-record/0000000000000000", "/own-record/..%2F..", "/own-record/x"])
def test_a_visit_of_nobody_is_a_page_and_no_fault_of_ours(pages: Flask, path: str) -> None:
    assert sign_in(pages, RECEIVER).get(path).status_code == 404


def test_who_finds_which_page(pages: Flask) -> None:
    mai, son = sign_in(pages, RECEIVER), sign_in(pages, SUPERVISOR)
    assert 'href="/own-record"' in text(mai.get("/own-record"))
    assert 'href="/complaints"' not in text(mai.get("/own-record"))
    assert mai.get("/complaints").status_code == 403
    assert 'href="/complaints"' in text(son.get("/complaints"))
    assert son.get("/own-record/0000000000000000").status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_is_made_of_a_code_is_there(language: str) -> None:
    words = sentences(language)
    asked = {f"own.card.{each}" for each in CredentialState} | {f"purpose.{each}" for each in Purpose}
    asked |= {f"purpose.{each}" for each in PURPOSES}
    asked |= {f"complaint.{each}" for each in ComplaintState}
    asked |= {f"complaint.status.{each}" for each in ComplaintState}
    asked |= {f"complaint.about.{each}" for each in ComplaintAbout}
    asked |= {f"complaint.outcome.{each}" for each in ComplaintOutcome}
    assert asked <= words.keys()
    assert str(MOST_TOLD) in words["own.accesses_hint"]
    named = {*ATTRIBUTES, *ONLY_ENRICHED}
    assert {each for each in named if f"attribute.{each}" not in words} <= {
        each.removeprefix("field.") for each in words if each.startswith("field.")
    }
