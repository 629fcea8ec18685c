"""An approver makes a key in a real browser, has it registered, looks at a list and signs it there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from selenium.webdriver.common.by import By

from issuance_backend.officers.certificates import Level
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.certified import certify
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.office_pages import WORK, captured, sign_in, text
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.served_app import serving
from tests.support.teller_page import browser
from verification.messages.signing_key import public_key_of, thumbprint

pytestmark = [pytest.mark.slow, pytest.mark.browser]

VU, KEY_PAGE = "vu.approve", "/approval-lists/key"
SIGN = "#own-key [data-when=ready] button"
CANNOT_BE_READ = """
const done = arguments[1], opened = indexedDB.open("approver-keys", 1);
opened.onsuccess = () => {
  const asked = opened.result.transaction("keys").objectStore("keys").get(arguments[0]);
  asked.onsuccess = () => crypto.subtle.exportKey("pkcs8", asked.result.privateKey)
    .then(() => done("exported"), (fault) => done(fault.name));
};
"""


@pytest.fixture
def walk(app: Flask) -> Iterator[Walk]:
    with browser() as chrome, serving(app) as url:
        yield Walk(chrome, url)


@pytest.fixture
def dossiers(app: Flask, office: Office) -> list[str]:
    OfficerDoor(office.database, lambda: NOW).enrol(VU, "Vũ", (Role.APPROVER,), PASSWORD)
    certify(office.database, VU, level=Level.APPROVAL)
    return [captured(app, number=person.citizen_number) for person in citizens()[:3]]


def choose(walk: Walk, *dossiers: str) -> str:
    """Tick dossiers of the work list and go on; what the page says of the browser's key."""
    walk.open(WORK, "wide")
    for dossier in dossiers:
        walk.one(f"input[value='{dossier}']").click()
    walk.press("form[action='/approval-lists'] button.primary")
    return state(walk)


def state(walk: Walk) -> str:
    found = "#own-key [data-when]:not([hidden])"
    walk.until(lambda chrome: chrome.find_elements(By.CSS_SELECTOR, found))
    return str(walk.one(found).get_attribute("data-when"))


def made_key(walk: Walk) -> dict[str, str]:
    """The key that the officer who is signed in makes on their page, as they would hand it over."""
    walk.open(KEY_PAGE, "wide")
    assert state(walk) == "none"
    walk.one("[data-when=none] button").click()
    walk.until(lambda _chrome: state(walk) == "ready")
    jwk: dict[str, str] = json.loads(walk.one("#jwk").get_attribute("value") or "")
    assert walk.one("[data-thumbprint]").text == thumbprint(public_key_of(jwk))
    return jwk


def register(walk: Walk, jwk: dict[str, str]) -> None:
    walk.sign_in("son.supervisor", "vi")
    walk.open("/packet-signers", "wide")
    walk.write("register_signer-owner", VU)
    walk.write("register_signer-jwk", json.dumps(jwk))
    walk.press("form[action='/packet-signers'] button.primary")


def test_from_the_making_of_a_key_to_the_list_that_it_signed(
    walk: Walk, office: Office, dossiers: list[str]
) -> None:
    walk.sign_in(VU, "vi")
    assert choose(walk, *dossiers[:2]) == "none", "who has no key is told to make one"
    assert not walk.one(SIGN).is_displayed()
    jwk = made_key(walk)
    assert walk.chrome.execute_async_script(CANNOT_BE_READ, VU) == "InvalidAccessError"
    walk.open(KEY_PAGE, "wide")
    assert state(walk) == "ready", "the browser keeps it"
    assert choose(walk, *dossiers[:2]) == "unregistered"
    register(walk, jwk)
    walk.sign_in(VU, "vi")
    assert choose(walk, *dossiers[:2]) == "ready"
    facts = [each.text for each in walk.chrome.find_elements(By.CSS_SELECTOR, ".facts dd.number")]
    assert facts[:3] == ["2", "1", "0"], "dossiers, who captured them, how many were checked"
    assert len(walk.chrome.find_elements(By.CSS_SELECTOR, "tbody tr")) == 2
    walk.press(SIGN)
    assert walk.chrome.find_elements(By.CSS_SELECTOR, ".notice.done")
    walk.press("tbody a")
    assert "Danh sách đúng như khi cán bộ duyệt và cơ quan ký" in walk.one(".verdict").text
    assert thumbprint(public_key_of(jwk)) in walk.one("main").text
    (listed,) = office.sign_in("thu.central").get("/v1/approval-lists").get_json()
    assert (listed["approver"], listed["count"]) == (VU, 2)
    with browser() as other:
        elsewhere = Walk(other, walk.url)
        elsewhere.sign_in(VU, "vi")
        assert choose(elsewhere, dossiers[2]) == "elsewhere", "another browser has not the key"
        assert not elsewhere.one(SIGN).is_displayed()
    walk.sign_in("minh.approve", "vi")
    assert choose(walk, dossiers[2]) == "elsewhere", "another officer in this browser has it neither"


def test_a_list_that_was_altered_in_the_browser_is_refused(walk: Walk, dossiers: list[str]) -> None:
    walk.sign_in(VU, "vi")
    register(walk, made_key(walk))
    walk.sign_in(VU, "vi")
    assert choose(walk, dossiers[0]) == "ready"
    shorter = (
        "const field = document.querySelector('[name=preparation]'); field.value = field.value.slice(0, -1)"
    )
    walk.chrome.execute_script(shorter)
    walk.press(SIGN)
    assert "không đúng danh sách đã chuẩn bị" in walk.one(".notice.fault").text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(WIDTHS))
def test_the_pages_are_right_in_every_state(
    walk: Walk, dossiers: list[str], language: str, kind: str
) -> None:
    walk.sign_in(VU, language)
    faults: list[str] = []
    jwk: dict[str, str] = {}
    for step in ("none", "key-none", "key", "unregistered", "ready", "signed"):
        if step in {"none", "unregistered"}:
            choose(walk, *dossiers)
        elif step == "key-none":
            walk.open(KEY_PAGE, kind)
        elif step == "key":
            jwk = made_key(walk)
        elif step == "ready":
            register(walk, jwk)
            walk.sign_in(VU, language)
            assert choose(walk, *dossiers) == "ready"
        else:
            walk.press(SIGN)
            faults += walk.faults(f"approver-lists-{language}-{kind}", language, kind)
            walk.press("tbody a")
        walk.size(WIDTHS[kind])
        faults += walk.faults(f"approver-{step}-{language}-{kind}", language, kind)
    assert not faults, "\n".join(faults)


def test_a_browser_that_makes_no_keys_is_told_so(walk: Walk, dossiers: list[str]) -> None:
    walk.sign_in(VU, "en")
    no_crypto = "Object.defineProperty(window, 'indexedDB', { value: undefined })"
    walk.chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": no_crypto})
    assert choose(walk, dossiers[0]) == "unavailable"
    assert not walk.one(SIGN).is_displayed()


def test_whoever_approves_nothing_has_no_key_page(app: Flask) -> None:
    assert sign_in(app, "lan.capture").get(KEY_PAGE).status_code == 403
    assert "own-key" in text(sign_in(app, "minh.approve").get(KEY_PAGE))
