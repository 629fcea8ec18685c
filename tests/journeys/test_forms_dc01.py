"""In a real browser over the real programs: a form collected, scanned, keyed, re-checked, accepted.

With ``KEEP_PICTURES=FOLDER`` the pages are kept as they were, for looking at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from monitoring.form_campaign import lay_out_forms, written_by
from monitoring.staff import COMMUNE_OFFICERS, FORM_CLERKS, FORMS_COMMUNE, FORMS_LEADER
from monitoring.stand.drawn_form import drawn_form
from tests.support.page_walk import Walk
from tests.support.running_stand import RunningStand
from tests.support.teller_page import browser
from verification.messages.fault_catalogue import fault
from verification.messages.national_time import vietnam_date

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.needs_models]

BARCODE = "BD999999"
READ = {
    "date_of_birth": "15/3/1990",
    "birth_registration_place": "Hà Nội",
    "place_of_origin": "Hà Nội",
    "marital_status": "Chưa kết hôn",
    "ethnicity": "Kinh",
    "religion": "Không",
    "nationality": "Việt Nam",
    "permanent_residence": "Ba Đình, Hà Nội",
    "permanent_unit": FORMS_COMMUNE,
    "current_residence": "Ba Đình, Hà Nội",
    "current_unit": FORMS_COMMUNE,
    "father": "NGUYỄN VĂN AN",
    "mother": "TRẦN THỊ BÌNH",
    "household_head": "NGUYỄN VĂN AN",
    "relation_to_head": "Con",
}
NAME = "NGUYỄN THỊ LAN"


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as running:
        yield running


@pytest.fixture
def walk(chrome: webdriver.Chrome, stand: RunningStand) -> Walk:
    pages = Walk(chrome, stand.addresses.url("admin"))
    pages.size(1280)
    return pages


def sign_in(walk: Walk, stand: RunningStand, officer: str, path: str = "/dc01") -> None:
    walk.sign_in(officer, "vi", stand.password(officer))
    walk.chrome.get(walk.url + path)


def row_of(walk: Walk, barcode: str) -> WebElement:
    found: WebElement = walk.chrome.find_element(By.XPATH, f"//tr[.//code='{barcode}']")
    return found


def yesterday() -> date:
    return vietnam_date(datetime.now(UTC)) - timedelta(days=1)


def key(walk: Walk, form: str) -> None:
    """As a clerk does: type, Enter to the next field, Ctrl+Enter to save; never the mouse."""
    chrome = walk.chrome
    assert chrome.current_url.endswith(form), "the next form of this officer"
    picture = walk.one(".scans img")
    walk.until(lambda _: chrome.execute_script("return arguments[0].naturalWidth", picture) == 1240)
    assert chrome.switch_to.active_element.get_attribute("id") == "full_name"
    chrome.switch_to.active_element.send_keys(NAME + Keys.ENTER)
    assert chrome.switch_to.active_element.get_attribute("id") == "date_of_birth"
    for name, text in READ.items():
        walk.write(name, text)
    Select(walk.one("#sex")).select_by_value("F")
    keep(walk, f"keying-{form.rpartition('/')[2]}")
    with walk.leaving():
        walk.one("#mother").send_keys(Keys.CONTROL + Keys.ENTER)
    assert chrome.find_elements(By.CSS_SELECTOR, ".notice.done"), walk.one("main").text


def keep(walk: Walk, name: str) -> None:
    if "KEEP_PICTURES" in os.environ:
        walk.chrome.save_screenshot(str(Path(os.environ["KEEP_PICTURES"]) / f"dc01-{name}.png"))


def test_a_form_becomes_part_of_an_accepted_batch(stand: RunningStand, walk: Walk, tmp_path: Path) -> None:
    chrome = walk.chrome
    assert lay_out_forms(stand.staff, stand.people)
    assert not lay_out_forms(stand.staff, stand.people), "a second start lays nothing out again"
    sign_in(walk, stand, COMMUNE_OFFICERS[0])
    keep(walk, "desk")
    assert [each.text for each in chrome.find_elements(By.CSS_SELECTOR, ".work .number")][:2] == [
        "Số phiếu: 1"
    ] * 2
    walk.one("summary").click()
    walk.write("plan-unit", FORMS_COMMUNE)
    walk.write("barcodes", BARCODE)
    walk.press("form[action$='/dc01/forms'] button")
    row = row_of(walk, BARCODE)
    field = row.find_element(By.CSS_SELECTOR, "input[type=date]")
    form = str(field.get_attribute("id")).removeprefix("collected-")
    chrome.execute_script("arguments[0].value = arguments[1]", field, yesterday().isoformat())
    with walk.leaving():
        row.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    sheet = tmp_path / "page.png"
    sheet.write_bytes(drawn_form(BARCODE, written_by({"full_name": NAME, "citizen_number": "", "sex": "F"})))
    sign_in(walk, stand, COMMUNE_OFFICERS[1], f"/dc01/forms/{form}/scan")
    walk.one("#pages").send_keys(str(sheet))
    assert walk.one(".previews img").is_displayed(), "the officer sees what was chosen"
    walk.one("form[data-upload] button").click()
    walk.until(lambda chrome: chrome.find_elements(By.CSS_SELECTOR, ".notice.done"))
    assert chrome.current_url.endswith("/dc01/forms?state=collected"), "sent with progress, and led on"
    sign_in(walk, stand, FORMS_LEADER)
    walk.write("unit", FORMS_COMMUNE)
    walk.press("form[action$='/dc01/batches'] button")
    sign_in(walk, stand, FORM_CLERKS[0], f"/dc01/forms/{form}/index")
    (batch,) = (
        str(each.get_attribute("value"))
        for each in Select(walk.one("#batch")).options
        if "(Số phiếu: 0)" in each.text
    )
    Select(walk.one("#batch")).select_by_value(batch)
    keep(walk, "index")
    walk.press("#reading button.primary")
    chrome.get(f"{walk.url}/dc01/forms/{form}/keying")
    key(walk, f"/dc01/forms/{form}/keying")
    sign_in(walk, stand, FORMS_LEADER, f"/dc01/batches/{batch}")
    walk.press("form[action$='/sample'] button")
    assert "Đang phúc tra mẫu" in walk.one("#verdict").text
    sign_in(walk, stand, FORM_CLERKS[0], "/dc01/second-keying")
    assert "Không còn phiếu nào chờ" in walk.one("h1").text, "who keyed it does not re-check it"
    chrome.get(f"{walk.url}/dc01/forms/{form}/pages/1")
    assert fault("SAME_OFFICER").vi.what in walk.one("main").text
    sign_in(walk, stand, FORM_CLERKS[1], "/dc01/second-keying")
    assert not [each for each in READ if walk.one(f"#{each}").get_attribute("value")], "keyed blindly"
    key(walk, f"/dc01/forms/{form}/second-keying")
    sign_in(walk, stand, FORMS_LEADER, f"/dc01/batches/{batch}")
    assert "Lô đạt" in walk.one("#verdict").text
    assert walk.one(".verdict-figure").is_displayed()
    keep(walk, "accepted")
    walk.press("form[action$='/matching'] button")
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [line for line in lines if "Content Security" in line["message"]]
