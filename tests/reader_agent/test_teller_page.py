"""The teller's page: its words, its safety headers, and a teller's day with it in a real browser."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from issuance_backend.virtual_card.tampering import clone
from reader_agent.api.status import CounterStatus
from reader_agent.session.state import FINAL, SessionState
from reader_agent.session.verdict import CounterOutcome
from reader_agent.ui.page import STEPS, counter_page
from reader_agent.ui.routes import PageSettings, page_blueprint
from reader_agent.ui.texts import LANGUAGES, texts
from tests.support.counter_bench import Bench, HttpGateway, genuine_card, make_bench, serving
from tests.support.teller_page import TellerPage, browser, counter_on_http, holder_card
from verification.messages.decision import ChipAssurance
from verification.messages.fault_catalogue import fault_catalogue

UI = Path("reader_agent/ui")
if not UI.is_dir():
    UI = Path(__file__).resolve().parents[2] / UI
SCRIPT = (UI / "static" / "counter.js").read_text(encoding="utf-8")
STYLE = (UI / "static" / "counter.css").read_text(encoding="utf-8")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(HttpGateway(), tmp_path)


def test_both_languages_have_the_same_texts_and_none_is_empty() -> None:
    vietnamese, english = texts("vi"), texts("en")
    assert vietnamese.keys() == english.keys()
    assert all(text.strip() for text in (*vietnamese.values(), *english.values()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_the_page_can_be_told_has_words(language: str) -> None:
    words = texts(language)
    at_work = [state for state in SessionState if state not in FINAL]
    wanted = {f"now_{state}" for state in at_work} | {f"step_{step}" for step in STEPS}
    wanted |= {f"chip_{level}" for level in ChipAssurance} | {str(outcome) for outcome in CounterOutcome}
    wanted |= set(re.findall(r'text\("(\w+)"\)', SCRIPT))
    faults = {f"fault_{code}" for code in fault_catalogue()}
    assert wanted <= words.keys() | faults


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_and_in_its_language(bench: Bench, language: str) -> None:
    page = bench.get(f"/?lang={language}")
    assert page.content_type == "text/html; charset=utf-8"
    assert f'<html lang="{language}">' in page.text
    assert not re.search(r"\$\w", page.text)
    shown = json.loads(page.text.partition('id="texts">')[2].partition("</script>")[0])
    assert shown["fault_CARD_REMOVED"]
    for identifier in re.findall(r'part\("([a-z-]+)"\)', SCRIPT):
        assert f'id="{identifier}"' in page.text


def test_nothing_from_elsewhere_and_nothing_inline(bench: Bench) -> None:
    page = bench.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    assert not re.search(r'\son\w+="|style="|<style', page.text)
    for name, kind in (
        ("counter.js", "text/javascript"),
        ("counter.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ):
        assert bench.get(f"/ui/{name}").content_type.startswith(kind)


def test_a_purposes_name_cannot_become_markup() -> None:
    app = Flask(__name__)
    app.register_blueprint(
        page_blueprint(PageSettings(('"><script>alert(1)</script>', "hospital.check_in"), "vi"))
    )
    shown = app.test_client().get("/").text
    assert "<script>alert" not in shown
    assert texts("vi")["hospital.check_in"] in shown


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("name", "ground"),
    [
        ("verified", "#ffffff"),
        ("refused", "#ffffff"),
        ("unavailable", "#ffffff"),
        ("incomplete", "#ffffff"),
        ("work", "#ffffff"),
        ("ink", "#eef1f4"),
        ("quiet", "#dfe5ea"),
        ("refused", "#eef1f4"),
    ],
)
def test_colours_have_contrast(name: str, ground: str) -> None:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", STYLE)
    assert found is not None
    dark, light = sorted((_luminance(found.group(1)), _luminance(ground)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def test_every_verdict_has_a_sign_and_a_pattern_of_its_own_beside_its_colour() -> None:
    page = (UI / "counter.html").read_text(encoding="utf-8")
    for outcome in CounterOutcome:
        assert f'id="i-{outcome}"' in page
    for outcome in set(CounterOutcome) - {CounterOutcome.VERIFIED}:
        rule = re.search(rf'\.band\[data-look="{outcome}"\] {{([^}}]*)}}', STYLE)
        assert rule is not None
        assert "border" in rule.group(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_the_page_names_and_nobody_wrote_is_an_error(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {name: text for name, text in texts(language).items() if name != "skip"}
    monkeypatch.setattr("reader_agent.ui.page.texts", lambda _language: words)
    with pytest.raises(KeyError, match="skip"):
        counter_page(language, ("bank.counter.identify",))


def test_a_text_cannot_end_the_script_it_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = "</script><!-- & \u2028"
    monkeypatch.setattr("reader_agent.ui.page.texts", lambda _language: {**texts("vi"), "skip": ending})
    script = counter_page("vi", ("bank.counter.identify",)).partition('id="texts">')[2]
    assert json.loads(script.partition("</script>")[0])["skip"] == ending


def test_the_page_reads_only_what_the_status_says() -> None:
    assert set(re.findall(r"\bnow\.(\w+)", SCRIPT)) - {"problem"} <= set(CounterStatus.__struct_fields__)


# -- in a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as running:
        yield running


@pytest.fixture
def counter(chrome: webdriver.Chrome, tmp_path: Path) -> Iterator[tuple[Bench, TellerPage]]:
    with serving(HttpGateway()) as gateway, counter_on_http(gateway, tmp_path) as (bench, url):
        page = TellerPage(chrome, url)
        page.open()
        yield bench, page
        assert not [
            line for line in chrome.get_log("browser") if "Content Security Policy" in line["message"]
        ]


CAN = genuine_card().can


@pytest.mark.browser
def test_a_teller_verifies_two_customers_with_the_keyboard_alone(counter: tuple[Bench, TellerPage]) -> None:
    _, page = counter
    for _ in range(2):
        field = page.chrome.switch_to.active_element
        field.send_keys(CAN, Keys.TAB, Keys.SPACE, Keys.TAB, Keys.ENTER)
        page.wait_for("verified")
        assert page.headline() == texts("vi")["verified"]
        assert "NGUYỄN THỊ THỬ NGHIỆM" in page.part("holder").text
        assert page.part("portrait").is_displayed()
        assert page.part("live").is_displayed()
        page.chrome.switch_to.active_element.send_keys(Keys.ENTER)
        page.wait_for("idle")
        assert not page.part("consent").is_selected()


@pytest.mark.browser
def test_a_forged_card_is_refused_with_reason_and_next_action(counter: tuple[Bench, TellerPage]) -> None:
    bench, page = counter
    bench.reader.image = clone(holder_card())
    page.enter(CAN)
    page.wait_for("refused")
    assert page.headline() == texts("vi")["refused"]
    assert page.part("what").text
    assert page.part("next").is_displayed()
    assert "CHIP_CLONED" in page.part("details").text


@pytest.mark.browser
def test_a_mistyped_entry_says_so_beside_the_field_and_keeps_it(counter: tuple[Bench, TellerPage]) -> None:
    bench, page = counter
    page.enter("12345")
    assert page.part("access-error").text == texts("vi")["access_error"]
    assert page.part("access").get_attribute("value") == "12345"
    assert page.part("access").get_attribute("aria-invalid") == "true"
    page.enter(CAN, consent=False)
    assert page.part("consent-error").text
    assert page.part("access").get_attribute("value") == CAN
    assert bench.agent.desk.latest is None


@pytest.mark.browser
def test_escape_cancels_and_the_next_customer_can_start(counter: tuple[Bench, TellerPage]) -> None:
    bench, page = counter
    card, bench.reader.image = bench.reader.image, None
    page.enter(CAN)
    page.wait_for("work", texts("vi")["now_waiting_for_card"])
    page.chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait_for("incomplete", texts("vi")["cancelled"])
    page.chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
    bench.reader.image = card
    page.enter(CAN)
    page.wait_for("verified")


@pytest.mark.browser
def test_a_reloaded_page_finds_its_visit_again(counter: tuple[Bench, TellerPage]) -> None:
    bench, page = counter
    reached, go_on = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if number == 12:
            reached.set()
            go_on.wait(10)

    bench.reader.on_command = hold
    page.enter(CAN)
    assert reached.wait(10)
    page.chrome.refresh()
    page.wait_for("work", texts("vi")["now_reading"])
    go_on.set()
    page.wait_for("verified")


@pytest.mark.browser
def test_the_teller_compares_by_eye_when_the_camera_fails(counter: tuple[Bench, TellerPage]) -> None:
    bench, page = counter
    bench.camera.broken = True
    page.enter(CAN)
    page.wait_for("work", texts("vi")["now_comparing_by_eye"])
    page.part("manual-yes").click()
    assert page.part("reason-error").text == texts("vi")["manual_error"]
    page.part("reason").send_keys("mắt và tai khớp")
    page.part("manual-yes").click()
    page.wait_for("verified")


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_fits_a_small_screen_and_can_be_hit(
    counter: tuple[Bench, TellerPage], language: str
) -> None:
    _, page = counter
    page.open(language)
    assert page.overflow() == [0, 0]
    page.enter(CAN)
    page.wait_for("verified")
    assert page.overflow() == [0, 0]
    assert page.part("again").size["height"] >= 44
