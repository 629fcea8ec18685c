"""A kit away from any office: the real program in a folder of its own, registered at the centre once.

Its officer works at its pages, where the passphrase of the signing key is what signs them in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monitoring import staff as posts
from monitoring.preparation import run
from monitoring.probe_clients import HttpClient, Json, ProbeFailed
from monitoring.staff import UNIT, Officer, Staff

KIT, FORM = "kit-001", "CC01"
SEND_SECONDS = 30.0
LOOK_SECONDS = 0.05


class KitPlace(NamedTuple):
    """Where a kit lies, the key of its store, and what opens its officer's key."""

    folder: Path
    store_key: Path
    passphrase: Path


def make_kit(place: KitPlace, staff: Staff, centre: HttpClient, status_address: str) -> None:
    """Make a kit with one officer, and let a supervisor register both; one that is there stays as it is."""
    if (place.folder / "kit.json").exists():
        return
    place.folder.mkdir(mode=0o700, exist_ok=True)
    keys, form = place.folder / "centre_keys.json", place.folder / "form.json"
    keys.write_bytes(centre.get("/v1/packet-keys"))
    form.write_bytes(staff.at_office(posts.CAPTURE_OFFICER).get(f"/v1/forms/{FORM}"))
    registering = staff.at_office(posts.SUPERVISOR)
    at_kit = ("--folder", place.folder, "--store-key", place.store_key)
    init = ("init", *at_kit, "--kit", KIT, "--unit", UNIT, "--centre-keys", keys, "--form", form)
    told = run("enrollment_admin.station", *init, "--status-address", status_address, "--slap-scanner", "yes")
    registering.send_json("POST", "/v1/kits", json.loads(told))
    officer = ("officer", *at_kit, "--officer", posts.CAPTURE_OFFICER, "--passphrase-file", place.passphrase)
    signer = json.loads(run("enrollment_admin.station", *officer))
    registering.send_json("POST", "/v1/packet-signers", signer)


class CaptureKit:
    """The officer at the kit's pages."""

    def __init__(self, kit_url: str, passphrase: str) -> None:
        self._passphrase = passphrase
        self._pages = Officer(kit_url, posts.CAPTURE_OFFICER, passphrase=passphrase)

    def take_extract(self) -> None:
        """Fetch what the registry knows of the commune's people, while there is a network."""
        self._pages.press("/outbox/extract")

    def declare(self, citizen_number: str, person: Json, draft: str | None = None) -> Json:
        """Type who somebody says to be, for the first time or once more; what the gate answers."""
        said = {name: person[name] for name in ("full_name", "date_of_birth", "sex")}
        path = f"/drafts/{draft}/declaration" if draft else "/drafts/new"
        return self._pages.press(path, citizen_number=citizen_number, **said)

    def capture(self, draft: str, portrait: bytes, prints: Mapping[str, bytes], signature: bytes) -> None:
        """Everything from the portrait to the sealed packet; no network is asked."""
        at = f"/drafts/{draft}"
        self._pages.press(f"{at}/portrait", portrait=("portrait.jpg", portrait, "image/jpeg"))
        files = {item: (f"{item}.png", content, "image/png") for item, content in prints.items()}
        self._pages.press(f"{at}/fingerprints", **files)
        self._pages.press(f"{at}/form")
        self._pages.press(f"{at}/signature", signature=("signature.png", signature, "image/png"))
        said = {"language": "vi", "agreed": "yes", "fee_reason": "first", "old_card": "none"}
        self._pages.press(f"{at}/seal", passphrase=self._passphrase, **said)

    def send(self) -> int:
        """Send what waits until the centre's receipts are here; how many chunks there were."""
        view = self._pages.press("/outbox/sending")
        until = time.monotonic() + SEND_SECONDS
        while view["is_sending"]:
            if time.monotonic() > until:
                raise ProbeFailed("the kit's packets did not reach the centre in time")
            time.sleep(LOOK_SECONDS)
            view = self._pages.read("/outbox")
        if view["waiting"]:
            raise ProbeFailed(f"the centre did not take a packet: {view['stopped'] or view['refused']}")
        return int(view["chunks"])
