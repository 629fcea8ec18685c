"""Takes the pictures of the teller's page that its README shows.

``python -m tests.support.page_pictures reader_agent/ui/pictures``
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

from issuance_backend.virtual_card.tampering import clone
from reader_agent.ui.texts import texts
from tests.support.counter_bench import HttpGateway, genuine_card, serving
from tests.support.teller_page import TellerPage, browser, counter_on_http, holder_card

_SETTLED_SECONDS = 0.4


def main(folder: Path) -> None:
    """Four moments of a teller's day."""
    folder.mkdir(parents=True, exist_ok=True)
    can, words = genuine_card().can, texts("vi")
    with (
        tempfile.TemporaryDirectory() as empty,
        serving(HttpGateway()) as gateway,
        counter_on_http(gateway, Path(empty)) as (bench, url),
        browser() as chrome,
    ):
        page = TellerPage(chrome, url)

        def take(name: str) -> None:
            time.sleep(_SETTLED_SECONDS)
            chrome.save_screenshot(str(folder / f"{name}.png"))

        page.open()
        take("idle")
        go_on = threading.Event()
        bench.reader.on_command = lambda number: go_on.wait(10) if number == 45 else None
        page.enter(can)
        page.wait_for("work", words["now_reading"])
        take("reading")
        go_on.set()
        page.wait_for("verified")
        take("verified")
        page.part("again").click()
        bench.reader.image = clone(holder_card())
        page.enter(can)
        page.wait_for("refused")
        take("refused")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
