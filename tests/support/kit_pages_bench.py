"""The pages of a kit that has its commune's extract, as a browser uses them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image, ImageDraw

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.gate import Declaration
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.outbox import Outbox
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.cheap_prints import cheap_prints
from tests.support.issuance_office import picture
from tests.support.kit_bench import OFFICER, PASSPHRASE, PASSPHRASES, KitBench, commune, declared, desk_of
from tests.support.office_pages import Browser
from verification.messages.commune_extract import seal_extract
from verification.messages.packet_intake import PacketKeyList


def signature() -> bytes:
    """A line that somebody drew on the pad."""
    image = Image.new("RGB", (300, 100), "white")
    ImageDraw.Draw(image).line([(20, 70), (90, 20), (150, 80), (280, 30)], fill=(20, 20, 60), width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class KitPages:
    """One kit and its pages."""

    kit: Kit
    app: Flask
    sticks: Path
    bench: KitBench

    @property
    def outbox(self) -> Outbox:
        """What the kit has sealed."""
        return Outbox(self.kit)

    def desk(self, officer: str = OFFICER) -> CaptureDesk:
        """An officer's desk beside the pages."""
        return desk_of(self.kit, officer)

    def sign_in(self, officer: str = OFFICER, language: str = "vi") -> Browser:
        """A browser of somebody who opened their key."""
        browser = Browser(self.app.test_client(), language)
        answer = browser.post(
            "/login", {"officer": officer, "passphrase": PASSPHRASES[officer]}, page="/login"
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return browser


def kit_pages(
    place: Path, keys: CentreKeys, centre: CentreClient | None = None, *, has_extract: bool = True
) -> KitPages:
    """A new kit of the invented commune, and its pages."""
    bench = KitBench(place, PacketKeyList(keys.opening_jwk(), keys.receipts_jwk()))
    kit = bench.make()
    if has_extract:
        kit.keep_extract(seal_extract(commune(), keys.receipts, kit.opening_key.public_key(), os.urandom))
    sticks = place / "media"
    sticks.mkdir()
    return KitPages(kit, create_kit_app(kit, centre, sticks), sticks, bench)


def typed(declaration: Declaration) -> dict[str, str]:
    """A declaration as an officer types it."""
    return {
        "citizen_number": declaration.citizen_number or "",
        "full_name": declaration.full_name,
        "date_of_birth": declaration.date_of_birth.strftime("%d/%m/%Y"),
        "sex": declaration.sex,
    }


def begun(browser: Browser, index: int = 0, **changes: object) -> str:
    """The address of a capture of an invented citizen."""
    answer = browser.post("/drafts/new", typed(declared(index, **changes)), page="/drafts/new")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"].rpartition("/")[0])


def keep(browser: Browser, draft: str, item: str, content: bytes) -> Any:
    """Send a picture from the page that it belongs to."""
    upload = (io.BytesIO(content), f"{item}.picture")
    return browser.post(f"{draft}/{item}", {item: upload}, page=f"{draft}/{item}")


def keep_prints(browser: Browser, draft: str, prints: Mapping[str, bytes] | None = None) -> Any:
    """Send what a scanner left, a file a finger; all ten where nothing else is given."""
    files = cheap_prints() if prints is None else prints
    uploads = {"fingerprints": [(io.BytesIO(content), f"{item}.png") for item, content in files.items()]}
    return browser.post(f"{draft}/fingerprints", uploads, page=f"{draft}/fingerprints")


def captured(browser: Browser, index: int = 0) -> str:
    """A capture that only has to be sealed."""
    draft = begun(browser, index)
    assert keep(browser, draft, "portrait", picture(index)).status_code == 303
    assert keep_prints(browser, draft).status_code == 303
    assert browser.post(f"{draft}/form", page=f"{draft}/form").status_code == 200
    assert keep(browser, draft, "signature", signature()).status_code == 303
    return draft


def seal(browser: Browser, draft: str, **changes: str) -> Any:
    """Press the last button."""
    terms = {"fee_reason": "first", "old_card": "none"}
    fields = {"language": "vi", "agreed": "yes", "passphrase": PASSPHRASE, **terms, **changes}
    return browser.post(f"{draft}/seal", fields, page=f"{draft}/seal")
