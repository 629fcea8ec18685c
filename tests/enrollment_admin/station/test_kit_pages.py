"""The kit's pages, without script and without a network: who is stopped, what is kept, what leaves."""

from __future__ import annotations

import html
import io
import re
import time
from datetime import timedelta
from pathlib import Path
from threading import Event

import msgspec
import pytest

from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.kit import renew_profile
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.kit_pages.typed_forms import fields_to_type
from enrollment_admin.station.officer_keys import BLOCKED_FOR, MOST_WRONG
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from issuance_backend.population_registry.domain import extract
from tests.support.form_text import form_text
from tests.support.issuance_office import citizens, picture
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    OFFICER,
    PASSPHRASE,
    client,
    declared,
    register,
    served,
)
from tests.support.kit_pages_bench import (
    KitPages,
    begun,
    captured,
    keep,
    keep_prints,
    kit_pages,
    seal,
    signature,
    typed,
)
from tests.support.office_pages import Browser, text
from tests.support.packet_centre import Centre, PlainDossiers, prepared_database
from verification.messages.enrollment import PersonFields
from verification.messages.enrollment_packet import SealedPacket, from_file
from verification.messages.fault_catalogue import fault
from verification.messages.packet_intake import PacketStatus
from verification.messages.receipt_code import receipt_code


def token(browser: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/").get_data(as_text=True))
    assert found
    return found[1]


def test_the_kit_says_which_form_it_keeps_and_that_an_old_one_has_to_be_renewed(pages: KitPages) -> None:
    form = pages.kit.profile.form
    said = text(pages.sign_in().get("/"))
    assert form.circular in said
    assert "Mẫu phiếu của bộ thiết bị đã cũ" not in said
    ended = msgspec.structs.replace(form, valid_to="2024-06-30")
    for old in (ended, msgspec.structs.replace(form, prints=None)):
        renew_profile(pages.kit.folder, form=old)
        app = create_kit_app(pages.bench.open(), None, pages.sticks)
        told = text(KitPages(pages.kit, app, pages.sticks, pages.bench).sign_in(language="en").get("/"))
        assert "The kit&#39;s form is an old one" in told or "The kit's form is an old one" in told


def begun_as(browser: Browser, said: dict[str, str]) -> str:
    answer = browser.post("/drafts/new", said, page="/drafts/new")
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["Location"].rpartition("/")[0])


def registered(index: int) -> PersonFields:
    return extract(citizens()[index]).person


