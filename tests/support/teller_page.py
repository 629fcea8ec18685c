"""The teller's page in a real browser, on a counter that serves real HTTP."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cv2
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from waitress.server import create_server

from tests.support.counter_bench import Bench, HttpGateway, card_with_portrait, make_bench
from tests.support.machine import lacks
from verification.face.procedural_portrait import person, render
from verification.face.simulated_camera import webcam_frame

HOLDER_SEED = 117


@cache
def portrait_jpeg(seed: int = HOLDER_SEED) -> bytes:
    """A drawn face as a card's picture."""
    face = cv2.resize(render(person(seed)), (240, 240), interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(face, 40, 40, 0, 0, cv2.BORDER_REPLICATE)
    return bytes(cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


@cache
def live_jpeg(seed: int = HOLDER_SEED) -> bytes:
    """A drawn face before the counter's camera."""
    frame = webcam_frame(render(person(seed)), seed=5)
    return bytes(cv2.imencode(".jpg", frame)[1].tobytes())


@cache
def holder_card() -> Any:
    """The card with the drawn portrait."""
    return card_with_portrait(portrait_jpeg())


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def counter_on_http(gateway: HttpGateway, folder: Path, **settings: Any) -> Iterator[tuple[Bench, str]]:
    """A counter behind its real server; the address to open in a browser."""
    port = free_port()
    bench = make_bench(gateway, folder, image=holder_card(), port=port, **settings)
    bench.camera.jpeg = live_jpeg()
    server = create_server(bench.agent.app, host="127.0.0.1", port=port, threads=8)
    worker = threading.Thread(target=server.run, daemon=True)
    worker.start()
    try:
        yield bench, f"http://127.0.0.1:{port}/"
    finally:
        server.close()


@contextmanager
def browser(width: int = 1280, height: int = 720) -> Iterator[webdriver.Chrome]:
    """Headless Chromium; where it is not installed the test says so."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        lacks("Chromium and its driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        # The window's frame takes room even without a window.
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        yield chrome
    finally:
        chrome.quit()


class TellerPage:
    """What a teller does and sees."""

    def __init__(self, chrome: webdriver.Chrome, url: str) -> None:
        self.chrome = chrome
        self.url = url

    def open(self, language: str = "vi") -> None:
        self.chrome.get(f"{self.url}?lang={language}")

    def part(self, identifier: str) -> Any:
        return self.chrome.find_element(By.ID, identifier)

    def enter(self, typed: str, *, consent: bool = True) -> None:
        self.part("access").clear()
        self.part("access").send_keys(typed)
        if consent != self.part("consent").is_selected():
            self.part("consent").click()
        self.part("access").send_keys("\n")

    def overflow(self) -> Any:
        """By how many pixels the page is wider and higher than the window."""
        return self.chrome.execute_script(
            "const page = document.documentElement;"
            "return [page.scrollWidth - innerWidth, page.scrollHeight - innerHeight]"
        )

    def look(self) -> str:
        return str(self.part("band").get_attribute("data-look"))

    def headline(self) -> str:
        return str(self.part("headline").text)

    def wait_for(self, look: str, headline: str = "", seconds: float = 15.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.look() == look and headline in self.headline():
                return
            time.sleep(0.02)
        raise AssertionError(f"the page still says {self.look()}: {self.headline()}")
