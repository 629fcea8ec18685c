"""The kit's pages as an officer far from any office sees them, in both languages, wide and narrow."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from enrollment_admin.station.kit import renew_profile
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.returns import Returns
from issuance_backend.dossiers.intake.centre_keys import load_keys, make_keys
from issuance_backend.qr_symbol import read_qr
from tests.support.cheap_prints import cheap_prints, cheap_slap
from tests.support.issuance_office import picture
from tests.support.kit_bench import (
    OFFICER,
    PASSPHRASE,
    STATUS_ADDRESS,
    declared,
    returned_capture,
    sealed_returns,
)
from tests.support.kit_pages_bench import (
    KitPages,
    begun,
    keep,
    keep_prints,
    kit_pages,
    seal,
    signature,
    typed,
)
from tests.support.page_walk import LANGUAGES, WIDTHS, Walk
from tests.support.served_app import serving
from tests.support.teller_page import browser
from verification.messages.asked_prints import FINGER_ITEMS, SLAP_ITEMS
from verification.messages.receipt_code import status_link

pytestmark = [pytest.mark.slow, pytest.mark.browser]

_LOADED = "return performance.getEntriesByType('resource').map(each => each.name)"

TO_DECEMBER = 10 * 24 * 3600
"""Seconds until slaps are asked."""

NEWCOMER = 10
"""Of whom no capture stands in the kit."""

_SIGNED = "return document.getElementById('signature').files.length"


@dataclass(frozen=True)
class Scene:
    """A browser before a kit."""

    walk: Walk
    pages: KitPages
    paths: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("kit")
    make_keys(folder / "keys", "2026-11")
    keys = load_keys(folder / "keys")
    pages = kit_pages(folder, keys)
    again = {
        "items": ("portrait", "place_of_residence"),
        "fields": ("place_of_residence",),
        "comment": "Ảnh bị loá; ghi rõ số nhà.",
    }
    came_back = [returned_capture(pages.kit, 20 + each, f"{each}{each}" * 32, **again) for each in (1, 2)]
    Returns(pages.kit).keep(sealed_returns(pages.kit, keys.receipts, *came_back))
    (pages.sticks / "USB-THON-3").mkdir()
    with serving(pages.app) as url, browser() as chrome:
        yield Scene(Walk(chrome, url), pages, captures_of_every_kind(pages))


def captures_of_every_kind(pages: KitPages) -> dict[str, str]:
    """The address of a page in each state of the work."""
    lan = pages.sign_in()
    stopped = begun(lan, 1, full_name="Nguyễn Văn Nhầm", sex="M" if declared(1).sex == "F" else "F")
    fresh, taken, printed, signed, sealed = (begun(lan, index) for index in range(5))
    handless = begun(lan, 6)
    elsewhere = begun(lan, 5)
    for draft in (taken, printed, signed, sealed):
        keep(lan, draft, "portrait", picture())
        keep_prints(lan, draft)
    keep(lan, handless, "portrait", picture())
    keep_prints(lan, handless, {item: cheap_prints()[item] for item in FINGER_ITEMS[:3]})
    worn = {"item": "finger_04", "code": "FINGER_WORN"}
    lan.post(f"{handless}/exceptions", worn, page=f"{handless}/fingerprints")
    for draft in (printed, signed, sealed):
        lan.post(f"{draft}/form", page=f"{draft}/form")
    for draft in (signed, sealed):
        keep(lan, draft, "signature", signature())
    seal(lan, sealed)
    return {
        "list": "/",
        "declaration": "/drafts/new",
        "stopped": f"{stopped}/declaration",
        "particulars": f"{fresh}/particulars",
        "elsewhere": f"{elsewhere}/particulars",
        "portrait": f"{fresh}/portrait",
        "fingers": f"{handless}/fingerprints",
        "hands": f"{taken}/fingerprints",
        "form": f"{taken}/form",
        "signature": f"{printed}/signature",
        "seal": f"{signed}/seal",
        "slip": f"{sealed}/slip",
        "outbox": "/outbox",
        "answer": f"/drafts/{pages.desk().answer('1' * 16).id}/particulars",
        "unknown": "/drafts/kit-007-999",
    }


@pytest.fixture
def december(pages: KitPages) -> Iterator[tuple[Walk, dict[str, str]]]:
    """Captures on the day from which slaps and photographs of hands are asked: begun, and taken."""
    pages.bench.pass_time(TO_DECEMBER)
    pages.kit.database.close()
    renew_profile(pages.bench.folder, slap_scanner=True)
    kit = pages.bench.open()
    pages = replace(pages, kit=kit, app=create_kit_app(kit, None, pages.sticks))
    lan = pages.sign_in()
    missing, taken = begun(lan, 1), begun(lan, 2)
    for draft in (missing, taken):
        keep(lan, draft, "portrait", picture())
        keep_prints(lan, draft, {item: cheap_prints()[item] for item in FINGER_ITEMS if item != "finger_04"})
        gone = {"item": "finger_04", "code": "FINGER_MISSING"}
        lan.post(f"{draft}/exceptions", gone, page=f"{draft}/fingerprints")
    keep_prints(lan, missing, {"finger_13": cheap_slap(13, 3), "finger_14": cheap_slap(14)})
    slaps = {item: cheap_slap(int(item[-2:]), 4) for item in SLAP_ITEMS}
    photo = {"hand_photo_right": (io.BytesIO(picture(3)), "hand.jpg")}
    keep_prints(lan, taken, slaps)
    lan.post(f"{taken}/fingerprints", photo, page=f"{taken}/fingerprints")
    paths = {"slaps": f"{missing}/fingerprints", "slaps-taken": f"{taken}/fingerprints"}
    with serving(pages.app) as url, browser() as chrome:
        yield Walk(chrome, url), paths


def test_slaps_and_a_hand_are_right_wide_and_narrow(december: tuple[Walk, dict[str, str]]) -> None:
    (walk, paths), faults = december, []
    for language in LANGUAGES:
        walk.sign_in(OFFICER, language, PASSPHRASE, "passphrase")
        for name, path in paths.items():
            for kind in WIDTHS:
                walk.open(path, kind)
                faults += walk.faults(f"kit-{name}-{language}-{kind}", language, kind)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_right_wide_and_narrow(scene: Scene, language: str) -> None:
    walk = scene.walk
    walk.open("/login", "wide")
    faults = []
    for kind, width in WIDTHS.items():
        walk.size(width)
        faults += walk.faults(f"kit-sign-in-vi-{kind}", walk.one("html").get_attribute("lang") or "", kind)
    walk.sign_in(OFFICER, language, PASSPHRASE, "passphrase")
    for name, path in scene.paths.items():
        walk.open(path, "wide")
        loaded = walk.chrome.execute_script(_LOADED)
        faults += [f"{name}: from elsewhere: {each}" for each in loaded if not each.startswith(walk.url)]
        for kind, width in WIDTHS.items():
            walk.size(width)
            faults += walk.faults(f"kit-{name}-{language}-{kind}", language, kind)
    assert not faults, "\n".join(faults)


def test_a_citizen_is_captured_with_keyboard_and_pen(scene: Scene, tmp_path: Path) -> None:
    walk = scene.walk
    walk.size(WIDTHS["wide"])
    walk.sign_in(OFFICER, "vi", PASSPHRASE, "passphrase")
    walk.open("/drafts/new", "wide")
    for name, value in typed(declared(NEWCOMER)).items():
        if name != "sex":
            walk.write(name, value)
    walk.one(f"[name=sex][value={declared(NEWCOMER).sex}]").send_keys(Keys.SPACE)
    walk.press("main form .primary")
    portrait = tmp_path / "portrait.jpg"
    portrait.write_bytes(picture())
    walk.one("#portrait").send_keys(str(portrait))
    walk.press("main form .primary.big")
    scanner = tmp_path / "scanner"
    scanner.mkdir()
    for item, content in cheap_prints().items():
        (scanner / f"{item}.png").write_bytes(content)
    walk.one("#fingerprints").send_keys("\n".join(str(each) for each in sorted(scanner.iterdir())))
    walk.keep("kit-prints-chosen", WIDTHS["wide"])
    walk.press("main form .primary.big")
    address = walk.chrome.current_url
    walk.one("main form .primary.big").send_keys(Keys.ENTER)
    walk.until(lambda chrome: len(chrome.window_handles) == 2)
    desk, paper = walk.chrome.window_handles
    walk.chrome.switch_to.window(paper)
    walk.until(lambda chrome: chrome.execute_script("return document.contentType") == "application/pdf")
    walk.keep("kit-printed-form", 800)
    walk.chrome.close()
    walk.chrome.switch_to.window(desk)
    walk.press("main a.button[href]:not([href='/'])")
    assert walk.chrome.current_url == address.replace("/form", "/signature")
    pen = ActionChains(walk.chrome).move_to_element_with_offset(walk.one("#pad"), -120, 20).click_and_hold()
    pen.move_by_offset(60, -50).move_by_offset(60, 60).move_by_offset(70, -40).release().perform()
    walk.until(lambda chrome: chrome.execute_script(_SIGNED))
    walk.keep("kit-signed-on-the-pad", WIDTHS["wide"])
    walk.press("main form .primary.big")
    for name, value in (("fee_reason", "first"), ("old_card", "none")):
        walk.one(f"[name={name}][value={value}]").send_keys(Keys.SPACE)
    walk.one("#agreed").send_keys(Keys.SPACE)
    walk.write("passphrase", PASSPHRASE)
    walk.press("main form .primary.big")
    walk.size(WIDTHS["wide"], 1400)
    code = walk.one(".slip-code").text
    symbol = Image.open(io.BytesIO(walk.one(".slip-symbol").screenshot_as_png))
    assert read_qr(symbol) == status_link(STATUS_ADDRESS, code)
    assert walk.chrome.current_url == address.replace("/form", "/slip")
