"""In a real browser over the real programs: a dossier becomes a card, and a teller taps it.

With ``KEEP_PICTURES=FOLDER`` the teller's page is kept as it was, for looking at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from issuance_backend.virtual_card.tampering import clone, flip_dg13
from monitoring.issuing import SIGNED
from monitoring.staff import APPROVING_OFFICER, CAPTURE_OFFICER, CENTRAL_OFFICERS, OFFICE_CLERK, SUPERVISOR
from monitoring.stand.drawn_people import portrait
from monitoring.stand.scene import Kind, Pose
from reader_agent.ui.texts import texts
from tests.support.laid_card import WatchedCard
from tests.support.running_stand import HOLDER, PAGE_CUSTOMER, RunningStand
from tests.support.teller_page import TellerPage, browser
from verification.messages.fault_catalogue import fault_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.needs_models]

PAGE_SECONDS = 20
CONFIRMATION = "form[action$='/confirm-holder']"


@pytest.fixture(scope="module")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as running:
        yield running


class EnrolmentPages:
    """What an officer does with mouse and keyboard."""

    def __init__(self, chrome: webdriver.Chrome, stand: RunningStand) -> None:
        self._chrome = chrome
        self._stand = stand
        self._url = stand.addresses.url("admin")

    def sign_in(self, officer: str) -> None:
        self._chrome.delete_all_cookies()
        self._chrome.get(f"{self._url}/login")
        self.field("officer").send_keys(officer)
        self.field("password").send_keys(self._stand.password(officer))
        self.press("form .primary")

    def begin(self, number: str, picture: Path) -> str:
        """A capture of which the form was checked; its address."""
        self._chrome.get(f"{self._url}/dossiers/new")
        self.field("citizen_number").send_keys(number)
        self.press("form .primary")
        self.field("portrait").send_keys(str(picture))
        assert self.one("#preview").is_displayed(), "the officer sees the chosen picture"
        self.one("input[name=fee_reason][value=first]").click()
        self.one("input[name=old_card][value=none]").click()
        self.press("#send")
        begun = str(self._chrome.current_url)
        self.press("a[href$='/prints']")
        self.press("form[action$='/reasons'] button[value=NO_SCANNER]")
        self.open(begun)
        self.press("form[action$='/form'] button")
        return begun

    def seal(self, address: str, signature: Path) -> str:
        """What was answered for, signed and sealed; the dossier's address."""
        self._chrome.get(address)
        self.field("signature").send_keys(str(signature))
        self.press("form[action$='/agreement'] button.primary")
        self.press("form[action$='/seal'] button")
        return str(self._chrome.current_url)

    def have_own_key(self, officer: str) -> None:
        """An officer makes a signing key in this browser, and a supervisor registers it."""
        self.sign_in(officer)
        self.open(f"{self._url}/approval-lists/key")
        WebDriverWait(self._chrome, PAGE_SECONDS).until(lambda _: self.one("[data-make]").is_displayed())
        self.one("[data-make]").click()
        WebDriverWait(self._chrome, PAGE_SECONDS).until(lambda _: self.field("jwk").is_displayed())
        key = str(self.field("jwk").get_attribute("value"))
        self.sign_in(SUPERVISOR)
        self.open(f"{self._url}/packet-signers")
        self.field("register_signer-owner").send_keys(officer)
        self.field("register_signer-jwk").send_keys(key)
        self.press("form[action='/packet-signers'] button")

    def sign(self) -> None:
        """Sign the list that is shown."""
        button = self.one("#own-key [data-when=ready] button")
        WebDriverWait(self._chrome, PAGE_SECONDS).until(lambda _: button.is_displayed())
        self.press("#own-key [data-when=ready] button")

    def open(self, address: str) -> None:
        self._chrome.get(address)

    def says(self) -> str:
        return self.one("#verdict").text

    def actions(self) -> list[WebElement]:
        found: list[WebElement] = self._chrome.find_elements(By.CSS_SELECTOR, ".actions form button")
        return found

    def field(self, name: str) -> WebElement:
        return self.one(f"#{name}")

    def one(self, selector: str) -> WebElement:
        waiting = WebDriverWait(self._chrome, PAGE_SECONDS, poll_frequency=0.05)
        found: WebElement = waiting.until(lambda chrome: chrome.find_element(By.CSS_SELECTOR, selector))
        return found

    def press(self, selector: str) -> None:
        """Press it, and wait until another page has taken the place of this one."""
        before = self.one("html")
        self.one(selector).click()
        waiting = WebDriverWait(self._chrome, PAGE_SECONDS, poll_frequency=0.05)
        waiting.until(lambda _chrome: _is_gone(before))


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except (StaleElementReferenceException, NoSuchElementException):
        return True
    except WebDriverException:
        return False  # between two pages the driver has other words; it is asked again
    return False


