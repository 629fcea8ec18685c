"""Prints at the counter over the pages: a scanner's files, a supervisor beside the captor, signed paper."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image, ImageDraw
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from monitoring.stand.drawn_people import prints, slaps
from tests.support.cheap_prints import cheap_print, cheap_slap
from tests.support.engines import Sqlite
from tests.support.issuance_office import PASSWORD, Office, make_office, picture
from tests.support.office_pages import Browser, pages_of, sign_in, signature, text
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.second_touch import cracked, encoded
from tests.support.served_app import serving
from tests.support.signed_paper import page_of, scanned
from tests.support.teller_page import browser
from verification.fingerprint.form_page import BOXES
from verification.fingerprint.print_picture import read_print
from verification.messages.asked_prints import SLAP_ITEMS
from verification.messages.fault_catalogue import fault

FOUR = "finger_04"
MARKS_OF = 'class="finger finger-{}"'
JSON = {"Accept": "application/json"}


def begun(lan: Browser) -> str:
    """The address of a capture whose prints are to be taken."""
    return str(lan.capture(exceptions=[]).headers["Location"])


def upload(lan: Browser, at: str, files: Mapping[str, bytes], **fields: str) -> str:
    """The page that follows ten files of a scanner, whatever it says."""
    chosen = [(io.BytesIO(content), f"{item}.png") for item, content in files.items()]
    answer = lan.post(f"{at}/prints", {"fingerprints": chosen, **fields}, page=f"{at}/prints")
    return text(lan.get(answer.headers["Location"]) if answer.status_code == 303 else answer)


def said(code: str) -> str:
    return html.escape(fault(code).text("vi").what, quote=False)


def ten_with_a_dry_one() -> dict[str, bytes]:
    ten = dict(prints(7))
    return ten | {FOUR: encoded(cracked(read_print(ten[FOUR])))}


def test_ten_files_are_judged_when_they_come_and_each_finger_says_how_it_stands(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    assert "Lấy vân tay" in text(lan.get(at))
    shown = upload(lan, at, ten_with_a_dry_one())
    counts = {state: shown.count(MARKS_OF.format(state)) for state in ("taken", "again", "missing")}
    assert counts == {"taken": 9, "again": 1, "missing": 0}
    assert "Số lần còn lại: 2" in shown
    assert html.escape(fault("PRINT_DRY").text("vi").next, quote=False) in shown
    picture = lan.get(f"{at}/prints/finger_02")
    assert (picture.content_type, picture.data) == ("image/png", prints(7)["finger_02"])
    program = lan.get(f"{at}/prints", **JSON).get_json()
    assert (program["fingers"][FOUR], program["missing"][0]) == ("again", "prints")
    assert upload(lan, at, {FOUR: prints(7)[FOUR]}).count(MARKS_OF.format("taken")) == 10
    lan.done(f"{at}/form", page=at)
    son = sign_in(app, "son.supervisor")
    looked = text(son.get(f"{at}/prints"))
    assert (looked.count('class="print"'), "<input id=" in looked) == (10, False), (
        "who answers looks, and no more"
    )


def test_paper_on_which_a_finger_is_spoiled_is_told_by_that_finger(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    upload(lan, at, prints(7))
    lan.done(f"{at}/form", page=at)
    page = page_of(lan.get(f"{at}/form.pdf").data)
    spoiled = page.copy()
    box = BOXES[2]
    ImageDraw.Draw(spoiled).rectangle((box.left, box.top, box.right, box.bottom), fill=255)
    scan = {"language": "vi", "scan": (io.BytesIO(scanned(spoiled)), "scan.jpg")}
    answer = lan.post(f"{at}/agreement", scan, page=at)
    assert (answer.status_code, said("FORM_PRINT_LOST") in text(answer)) == (422, True)
    assert "<li>Ngón trỏ phải: " in text(answer)
    again = {"language": "vi", "scan": (io.BytesIO(scanned(page)), "scan.jpg")}
    assert "bản quét đã được đối chiếu" in lan.done(f"{at}/agreement", again, page=at)


def test_what_is_no_print_is_told_beside_its_finger(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    assert said("PRINT_NOT_PICTURE") in upload(lan, at, {"finger_02": b"%PDF-1.7"})
    assert said("PRINT_OF_NO_FINGER") in upload(lan, at, {"thumb": cheap_print(1)})
    assert said("FIELD_MISSING") in upload(lan, at, {})
    assert said("PRINT_TOO_LARGE") in upload(lan, at, {"finger_02": b"\x89PNG" + bytes(5 << 20)})
    assert all(state == "missing" for state in lan.get(f"{at}/prints", **JSON).get_json()["fingers"].values())


def test_reasons_and_drops_on_the_page(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    upload(lan, at, prints(7))
    lan.done(f"{at}/prints/{FOUR}/drop", page=f"{at}/prints")
    reason = {"item": FOUR, "code": "FINGER_WORN"}
    assert "Mòn, không thu được" in lan.done(f"{at}/reasons", reason, page=f"{at}/prints")
    false = lan.post(f"{at}/reasons", {"item": "finger_05", "code": "FINGER_WORN"}, page=f"{at}/prints")
    assert (false.status_code, said("EXCEPTION_CONTRADICTED") in text(false)) == (422, True)


@dataclass(frozen=True)
class Waiting:
    """A capture that only a supervisor's word keeps from being sealed."""

    lan: Browser
    at: str

    def answer(self, officer: str, password: str = PASSWORD) -> tuple[int, str]:
        page = self.lan.get(self.at).get_data(as_text=True)
        form = re.search(r'name="form" value="([0-9a-f]{64})"', page)
        fields = {"supervisor": officer, "password": password, "form": form[1] if form else ""}
        answer = self.lan.post(f"{self.at}/answer", fields, page=self.at)
        return answer.status_code, text(answer)


