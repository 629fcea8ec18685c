"""Every page as its officer sees it: in a browser, in both languages, on a desk and on a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import select

from enrollment_admin.adjudication.routes import DECISIONS
from issuance_backend.biometric_search.tables import ADJUDICATION_DECISIONS as DECISIONS_MADE
from tests.support.busy_office import Visit, begin_comparing, begin_day
from tests.support.engines import Sqlite
from tests.support.issuance_office import Office, make_office
from tests.support.office_pages import pages_of
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.served_app import serving
from tests.support.teller_page import browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]


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
                found.walk.open(visit.path, "wide")
                for kind, width in WIDTHS.items():
                    found.walk.size(width)
                    faults += found.walk.faults(f"{visit.name}-{language}-{kind}", language, kind)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("kind", list(WIDTHS))
def test_a_plan_is_made_and_another_is_drawn_beside_it(day: Scene, kind: str) -> None:
    walk = day.walk
    walk.sign_in("son.supervisor", "vi")
    walk.open("/plans", kind)
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
    walk.open("/dossiers", "narrow")
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
