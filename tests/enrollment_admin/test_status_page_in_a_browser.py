"""The public page as a citizen sees it: on a telephone, enlarged, without a mouse, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import insert, update

from issuance_backend.schema import CREDENTIALS, DOSSIERS
from tests.support import page_walk
from tests.support.issuance_office import Office, citizens
from tests.support.office_pages import captured
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.served_app import serving
from tests.support.teller_page import browser
from verification.messages.receipt_code import receipt_code

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PERSON = citizens()[0]
UNIT = "001.02.00013"
RETURNED = '{"items":["portrait","fingerprints","place_of_residence"],"comment":"ảnh tối"}'
STANDS = [
    ("validated", "ordered"),
    ("returned", "ordered"),
    ("central_approved", "ordered"),
    ("central_approved", "dispatched"),
    ("central_approved", "at_office"),
    ("central_approved", "returned_to_centre"),
    ("central_approved", "revoked"),
    ("completed", "active"),
    ("rejected", "ordered"),
    ("withdrawn", "ordered"),
]
# Enlarged to 200 and 400 per cent, a window of 1280 pixels is one of 640 and of 320.
WINDOWS = {**WIDTHS, "twice": 640, "four_times": 320}


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as running:
        running.execute_cdp_cmd("Network.enable", {})
        yield running


@pytest.fixture
def walk(chrome: webdriver.Chrome, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    monkeypatch.setattr(page_walk, "WIDTHS", WINDOWS)
    chrome.delete_all_cookies()
    with serving(app) as url:
        yield Walk(chrome, url)


@pytest.fixture
def code(app: Flask, office: Office) -> str:
    dossier = captured(app)
    person = {"dossier": dossier, "citizen_number": PERSON.citizen_number, "since": "2026-11-21T03:00:00Z"}
    card = {"id": "c" * 16, "attempt": 1, "state": "ordered", "version": 1, "chip_id": "h" * 16, "unit": UNIT}
    with office.database.writing() as connection:
        connection.execute(
            insert(CREDENTIALS).values(**person, **card, issued_on=date(2026, 11, 21), findings="[]")
        )
        connection.execute(update(DOSSIERS).values(returned=RETURNED))
    shown = office.sign_in("lan.capture").get(f"/v1/dossiers/{dossier}").get_json()
    return str(shown["receipt_code"])


def prefer(walk: Walk, language: str) -> None:
    """What the browser tells that its owner reads."""
    walk.chrome.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_is_right_wide_narrow_and_enlarged(
    walk: Walk, office: Office, code: str, language: str
) -> None:
    prefer(walk, language)
    faults: list[str] = []
    for dossier, card in STANDS:
        with office.database.writing() as connection:
            connection.execute(update(DOSSIERS).values(state=dossier))
            connection.execute(update(CREDENTIALS).values(state=card))
        walk.open(f"/status?code={code}", "wide")
        for kind, width in WINDOWS.items():
            walk.size(width)
            faults += walk.faults(f"status-{dossier}-{card}-{language}-{kind}", language, kind)
        # A warning is a fault, but for the one that a written notice waits.
        warned = walk.chrome.find_elements(By.CSS_SELECTOR, ".notice.warn")
        assert bool(warned) == (dossier == "rejected")
    for path, kind in (("/status", "narrow"), (f"/status?code={receipt_code('nobody')}", "narrow")):
        walk.open(path, kind)
        faults += walk.faults(f"status-{'unknown' if '?' in path else 'empty'}-{language}", language, kind)
    assert not faults, "\n".join(faults)


def test_it_is_done_with_the_keyboard_alone(walk: Walk, code: str) -> None:
    prefer(walk, "vi")
    walk.open("/status", "wide")
    focused = "return document.activeElement.id || document.activeElement.className"
    page, passed = walk.one("body"), []
    while "code" not in passed:
        page.send_keys(Keys.TAB)
        passed.append(walk.chrome.execute_script(focused))
        assert len(passed) < 6, passed
    assert passed[0] == "skip"
    with walk.leaving():
        walk.chrome.switch_to.active_element.send_keys(code.lower().replace("-", " ") + Keys.ENTER)
    assert walk.one("h1").text == "Hồ sơ đang được kiểm tra"
    with walk.leaving():
        walk.one("button[name=language]").send_keys(Keys.ENTER)
    assert walk.one("h1").text == "Your application is being checked", (
        "the code is kept in the other language"
    )