@pytest.fixture
def waiting(app: Flask) -> Waiting:
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    lan.done(f"{at}/reasons", {"item": "fingerprints", "code": "NO_SCANNER"}, page=f"{at}/prints")
    lan.done(f"{at}/form", page=at)
    lan.done(f"{at}/agreement", {"language": "vi", "signature": signature()}, page=at)
    return Waiting(lan, at)


def test_a_supervisor_beside_the_captor_answers_in_their_own_name(waiting: Waiting, office: Office) -> None:
    assert waiting.answer("son.supervisor")[0] == 303
    shown = text(waiting.lan.get(waiting.at))
    assert "Đã xác nhận: <strong>son.supervisor</strong>" in shown
    sealed = waiting.lan.post(f"{waiting.at}/seal", page=waiting.at, **JSON).get_json()
    first = sealed["steps"][0]
    assert (first["actor"], first["detail"]["answered_by"]) == ("lan.capture", "son.supervisor")
    with office.database.reading() as connection:
        names = connection.exec_driver_sql("SELECT officer FROM officer_sessions").scalars().all()
    assert names == ["lan.capture"], "the supervisor's session ended with the answer"


def test_nobody_else_answers_on_the_captors_page(waiting: Waiting) -> None:
    for officer, password, code in (
        ("lan.capture", PASSWORD, "OFFICER_ROLE_MISSING"),
        ("minh.approve", PASSWORD, "OFFICER_ROLE_MISSING"),
        ("son.supervisor", "sai-mật-khẩu", "OFFICER_SIGN_IN_FAILED"),
        ("nobody", PASSWORD, "OFFICER_SIGN_IN_FAILED"),
    ):
        status, shown = waiting.answer(officer, password)
        assert (status, said(code) in shown) == (422, True), officer
        assert password not in shown
    for _ in range(5):
        waiting.answer("son.supervisor", "sai-mật-khẩu")
    status, shown = waiting.answer("son.supervisor")
    assert (status, said("OFFICER_SIGN_IN_BLOCKED") in shown) == (422, True), "as often as at the door"
    seen = waiting.lan.get(waiting.at, **JSON).get_json()
    assert seen["missing"] == ["supervisor"], "the captor is still signed in, and nothing was answered"


# -- slaps, and the photograph of a hand

TO_DECEMBER = timedelta(days=10)
"""Until slaps are asked."""

RIGHT, LEFT, THUMBS = SLAP_ITEMS