@pytest.fixture(scope="module")
def card(chrome: webdriver.Chrome, stand: RunningStand, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A dossier that one officer captured and two approved, and its card handed over; the card's id."""
    person = stand.people[PAGE_CUSTOMER]
    picture = tmp_path_factory.mktemp("picture") / "portrait.jpg"
    picture.write_bytes(portrait(int(person["portrait_seed"])))
    pages = EnrolmentPages(chrome, stand)
    pages.sign_in(CAPTURE_OFFICER)
    begun = pages.begin(str(person["citizen_number"]), picture)
    pages.sign_in(SUPERVISOR)
    pages.open(begun)
    pages.press("form[action$='/answer'] button")
    pages.sign_in(CAPTURE_OFFICER)
    signature = picture.with_name("signature.png")
    signature.write_bytes(SIGNED)
    dossier = pages.seal(begun, signature)
    assert str(person["full_name"]) in pages.one("h1").text
    assert not pages.actions(), "who captured it cannot approve it"
    name = dossier.rsplit("/", 1)[1]
    pages.have_own_key(APPROVING_OFFICER)
    for officer in (APPROVING_OFFICER, CENTRAL_OFFICERS[0]):
        pages.sign_in(officer)
        pages.open(dossier)
        pages.press(".actions form button")
        if officer == APPROVING_OFFICER:
            pages.sign()
        assert stand.office.searched(name) == "clear"
    made = stand.made(name)
    stand.office.deliver([made])
    pages.sign_in(SUPERVISOR)
    pages.open(dossier)
    pages.one(f"{CONFIRMATION} input[value=chip_unreadable]").click()
    pages.press(f"{CONFIRMATION} button")
    pages.sign_in(OFFICE_CLERK)
    pages.open(dossier)
    assert pages.one(".checks").find_elements(By.CSS_SELECTOR, "li.good")
    assert not pages.one(".checks").find_elements(By.CSS_SELECTOR, "li.bad")
    pages.press(".actions form button")
    assert pages.one(".verdict-active")
    return made


@pytest.fixture
def page(chrome: webdriver.Chrome, stand: RunningStand) -> Iterator[TellerPage]:
    stand.counter.wait_for_card(present=False)
    page = TellerPage(chrome, stand.counter.url + "/")
    yield page
    stand.wallet.remove()
    # A page remembers its visit until the teller goes on to the next customer.
    page.part("again").click()
    page.wait_for("idle")
    assert not [line for line in console(chrome) if "Content Security" in line["message"]]


def console(chrome: webdriver.Chrome) -> list[dict[str, str]]:
    lines: list[dict[str, str]] = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    return lines


def turn_as_the_page_asks(stand: RunningStand, page: TellerPage, language: str) -> list[str]:
    """The person reads the page: the directions that it asked for, in order."""
    words = texts(language)
    asked: list[str] = []

    def is_over(_chrome: webdriver.Chrome) -> bool:
        headline = page.headline()
        for side in (Pose.LEFT, Pose.RIGHT):
            if headline == words[f"turn_{side}"] and asked[-1:] != [side]:
                asked.append(str(side))
                stand.scene.turn(side)
        if asked and headline == words["now_turning_head"]:
            stand.scene.turn(Pose.FRONTAL)
        return page.look() not in {"work", "idle"}

    WebDriverWait(page.chrome, PAGE_SECONDS, poll_frequency=0.02).until(is_over)
    return asked


def keep(chrome: webdriver.Chrome, name: str) -> None:
    if "KEEP_PICTURES" in os.environ:
        chrome.save_screenshot(str(Path(os.environ["KEEP_PICTURES"]) / f"{name}.png"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_card_that_three_officers_stand_for_is_tapped_and_its_holder_verified(
    stand: RunningStand, page: TellerPage, card: str, language: str
) -> None:
    person, words = stand.people[PAGE_CUSTOMER], texts(language)
    stand.stands(PAGE_CUSTOMER)
    page.open(language)
    page.enter(str(person["citizen_number"]))
    page.wait_for("work", words["now_waiting_for_card"])
    stand.wallet.insert(card)
    asked = turn_as_the_page_asks(stand, page, language)
    page.wait_for("verified", words["verified"])
    assert {"left", "right"} <= set(asked)
    assert str(person["full_name"]) in page.part("holder").text
    assert words["chip_chip-live-gateway"] in page.part("details").text
    assert page.part("portrait").is_displayed()
    assert page.part("live").is_displayed()
    assert page.chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    keep(page.chrome, f"verified-{language}")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("tamper", ["cloned_chip", "flipped_dg13"])
def test_a_forged_card_is_refused_on_the_page_in_words(
    stand: RunningStand, page: TellerPage, card: str, language: str, tamper: str
) -> None:
    code = {"cloned_chip": "CHIP_CLONED", "flipped_dg13": "CHIP_DATA_ALTERED"}[tamper]
    stand.stands(PAGE_CUSTOMER)
    stand.wallet.insert(card, tamper)
    page.open(language)
    page.enter(str(stand.people[PAGE_CUSTOMER]["citizen_number"]))
    page.wait_for("refused", texts(language)["refused"])
    text = fault_catalogue()[code].text(language)
    assert page.part("what").text == text.what
    assert page.part("next-text").text == text.next
    assert code in page.part("details").text
    assert not page.part("holder").text, "a forged card names nobody"
    assert not page.part("portrait").is_displayed()
    keep(page.chrome, f"{tamper}-{language}")


@pytest.mark.parametrize(
    ("person", "kind", "code"),
    [(HOLDER, Kind.LIVING, "FACE_NOT_MATCHED"), (PAGE_CUSTOMER, Kind.PHOTOGRAPH, "FACE_TURN_NOT_SHOWN")],
)
def test_somebody_else_or_a_photograph_is_refused_on_the_page(
    stand: RunningStand, page: TellerPage, card: str, person: int, kind: Kind, code: str
) -> None:
    stand.stands(person, kind)
    stand.wallet.insert(card)
    page.open()
    page.enter(str(stand.people[PAGE_CUSTOMER]["citizen_number"]))
    turn_as_the_page_asks(stand, page, "vi")
    page.wait_for("refused", texts("vi")["refused"])
    assert page.part("what").text == fault_catalogue()[code].vi.what
    assert not page.part("holder").text


def test_a_wrong_number_is_said_and_the_next_try_on_the_same_page_works(
    stand: RunningStand, page: TellerPage, card: str
) -> None:
    stand.stands(PAGE_CUSTOMER)
    stand.wallet.insert(card)
    page.open()
    page.enter("000000")
    page.wait_for("incomplete")
    assert page.part("what").text == fault_catalogue()["ACCESS_SECRET_WRONG"].vi.what
    page.part("again").click()
    page.wait_for("idle")
    page.enter(str(stand.people[PAGE_CUSTOMER]["citizen_number"]))
    turn_as_the_page_asks(stand, page, "vi")
    page.wait_for("verified")


def test_a_card_pulled_while_it_is_read_is_said_and_the_next_customer_is_served(
    stand: RunningStand, page: TellerPage
) -> None:
    page.open("en")
    with stand.counter.lay(WatchedCard(stand.holder.image, leaves_at=15)):
        page.enter(stand.holder.number)
        page.wait_for("incomplete")
    assert page.part("what").text == fault_catalogue()["CARD_REMOVED"].en.what
    page.part("again").click()
    stand.stands(HOLDER)
    with stand.counter.lay(WatchedCard(stand.holder.image)):
        page.enter(stand.holder.number)
        turn_as_the_page_asks(stand, page, "en")
        page.wait_for("verified")


def test_forgeries_of_one_card_leave_the_genuine_one_good(stand: RunningStand) -> None:
    for forge in (clone, flip_dg13):
        with stand.counter.lay(WatchedCard(forge(stand.holder.image))):
            assert stand.counter.visit(stand.holder.access).ending[0] == "refused"
    stand.require_next_customer(stand.counter)