def test_a_citizen_is_captured_from_the_question_to_the_slip(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    assert "Ảnh chân dung" in text(lan.get(f"{draft}/portrait"))
    assert declared().full_name in text(lan.get(f"{draft}/portrait"))
    assert keep(lan, draft, "portrait", picture()).headers["Location"] == f"{draft}/fingerprints"
    assert keep_prints(lan, draft).headers["Location"] == f"{draft}/form"
    printed = lan.post(f"{draft}/form", page=f"{draft}/form")
    assert declared().full_name in form_text(printed.get_data())
    assert "script" not in printed.headers["Content-Security-Policy"]
    assert lan.get(draft).headers["Location"] == f"{draft}/signature"
    assert keep(lan, draft, "signature", signature()).headers["Location"] == f"{draft}/seal"
    answer = seal(lan, draft)
    assert answer.headers["Location"] == f"{draft}/slip"
    (waiting,) = pages.outbox.waiting()
    slip = text(lan.get(f"{draft}/slip"))
    assert receipt_code(waiting.packet) in slip
    assert "Phường Trúc Bạch" in slip
    assert declared().full_name not in slip


def test_an_officer_writes_why_a_portrait_will_do(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    files = {
        "portrait": (io.BytesIO(picture()), "portrait.jpg"),
        "manual_portrait_reason": " Đã xem bằng mắt ",
    }
    assert lan.post(f"{draft}/portrait", files, page=f"{draft}/portrait").status_code == 303
    assert pages.desk().draft(draft.rpartition("/")[2]).portrait_reason == "Đã xem bằng mắt"
    assert ">Đã xem bằng mắt</textarea>" in text(lan.get(f"{draft}/portrait"))


def test_a_stop_stands_beside_its_field_and_keeps_what_was_typed(pages: KitPages, lan: Browser) -> None:
    wrong = typed(declared(full_name="Nguyễn Văn Nhầm", sex="M" if declared().sex == "F" else "F"))
    answer = lan.post("/drafts/new", wrong, page="/drafts/new")
    draft = answer.headers["Location"].rpartition("/")[0]
    page = lan.get(f"{draft}/declaration")
    shown = text(page)
    assert page.status_code == 422
    for field in ("full_name", "sex"):
        assert f'href="#{field}"' in shown
    assert shown.count("field-fault") == 2
    assert 'value="Nguyễn Văn Nhầm"' in shown
    assert f'action="{draft}/withdrawal"' in shown
    assert lan.get(f"{draft}/portrait").headers["Location"] == f"{draft}/declaration"
    right = lan.post(f"{draft}/declaration", typed(declared()), page=f"{draft}/declaration")
    assert right.headers["Location"] == f"{draft}/portrait"
    (seen,) = pages.desk().drafts()
    assert len(seen.attempts) == 2


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("date_of_birth", "31/02/1990", "FIELD_DATE"),
        ("date_of_birth", "1990", "FIELD_DATE"),
        ("date_of_birth", "", "FIELD_MISSING"),
        ("full_name", "  ", "FIELD_MISSING"),
        ("full_name", "<script>alert(1)</script>", "GATE_NAME_DIFFERS"),
        ("sex", "X", "FIELD_MISSING"),
        ("citizen_number", "", "FIELD_MISSING"),
        ("citizen_number", "12345", "GATE_NUMBER_MALFORMED"),
        ("citizen_number", "a" * 5000, "GATE_NUMBER_MALFORMED"),
        ("has_no_number", "yes", "GATE_NUMBER_OR_NONE"),
    ],
)
def test_bad_input_is_told_beside_its_field(lan: Browser, field: str, value: str, code: str) -> None:
    said = {**typed(declared()), field: value}
    answer = lan.post("/drafts/new", said, page="/drafts/new")
    if answer.status_code == 303:
        answer = lan.get(answer.headers["Location"])
    assert answer.status_code == 422
    shown = text(answer)
    assert html.escape(fault(code).vi.what, quote=False) in shown
    assert "<script>alert" not in shown
    assert html.escape(said["date_of_birth"], quote=False) in shown
    programs = lan.client.post(
        "/drafts/new",
        data={**said, "csrf_token": token(lan)},
        headers={"Accept": "application/json"},
    )
    assert code in programs.get_data(as_text=True)


def test_who_says_to_have_no_number_is_not_captured_without_one(lan: Browser) -> None:
    new = {"citizen_number": "", "has_no_number": "yes", "full_name": "Nguyễn Văn Không Ai Biết"}
    draft = begun_as(lan, {**typed(declared()), **new, "date_of_birth": "01/01/2001"})
    page = text(lan.get(f"{draft}/declaration"))
    assert fault("KIT_GATE_NOT_PASSED").vi.what in page
    assert lan.get(f"{draft}/seal").headers["Location"] == f"{draft}/declaration"


def test_without_an_extract_nobody_is_captured_and_the_page_says_so(
    tmp_path: Path, centre_keys: CentreKeys
) -> None:
    pages = kit_pages(tmp_path, centre_keys, has_extract=False)
    lan = pages.sign_in()
    assert fault("KIT_EXTRACT_MISSING").vi.what in text(lan.get("/"))
    answer = lan.post("/drafts/new", typed(declared()), page="/drafts/new")
    assert answer.status_code == 422
    assert declared().full_name in text(answer)
    assert not pages.desk().drafts()


@pytest.mark.parametrize(
    ("item", "content", "code"),
    [
        ("portrait", b"", "FIELD_MISSING"),
        ("portrait", b"GIF89a", "PORTRAIT_NOT_JPEG"),
        ("portrait", b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "PORTRAIT_TOO_LARGE"),
        ("signature", picture(), "SIGNATURE_NOT_PNG"),
        ("signature", b"\x89PNG\r\n\x1a\n" + bytes(5 * 1024 * 1024), "SIGNATURE_TOO_LARGE"),
    ],
)
def test_a_picture_of_another_kind_is_refused_on_its_page(
    pages: KitPages, lan: Browser, item: str, content: bytes, code: str
) -> None:
    draft = begun(lan)
    if item == "signature":
        keep(lan, draft, "portrait", picture())
        keep_prints(lan, draft)
        lan.post(f"{draft}/form", page=f"{draft}/form")
    answer = keep(lan, draft, item, content)
    assert answer.status_code == 422
    assert fault(code).vi.what in text(answer)
    assert item not in {each.name for each in pages.desk().drafts()[0].items}