def test_the_page_asks_which_scanner_is_here_and_takes_slaps_one_by_one(app: Flask, office: Office) -> None:
    office.now[0] += TO_DECEMBER
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    upload(lan, at, prints(7))
    asked = text(lan.get(f"{at}/prints"))
    assert "Máy lấy vân tay tại quầy này" in asked
    shown = upload(lan, at, {RIGHT: cheap_slap(13, 3), LEFT: slaps(7)[LEFT]})
    assert said("SLAP_MISCOUNTED") in shown
    program = lan.get(f"{at}/prints", **JSON).get_json()
    assert program["slaps"] == {RIGHT: "missing", LEFT: "taken", THUMBS: "missing"}
    assert "Đã tách được: Ngón út trái, Ngón nhẫn trái, Ngón giữa trái, Ngón trỏ trái." in shown
    flat = {"item": RIGHT, "code": "HAND_NOT_FLAT"}
    assert "không ấn phẳng được" in lan.done(f"{at}/reasons", flat, page=f"{at}/prints")
    lan.done(f"{at}/prints/{LEFT}/drop", page=f"{at}/prints")
    answered = lan.done(f"{at}/scanner", {"takes_slaps": "no"}, page=f"{at}/prints")
    assert answered.count("Nơi thu nhận không có máy lấy nhiều ngón cùng lúc") == 3
    program = lan.get(f"{at}/prints", **JSON).get_json()
    assert (program["slap_scanner"], program["missing"]) == (False, ["form", "signature", "supervisor"])
    assert "Nơi thu nhận không có máy lấy nhiều ngón cùng lúc" in text(lan.get(at)), "for whoever answers"


def test_a_hand_is_photographed_on_the_page(app: Flask, office: Office) -> None:
    office.now[0] += TO_DECEMBER
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    lan.done(f"{at}/scanner", {"takes_slaps": "no"}, page=f"{at}/prints")
    upload(lan, at, {item: each for item, each in prints(7).items() if item != FOUR})
    stated = lan.done(f"{at}/reasons", {"item": FOUR, "code": "FINGER_MISSING"}, page=f"{at}/prints")
    assert ("Ảnh bàn tay phải" in stated, "Ảnh bàn tay trái" in stated) == (True, False)
    assert lan.get(f"{at}/prints", **JSON).get_json()["hand_photos"] == {"hand_photo_right": False}
    wrong = {"hand_photo_right": (io.BytesIO(cheap_print(1)), "hand.jpg")}
    refused = lan.post(f"{at}/prints", wrong, page=f"{at}/prints")
    assert (refused.status_code, said("HAND_PHOTO_NOT_JPEG") in text(refused)) == (422, True)
    lan.done(f"{at}/prints", {"hand_photo_right": (io.BytesIO(picture(3)), "h.jpg")}, page=f"{at}/prints")
    lan.done(f"{at}/form", page=at)
    son = sign_in(app, "son.supervisor")
    assert f"{at}/prints/hand_photo_right" in text(son.get(f"{at}/prints"))
    shown = son.get(f"{at}/prints/hand_photo_right")
    assert (shown.content_type, shown.data) == ("image/jpeg", picture(3))


def test_one_slap_that_was_sent_back_is_taken_at_the_counter(app: Flask, office: Office) -> None:
    office.now[0] += TO_DECEMBER
    lan = sign_in(app, "lan.capture")
    at = begun(lan)
    upload(lan, at, {**prints(7), **slaps(7)})
    lan.done(f"{at}/form", page=at)
    lan.done(f"{at}/agreement", {"language": "vi", "signature": signature()}, page=at)
    dossier = lan.post(f"{at}/seal", page=at).headers["Location"]
    minh = sign_in(app, "minh.approve")
    returned = {"items": [THUMBS], "comment": "Mờ."}
    assert minh.post(f"{dossier}/return", returned, page=dossier).status_code == 303
    again = lan.get(f"{dossier}/recapture")
    assert "bộ thiết bị" not in text(again).partition("<main")[2], "no kit is needed for it"
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text(again)))
    back = str(lan.post(f"{dossier}/recapture", fields, page=f"{dossier}/recapture").headers["Location"])
    assert lan.get(f"{back}/prints", **JSON).get_json()["slaps"] == {THUMBS: "missing"}
    assert upload(lan, back, {THUMBS: slaps(7)[THUMBS]}).count(MARKS_OF.format("taken")) == 2


@pytest.fixture(scope="module")
def scene(office_pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walk, Browser]]:
    folder = tmp_path_factory.mktemp("counter")
    office = make_office(folder, office_pki, Sqlite(folder))
    with pages_of(office, folder) as app, serving(app) as url, browser() as chrome:
        yield Walk(chrome, url), sign_in(app, "lan.capture")


@pytest.fixture
def december(office_pki: Path, tmp_path: Path) -> Iterator[tuple[Walk, Browser]]:
    office = make_office(tmp_path, office_pki, Sqlite(tmp_path))
    office.now[0] += TO_DECEMBER
    with pages_of(office, tmp_path) as app, serving(app) as url, browser() as chrome:
        yield Walk(chrome, url), sign_in(app, "lan.capture")


