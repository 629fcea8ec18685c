"""A browser among pages of ours, and what it finds wrong with one.

With ``KEEP_PICTURES=FOLDER`` every page is kept as it was, for looking at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.issuance_office import PASSWORD

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

    def sign_in(self, officer: str, language: str, secret: str = PASSWORD, field: str = "password") -> None:
        self.chrome.delete_all_cookies()
        self.chrome.get(f"{self.url}/login")
        if self.chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") != language:
            self.press("button[name=language]")
        self.chrome.find_element(By.ID, "officer").send_keys(officer)
        self.chrome.find_element(By.ID, field).send_keys(secret + Keys.ENTER)
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

    def open(self, path: str, kind: str) -> None:
        self.size(WIDTHS[kind])
        self.chrome.get(self.url + path)

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