def test_a_body_without_end_is_refused(lan: Browser) -> None:
    draft = begun(lan)
    assert keep(lan, draft, "portrait", bytes(20 * 1024 * 1024)).status_code == 413


def test_what_is_changed_after_the_print_is_printed_and_signed_again(pages: KitPages, lan: Browser) -> None:
    draft = captured(lan)
    assert lan.get(draft).headers["Location"] == f"{draft}/seal"
    marks = {"place_of_residence": "Số 9, Phường Trúc Bạch", "identification": "Sẹo ở trán"}
    changed = lan.post(f"{draft}/particulars", marks, page=f"{draft}/particulars")
    assert changed.headers["Location"] == f"{draft}/form"
    (seen,) = pages.desk().drafts()
    assert seen.person is not None
    assert seen.person.identification == "Sẹo ở trán"
    said = {"language": "vi", "agreed": "yes", "fee_reason": "first", "old_card": "none"}
    early = lan.client.post(
        f"{draft}/seal",
        data={**said, "passphrase": PASSPHRASE, "csrf_token": token(lan)},
        headers={"Accept": "application/json"},
    )
    assert early.get_json()["code"] == "STATE_NOT_ALLOWED"
    assert not pages.outbox.waiting()


def test_a_stranger_to_the_commune_is_typed_in_and_a_supervisor_answers(
    pages: KitPages, lan: Browser
) -> None:
    draft = begun(lan, 5)
    assert lan.get(draft).headers["Location"] == f"{draft}/particulars"
    entry = registered(5)
    said = {name: getattr(entry, name) or "" for name in fields_to_type(is_registered=False)}
    assert lan.post(f"{draft}/particulars", said, page=f"{draft}/particulars").status_code == 303
    keep(lan, draft, "portrait", picture())
    keep_prints(lan, draft)
    lan.post(f"{draft}/form", page=f"{draft}/form")
    keep(lan, draft, "signature", signature())
    alone = seal(lan, draft)
    assert fault("PACKET_SUPERVISOR_MISSING").vi.what in text(alone)
    wrong = seal(lan, draft, supervisor=CHIEF, supervisor_passphrase="not the passphrase")
    assert 'id="supervisor_passphrase-fault"' in text(wrong)
    assert 'id="passphrase-fault"' not in text(wrong)
    done = seal(lan, draft, supervisor=CHIEF, supervisor_passphrase=CHIEFS_PASSPHRASE)
    assert done.headers["Location"] == f"{draft}/slip"


def test_who_cannot_sign_has_a_reason_stated_and_answered_for(lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    keep_prints(lan, draft)
    lan.post(f"{draft}/form", page=f"{draft}/form")
    stated = {"item": "signature", "code": "CANNOT_SIGN"}
    answer = lan.post(f"{draft}/exceptions", stated, page=f"{draft}/signature")
    assert answer.headers["Location"] == f"{draft}/seal"
    assert 'id="supervisor"' in text(lan.get(f"{draft}/seal"))
    done = seal(lan, draft, supervisor=CHIEF, supervisor_passphrase=CHIEFS_PASSPHRASE)
    assert done.headers["Location"] == f"{draft}/slip"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"passphrase": "wrong"}, "KIT_PASSPHRASE_WRONG"),
        ({"agreed": ""}, "CITIZEN_AGREEMENT_MISSING"),
        ({"language": "xx"}, "FIELD_MISSING"),
    ],
)
def test_nothing_is_sealed_without_consent_and_the_officers_own_key(
    pages: KitPages, lan: Browser, changes: dict[str, str], code: str
) -> None:
    draft = captured(lan)
    answer = seal(lan, draft, **changes)
    assert answer.status_code == 422
    assert fault(code).vi.what in text(answer)
    assert PASSPHRASE not in answer.get_data(as_text=True)
    assert not pages.outbox.waiting()