@pytest.mark.slow
@pytest.mark.browser
def test_slaps_and_a_hand_in_a_browser(december: tuple[Walk, Browser]) -> None:
    (walk, lan), found = december, []
    at = begun(lan)
    upload(lan, at, {item: each for item, each in prints(7).items() if item != FOUR})
    lan.done(f"{at}/reasons", {"item": FOUR, "code": "FINGER_MISSING"}, page=f"{at}/prints")
    upload(lan, at, {RIGHT: cheap_slap(13), LEFT: slaps(7)[LEFT]})
    for language in LANGUAGES:
        walk.sign_in("lan.capture", language)
        for kind in WIDTHS:
            walk.open(f"{at}/prints", kind)
            found += walk.faults(f"counter-slaps-{language}-{kind}", language, kind)
    walk.press('button[name="takes_slaps"][value="yes"]')
    assert walk.one('button[value="yes"]').get_attribute("aria-pressed") == "true"
    photo = {"hand_photo_right": (io.BytesIO(picture(3)), "h.jpg")}
    lan.done(f"{at}/prints", photo, page=f"{at}/prints")
    upload(lan, at, slaps(7))
    walk.sign_in("lan.capture", "vi")
    for kind in WIDTHS:
        walk.open(f"{at}/prints", kind)
        found += walk.faults(f"counter-slaps-taken-vi-{kind}", "vi", kind)
    assert found == []


@pytest.mark.slow
@pytest.mark.browser
def test_an_officer_takes_ten_prints_in_a_browser(scene: tuple[Walk, Browser], tmp_path: Path) -> None:
    (walk, lan), paths = scene, {}
    at = begun(lan)
    for item, content in ten_with_a_dry_one().items():
        paths[item] = tmp_path / f"{item}.png"
        paths[item].write_bytes(content)
    chrome = walk.chrome
    found = []
    walk.sign_in("lan.capture", "vi")
    walk.open(at, "wide")
    found += walk.faults("counter-prints-next", "vi", "wide")
    walk.press('a[href$="/prints"]')
    found += walk.faults("counter-prints-empty", "vi", "wide")
    walk.one("#fingerprints").send_keys("\n".join(map(str, paths.values())))
    walk.press(f'form[action="{at}/prints"] button.primary')
    found += walk.faults("counter-prints-again", "vi", "wide")
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".finger-taken")) == 9
    for _ in range(2):
        walk.one(f"#{FOUR}").send_keys(str(paths[FOUR]))
        walk.press(f'form[action="{at}/prints"] button.primary')
    assert len(chrome.find_elements(By.CSS_SELECTOR, ".finger-best")) == 1
    for language in LANGUAGES:
        walk.sign_in("lan.capture", language)
        for kind in WIDTHS:
            walk.open(f"{at}/prints", kind)
            found += walk.faults(f"counter-prints-best-{language}-{kind}", language, kind)
    walk.sign_in("lan.capture", "vi")
    walk.open(at, "wide")
    walk.press(f'form[action="{at}/form"] button')
    scan = tmp_path / "scan.jpg"
    Image.new("L", (3508, 2480), 255).save(scan, dpi=(300, 300))
    walk.one("#scan").send_keys(str(scan))
    walk.press(f'form[action="{at}/agreement"] button.big')
    assert fault("FORM_MARKS_MISSING").text("vi").what in walk.one(".field-fault").text
    for kind in WIDTHS:
        walk.size(WIDTHS[kind])
        found += walk.faults(f"counter-scan-refused-{kind}", "vi", kind)
    pad = walk.one("#pad")
    ActionChains(chrome).click_and_hold(pad).move_by_offset(60, 20).release().perform()
    walk.until(
        lambda chrome: chrome.execute_script("return document.getElementById('signature').files.length")
    )
    walk.press(f'form[action="{at}/agreement"] button.big')
    walk.one(".card details:not(.danger) summary").click()
    walk.write("supervisor", "son.supervisor")
    walk.write("password", PASSWORD)
    for kind in WIDTHS:
        walk.size(WIDTHS[kind])
        found += walk.faults(f"counter-supervisor-here-{kind}", "vi", kind)
    walk.press(f'form[action="{at}/answer"] button')
    found += walk.faults("counter-answered", "vi", "narrow")
    walk.press(f'form[action="{at}/seal"] button')
    assert "/dossiers/" in chrome.current_url
    assert found == []
