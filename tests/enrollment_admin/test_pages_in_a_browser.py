"""Every page as its officer sees it: in a browser, in both languages, on a desk and on a telephone.

With ``KEEP_PICTURES=FOLDER`` every page is kept as it was, for looking at.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from sqlalchemy import select
from werkzeug.serving import make_server

from enrollment_admin.adjudication.routes import DECISIONS
from issuance_backend.biometric_search.tables import ADJUDICATION_DECISIONS as DECISIONS_MADE
from tests.support.busy_office import Visit, begin_comparing, begin_day
from tests.support.engines import Sqlite
from tests.support.issuance_office import PASSWORD, Office, make_office
from tests.support.office_pages import pages_of
from tests.support.teller_page import browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WIDTHS = {"wide": 1280, "narrow": 390}
LANGUAGES = ("vi", "en")

_FAULTS = """
const seen = element => element.checkVisibility() && element.getBoundingClientRect().width > 1;
const page = document.documentElement;
const faults = [];
const width = arguments[0];
if (page.scrollWidth > width) faults.push(`wider than the window by ${page.scrollWidth - width}`);
const fields = "select, input:not([type=hidden]), textarea";
for (const each of document.querySelectorAll(`button, .button, nav a, summary, ${fields}`)) {
  if (!seen(each)) continue;
  const target = each.matches("[type=checkbox], [type=radio]") ? each.closest("label") : each;
  if (target.getBoundingClientRect().height < 43.5) faults.push(`low: ${target.outerHTML.slice(0, 120)}`);
}
for (const each of document.querySelectorAll(fields))
  if (!each.labels.length) faults.push(`without a label: ${each.outerHTML.slice(0, 120)}`);
for (const each of document.querySelectorAll("main :is(p, h1, h2, dd, th, td, label, .tag)")) {
  const box = each.getBoundingClientRect();
  if (seen(each) && !each.closest(".scroll, .flush") && box.right > width + 1)
    faults.push(`cut off: ${each.textContent.trim().slice(0, 60)}`);
}
const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([red, green, blue]) => [red, green, blue].map(part => part / 255)
  .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