def test_a_capture_is_its_officers_own_and_can_be_taken_back(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    chief = pages.sign_in(CHIEF)
    keep(lan, draft, "portrait", picture())
    for path in (draft, f"{draft}/portrait", f"{draft}/items/portrait"):
        assert fault("KIT_CAPTURE_OF_ANOTHER").vi.what in text(chief.get(path)), path
    assert declared().full_name not in text(chief.get("/"))
    assert chief.post(f"{draft}/withdrawal", page="/").status_code == 403
    assert lan.get(f"{draft}/items/portrait").data == picture()
    done = lan.post(f"{draft}/withdrawal", page=f"{draft}/portrait")
    assert done.headers["Location"] == "/"
    assert not pages.desk().drafts()
    assert lan.get(f"{draft}/items/portrait").status_code == 403


@pytest.mark.parametrize(
    ("officer", "passphrase"),
    [
        (OFFICER, "wrong"),
        (OFFICER, ""),
        (CHIEF, PASSPHRASE),
        ("nobody", PASSPHRASE),
        ("../kit_key", "x" * 50_000),
    ],
)
def test_nobody_comes_in_without_opening_their_key(pages: KitPages, officer: str, passphrase: str) -> None:
    browser = Browser(pages.app.test_client())
    answer = browser.post("/login", {"officer": officer, "passphrase": passphrase}, page="/login")
    assert answer.status_code == 403
    assert fault("KIT_PASSPHRASE_WRONG").vi.what in text(answer)
    assert browser.get("/").headers["Location"] == "/login"


def test_nobody_guesses_at_a_passphrase(pages: KitPages, lan: Browser) -> None:
    guesser = Browser(pages.app.test_client())

    def guess(passphrase: str, officer: str = OFFICER) -> str:
        return text(guesser.post("/login", {"officer": officer, "passphrase": passphrase}, page="/login"))

    for number in range(MOST_WRONG):
        assert fault("KIT_PASSPHRASE_WRONG").vi.what in guess(f"wrong {number}")
    assert fault("KIT_PASSPHRASE_BLOCKED").vi.what in guess(PASSPHRASE)
    draft = captured(lan)
    assert fault("KIT_PASSPHRASE_BLOCKED").vi.what in text(seal(lan, draft)), "the same key, the same limit"
    pages.bench.pass_time(BLOCKED_FOR.seconds)
    assert seal(lan, draft).status_code == 303
    assert fault("KIT_PASSPHRASE_WRONG").vi.what in guess("wrong once", CHIEF)


def test_who_says_that_a_form_is_signed_before_it_is_printed_is_told(lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    keep_prints(lan, draft)
    shown = lan.get(f"{draft}/form")
    onward = re.search(r'<a class="button" href="([^"]+)">Công dân đã ký', shown.get_data(as_text=True))
    assert onward
    told = lan.get(onward[1])
    assert (told.status_code, fault("KIT_FORM_NOT_PRINTED").vi.what in text(told)) == (422, True)
    lan.post(f"{draft}/form", page=f"{draft}/form")
    assert lan.get(onward[1]).status_code == 200


def test_a_page_of_another_name_and_a_form_without_its_token_are_refused(lan: Browser) -> None:
    assert lan.client.get("/", headers={"Host": "kit.evil.example"}).status_code == 400
    assert lan.client.post("/drafts/new", data=typed(declared())).status_code == 403
    assert lan.client.get("/login", headers={"Host": "127.0.0.1:8712"}).status_code == 200


def test_leaving_ends_the_session(lan: Browser) -> None:
    assert lan.post("/logout", page="/").headers["Location"] == "/login"
    assert lan.get("/").headers["Location"] == "/login"


def test_english_is_whole(pages: KitPages) -> None:
    lan = pages.sign_in(language="en")
    draft = captured(lan)
    assert "Passphrase of your signing key" in text(lan.get(f"{draft}/seal"))
    assert "Nothing waits to be sent" in text(lan.get("/outbox"))


def test_packets_leave_by_the_network_and_the_receipts_come_back(tmp_path: Path) -> None:
    centre = Centre(
        prepared_database(f"sqlite:///{tmp_path / 'centre.db'}"), tmp_path / "centre", PlainDossiers()
    )
    with served(centre.intake.desk) as url:
        pages = kit_pages(tmp_path, centre.keys, client(url))
        register(centre, pages.kit)
        lan = pages.sign_in()
        for index in range(2):
            seal(lan, captured(lan, index))
        assert len(pages.outbox.waiting()) == 2
        lan.post("/outbox/sending", page="/outbox")
        page = awaited(lan)
    assert 'Biên nhận mới: <span class="number">2</span>' in page
    assert "Không còn gói nào chờ gửi" in page
    assert "Trung tâm đã nhận" in text(lan.get("/"))


def test_a_centre_that_is_away_is_told_and_nothing_is_lost(tmp_path: Path, centre_keys: CentreKeys) -> None:
    pages = kit_pages(tmp_path, centre_keys, client("http://127.0.0.1:9"))
    lan = pages.sign_in()
    seal(lan, captured(lan))
    lan.post("/outbox/sending", page="/outbox")
    assert fault("KIT_CENTRE_UNAVAILABLE").vi.what in awaited(lan)
    assert len(pages.outbox.waiting()) == 1
    fetched = lan.post("/outbox/extract", page="/outbox")
    assert fault("KIT_CENTRE_UNAVAILABLE").vi.what in text(fetched)


def test_a_stick_takes_packets_along_and_brings_receipts(tmp_path: Path) -> None:
    centre = Centre(
        prepared_database(f"sqlite:///{tmp_path / 'centre.db'}"), tmp_path / "centre", PlainDossiers()
    )
    pages = kit_pages(tmp_path, centre.keys)
    register(centre, pages.kit)
    lan = pages.sign_in()
    assert "Chưa cắm thẻ nhớ" in text(lan.get("/outbox"))
    stick = pages.sticks / "USB 8GB"
    stick.mkdir()
    seal(lan, captured(lan))
    lan.done("/outbox/export", {"stick": "USB 8GB"}, page="/outbox")
    (file,) = stick.glob("*.packet")
    metadata, content = from_file(file.read_bytes())
    (waiting,) = pages.outbox.waiting()
    receipt = centre.bring(SealedPacket(waiting.packet, metadata, content))
    assert fault("KIT_STICK_MISSING").vi.what in text(
        lan.post("/outbox/import", {"stick": ".."}, page="/outbox")
    )
    (stick / "broken.receipt").write_text("not one")
    (stick / "kit-007.receipt").write_text(receipt)
    shown = lan.done("/outbox/import", {"stick": "USB 8GB"}, page="/outbox")
    assert fault("PACKET_SIGNATURE_INVALID").vi.what in shown
    assert not pages.outbox.waiting()


def test_progress_is_shown_and_no_second_round_begins(tmp_path: Path, centre_keys: CentreKeys) -> None:
    line = SlowLine()
    pages = kit_pages(tmp_path, centre_keys, line)
    lan = pages.sign_in()
    seal(lan, captured(lan))
    for _ in range(2):
        lan.post("/outbox/sending", page="/outbox")
    assert line.is_busy.wait(10)
    page = lan.get("/outbox").get_data(as_text=True)
    assert 'http-equiv="refresh"' in page
    assert "Đang gửi" in page
    assert text(lan.get("/drafts/new"))
    line.may_go_on.set()
    assert fault("KIT_CENTRE_UNAVAILABLE").vi.what in awaited(lan)
    assert line.announced == 1


def test_an_officer_who_went_away_is_signed_out(pages: KitPages, lan: Browser) -> None:
    assert lan.get("/").status_code == 200
    pages.app.permanent_session_lifetime = timedelta(seconds=-1)
    assert lan.get("/").headers["Location"] == "/login"


class SlowLine(CentreClient):
    """A way to a centre on which a piece takes its time, and then the line breaks."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "a token")
        self.is_busy, self.may_go_on, self.announced = Event(), Event(), 0

    def announce(self, metadata: bytes) -> PacketStatus:
        self.announced += 1
        self.is_busy.set()
        assert self.may_go_on.wait(10)
        return super().announce(metadata)


def awaited(browser: Browser) -> str:
    """The page of what is to be sent, once a round is over."""
    for _ in range(400):
        page = browser.get("/outbox").get_data(as_text=True)
        if 'http-equiv="refresh"' not in page:
            return " ".join(page.split())
        time.sleep(0.02)
    raise AssertionError("the round did not end")
