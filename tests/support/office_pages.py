"""The enrolment pages over a real office on loopback, as a browser and as a program use them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask
from flask.testing import FlaskClient

from enrollment_admin.app import create_app
from enrollment_admin.settings import AdminSettings
from tests.support.approver_keys import approver_key
from tests.support.issuance_office import (
    PASSWORD,
    REASON,
    SIGNATURE,
    STATUS_TOKEN,
    Office,
    citizens,
    picture,
)
from tests.support.served_app import serving
from verification.messages.approval_list import sign_preparation

PERSON = citizens()[0]
WORK = "/dossiers?state=validated"


@contextmanager
def pages_of(office: Office, folder: Path) -> Iterator[Flask]:
    """The pages, over the office served on a port of its own."""
    secret, token = folder / "secret", folder / "status_page.token"
    secret.write_text("a secret for session cookies")
    token.write_text(STATUS_TOKEN)
    with serving(office.app) as url:
        yield create_app(AdminSettings(backend_url=url, secret_key_file=secret, status_token_file=token))


FIRST_CARD = {"fee_reason": "first", "old_card": "none"}
"""What a page states of a card that costs nothing and follows none."""


NO_PRINTS = {"exceptions": "no_scanner"}
"""What a counter without a scanner says of everybody's prints."""


@dataclass
class Browser:
    """One officer's browser, without script."""

    client: FlaskClient
    language: str = "vi"
    officer: str = ""

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(
            path, headers={"Accept": "text/html", "Accept-Language": self.language, **headers}
        )

    def post(self, path: str, fields: dict[str, Any] | None = None, *, page: str, **headers: str) -> Any:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).get_data(as_text=True))
        assert token
        return self.client.post(
            path,
            data={"csrf_token": token.group(1), **(fields or {})},
            headers={"Accept": "text/html", "Accept-Language": self.language, **headers},
            content_type="multipart/form-data",
        )

    def done(self, path: str, fields: dict[str, Any] | None = None, *, page: str) -> str:
        """Post a form that must succeed; the page that follows."""
        answer = self.post(path, fields, page=page)
        assert answer.status_code == 303, text(answer)
        shown = text(self.get(answer.headers["Location"]))
        assert 'class="notice done"' in shown, shown
        return shown

    def approve(self, *dossiers: str) -> str:
        """Choose dossiers of the work list, look at what is to be signed, and sign it."""
        return self.sign(self.post("/approval-lists", {"dossiers": list(dossiers)}, page=WORK))

    def sign(self, shown: Any) -> str:
        """Sign a list of approvals as the page's script does; the page that follows."""
        found = re.search(r'name="preparation" value="([^"]+)"', text(shown))
        assert found, text(shown)
        signed = msgspec.to_builtins(sign_preparation(found[1], approver_key(self.officer)))
        return self.done("/approval-lists/signed", signed, page="/approval-lists")

    def capture(self, *, number: str = PERSON.citizen_number, **fields: Any) -> Any:
        portrait = fields.pop("portrait", picture())
        form = {
            "citizen_number": number,
            "manual_portrait_reason": REASON,
            **NO_PRINTS,
            **FIRST_CARD,
            **fields,
        }
        if portrait:
            form["portrait"] = (io.BytesIO(portrait), "portrait.jpg")
        return self.post("/dossiers", form, page=f"/dossiers/new?citizen_number={number}")

    def sealed(self, begun: Any, app: Flask) -> Any:
        """What was begun, printed, signed, answered for and sealed: the answer that leads to the dossier."""
        return self.post(f"{self.signed(begun, app)}/seal", page=begun.headers["Location"])

    def signed(self, begun: Any, app: Flask) -> str:
        """The address of a capture that only has to be sealed."""
        assert begun.status_code == 303, text(begun)
        path = str(begun.headers["Location"])
        self.done(f"{path}/form", page=path)
        self.done(f"{path}/agreement", {"language": "vi", "signature": signature()}, page=path)
        if f"{path}/answer" in text(sign_in(app, "son.supervisor").get(path)):
            sign_in(app, "son.supervisor").done(f"{path}/answer", page=path)
        return path


def sign_in(app: Flask, officer: str, language: str = "vi") -> Browser:
    """The browser of an officer who has signed in."""
    browser = Browser(app.test_client(), language, officer)
    answer = browser.post("/login", {"officer": officer, "password": PASSWORD}, page="/login")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return browser


def signature() -> tuple[io.BytesIO, str]:
    """A scan of a signed form, as a browser sends it."""
    return io.BytesIO(SIGNATURE), "signature.png"


def text(answer: Any) -> str:
    """A page as one line."""
    return " ".join(answer.get_data(as_text=True).split())


def captured(app: Flask, officer: str = "lan.capture", number: str = PERSON.citizen_number) -> str:
    """A dossier that was captured over the pages."""
    browser = sign_in(app, officer)
    answer = browser.sealed(browser.capture(number=number), app)
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["Location"].rsplit("/", 1)[1])


def approved(app: Flask, dossier: str) -> None:
    """Lead a dossier through both approvals over the pages."""
    path = f"/dossiers/{dossier}"
    sign_in(app, "minh.approve").approve(dossier)
    sign_in(app, "thu.central").done(f"{path}/approve-centrally", page=path)