const ground = element => {
  for (let each = element; each; each = each.parentElement) {
    const colour = rgb(getComputedStyle(each).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
for (const each of document.querySelectorAll("body *")) {
  const words = [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  if (!words || !seen(each) || each.closest("option, [disabled]")) continue;
  const [low, high] = [light(rgb(getComputedStyle(each).color)), light(ground(each))].sort((a, b) => a - b);
  if ((high + 0.05) / (low + 0.05) < 4.5) faults.push(`pale: ${each.textContent.trim().slice(0, 60)}`);
}
if (document.querySelectorAll("h1").length !== 1) faults.push("not one heading");
const ids = [...document.querySelectorAll("[id]")].map(each => each.id);
for (const id of new Set(ids)) if (ids.filter(each => each === id).length > 1) faults.push(`twice: #${id}`);
return faults;
"""


class Walk:
    """One browser among the pages."""

    def __init__(self, chrome: webdriver.Chrome, url: str) -> None:
        self.chrome = chrome
        self.url = url

    def sign_in(self, officer: str, language: str) -> None:
        self.chrome.delete_all_cookies()
        self.chrome.get(f"{self.url}/login")
        if self.chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") != language:
            self.press("button[name=language]")
        self.chrome.find_element(By.ID, "officer").send_keys(officer)
        self.chrome.find_element(By.ID, "password").send_keys(PASSWORD + Keys.ENTER)
        self.until(lambda chrome: chrome.find_elements(By.CSS_SELECTOR, ".officer"))

    def size(self, width: int, height: int = 800) -> None:
        # Chromium's own telephone zooms out of a page that is too wide, and then finds that it fits.
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def until(self, holds: Any) -> Any:
        return WebDriverWait(self.chrome, 20, poll_frequency=0.05).until(holds)

    def keep(self, name: str, width: int) -> None:
        folder = os.environ.get("KEEP_PICTURES")
        if not folder:
            return
        height = int(self.chrome.execute_script("return document.documentElement.scrollHeight"))
        self.size(width, min(height, 6000))
        self.chrome.save_screenshot(str(Path(folder) / f"{name}.png"))
        self.size(width)

    def open(self, visit: Visit, kind: str) -> None:
        self.size(WIDTHS[kind])
        self.chrome.get(self.url + visit.path)

    def one(self, selector: str) -> WebElement:
        found: WebElement = self.chrome.find_element(By.CSS_SELECTOR, selector)
        return found

    def write(self, name: str, typed: str) -> None:
        field = self.one(f"#{name}")
        field.clear()
        field.send_keys(typed)

    def press(self, selector: str) -> None:
        """Press it, and wait until another page has taken the place of this one."""
        with self.leaving():
            self.one(selector).send_keys(Keys.ENTER)

    @contextmanager
    def leaving(self) -> Iterator[None]:
        """Wait until another page has taken the place of this one."""
        self.chrome.execute_script("window.isLeft = true")
        yield
        arrived = "return !window.isLeft && document.readyState === 'complete'"
        self.until(lambda chrome: chrome.execute_script(arrived))

    def faults(self, name: str, language: str, kind: str) -> list[str]:
        """What is wrong with the page that is open."""
        self.keep(name, WIDTHS[kind])
        found = [str(each) for each in self.chrome.execute_script(_FAULTS, WIDTHS[kind])]
        if self.chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") != language:
            found.append("another language")
        # A page that does not exist is told to the console as well.
        found += [
            each["message"] for each in self.chrome.get_log("browser") if "status of 4" not in each["message"]
        ]
        return [f"{name}: {each}" for each in found]


@dataclass(frozen=True)
class Scene:
    """A browser among the pages of an office, and the pages to look at."""

    walk: Walk
    office: Office
    visits: list[Visit]


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as running:
        yield running


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The pages on a port of their own; their address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def comparing(
    chrome: webdriver.Chrome, office_pki: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("comparing")
    office = make_office(folder, office_pki, Sqlite(folder), with_search=True)
    with pages_of(office, folder) as app:
        visits = begin_comparing(app, office)
        with serving(app) as url:
            yield Scene(Walk(chrome, url), office, visits)


@pytest.fixture(scope="module")
def day(
    chrome: webdriver.Chrome, office_pki: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("day")
    office = make_office(folder, office_pki, Sqlite(folder))
    with pages_of(office, folder) as app:
        visits = begin_day(app, office)
        with serving(app) as url:
            yield Scene(Walk(chrome, url), office, visits)


def test_keys_decide_and_enter_sends(chrome: webdriver.Chrome, comparing: Scene) -> None:
    walk = comparing.walk
    walk.size(WIDTHS["wide"])
    walk.sign_in("e.mot", "vi")
    chrome.get(f"{walk.url}/adjudication")
    pictures = chrome.find_elements(By.CSS_SELECTOR, ".pair img")
    assert chrome.execute_script("return scrollY") == 0, "the faces are not pushed out by the focus"
    assert all(each.rect["y"] > 0 and each.rect["height"] >= 240 for each in pictures)
    assert walk.one(".choices").rect["y"] + walk.one(".choices").rect["height"] < 800, "seen beside the faces"
    page = chrome.find_element(By.TAG_NAME, "body")
    chosen = "return [...document.querySelectorAll('input[name=decision]:checked')].map(each => each.value)"
    for key, finding in zip("12341", [*DECISIONS, DECISIONS[0]], strict=True):
        page.send_keys(key)
        assert chrome.execute_script(chosen) == [finding]
    page.send_keys("9")
    assert chrome.execute_script(chosen) == [DECISIONS[0]], "a key that is none changes nothing"
    comment = chrome.find_element(By.ID, "comment")
    comment.send_keys("4 nốt ruồi")
    assert chrome.execute_script(chosen) == [DECISIONS[0]], "in a sentence a digit is a digit"
    assert comment.get_attribute("value") == "4 nốt ruồi"
    with walk.leaving():
        walk.one("input[name=decision]:checked").send_keys(Keys.NUMPAD2, Keys.ENTER)
    assert chrome.find_elements(By.CSS_SELECTOR, ".notice.done")
    with comparing.office.database.reading() as connection:
        found = connection.execute(select(DECISIONS_MADE.c.finding, DECISIONS_MADE.c.comment)).all()
    assert (DECISIONS[1], "4 nốt ruồi") in [tuple(each) for each in found], "the number pad decides as well"


@pytest.mark.parametrize("scene", ["day", "comparing"])
def test_every_page_is_right_in_both_languages_wide_and_narrow(
    scene: str, request: pytest.FixtureRequest
) -> None:
    found: Scene = request.getfixturevalue(scene)
    faults: list[str] = []
    for officer in sorted({visit.officer for visit in found.visits}):
        for language in LANGUAGES:
            found.walk.sign_in(officer, language)
            for visit in (each for each in found.visits if each.officer == officer):
                found.walk.open(visit, "wide")
                for kind, width in WIDTHS.items():
                    found.walk.size(width)
                    faults += found.walk.faults(f"{visit.name}-{language}-{kind}", language, kind)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("kind", list(WIDTHS))
def test_a_plan_is_made_and_another_is_drawn_beside_it(day: Scene, kind: str) -> None:
    walk = day.walk
    walk.sign_in("son.supervisor", "vi")
    walk.open(Visit("plan", "son.supervisor", "/plans"), kind)
    for name, typed in {
        "target-0": "90000",
        "officers-0": "30",
        "stations-0": "12",
        "officers-1": "2",
        "stations-1": "1",
        "officer_minutes": "38",
    }.items():
        walk.write(name, typed)
    walk.press("form .primary.big")
    assert "Còn thiếu" in walk.one("#verdict").text
    walk.write("officers-0", "60")
    walk.write("stations-0", "30")
    walk.press("form .primary.big")
    assert walk.one(".line-former")
    drawing = walk.one("svg.drawing").rect
    assert drawing["width"] > WIDTHS[kind] / 2
    assert not walk.faults(f"plan-made-vi-{kind}", "vi", kind)


def test_what_a_page_may_not_be_is_found(day: Scene) -> None:
    walk = day.walk
    walk.sign_in("lan.capture", "vi")
    walk.open(Visit("list", "lan.capture", "/dossiers"), "narrow")
    broken = """
        const main = document.querySelector("main");
        const more = "<h1>x</h1><p id='main'>x</p><input><button class='thin'>x</button>";
        main.insertAdjacentHTML("beforeend", more);
        const wide = document.createElement("p");
        wide.textContent = "wide";
        main.append(wide);
        wide.attributeStyleMap.set("width", CSS.px(900));
        const pale = document.createElement("p");
        pale.textContent = "pale";
        pale.attributeStyleMap.set("color", "rgb(200, 200, 200)");
        main.append(pale);
        for (const kept of ["min-height", "padding-top", "padding-bottom"])
          document.querySelector(".thin").attributeStyleMap.set(kept, CSS.px(0));
    """
    walk.chrome.execute_script(broken)
    found = " ".join(walk.faults("broken", "vi", "narrow"))
    for fault in ("wider than", "without a label", "not one heading", "twice: #main", "low:", "pale"):
        assert fault in found, found
