"""The public page: whoever holds a slip sees where the application stands, and nobody sees whose it is."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from enrollment_admin.app import create_app
from enrollment_admin.public_status.routes import IN_ALL, PER_ADDRESS, WAY
from enrollment_admin.settings import AdminSettings
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from issuance_backend.dossiers.particulars import RETURN_ITEMS
from issuance_backend.schema import DOSSIERS
from tests.support.busy_office import OFFICE_UNIT
from tests.support.delivery import deliver, hand_over, made
from tests.support.issuance_office import Office, citizens
from tests.support.office_pages import Browser, captured, sign_in, text
from verification.messages.application_status import Stage
from verification.messages.dc01 import UnitView
from verification.messages.receipt_code import receipt_code

PERSON = citizens()[0]
STATES = ("validated", "returned", "central_approved", "completed", "rejected", "withdrawn")
NOBODYS = receipt_code("nobody's packet")


@pytest.fixture
def dossier(app: Flask) -> str:
    return captured(app)


@pytest.fixture
def code(app: Flask, dossier: str) -> str:
    shown = text(sign_in(app, "lan.capture").get(f"/dossiers/{dossier}"))
    found = re.search(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", shown)
    assert found, "the officer sees the code that the slip will bear"
    return found.group()


def ask(app: Flask, typed: str, language: str = "vi") -> Any:
    return Browser(app.test_client(), language).get(f"/status?code={typed}")


def test_a_slip_shows_where_the_application_stands_until_the_card_is_handed_over(
    app: Flask, office: Office, dossier: str, code: str
) -> None:
    shown = text(ask(app, code))
    assert "Hồ sơ đang được kiểm tra" in shown
    assert "Hạn giải quyết" in shown
    card = made(office, dossier)
    assert "Thẻ đang được sản xuất" in text(ask(app, code))
    deliver(office, card, unit=OFFICE_UNIT)
    shown = text(ask(app, code.lower().replace("-", " ")))
    assert "Thẻ đã sẵn sàng" in shown
    assert OFFICE_UNIT in shown
    assert hand_over(office, card).status_code == 200
    assert "Thẻ đã được trao" in text(ask(app, code))
    assert "Your card was handed over" in text(ask(app, code, "en"))


def test_an_office_is_called_by_its_name_of_today(
    app: Flask, office: Office, dossier: str, code: str
) -> None:
    office.registry.units[OFFICE_UNIT] = [
        UnitView(OFFICE_UNIT, "commune", name, first, last, "NQ")
        for name, first, last in (
            ("Phường Cũ", date(2008, 8, 1), date(2025, 7, 1)),
            ("Phường Mới", date(2025, 7, 1), None),
        )
    ]
    deliver(office, made(office, dossier), unit=OFFICE_UNIT)
    shown = text(ask(app, code))
    assert "Phường Mới" in shown
    assert OFFICE_UNIT not in shown


def test_what_is_to_be_captured_again_is_named_without_the_officers_words(
    app: Flask, office: Office, dossier: str, code: str
) -> None:
    body = {"items": ["portrait"], "comment": "Chị Hoà, gọi 0912 345 678"}
    assert office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/return", body).status_code == 200
    shown = text(ask(app, code))
    assert "Ảnh chân dung" in shown
    assert "11</span> ngày làm việc" in shown
    assert "0912" not in shown


def test_every_stage_is_said_in_words_of_its_own(app: Flask, office: Office, dossier: str, code: str) -> None:
    said = set()
    for state in STATES:
        with office.database.writing() as connection:
            connection.execute(update(DOSSIERS).values(state=state))
        for language in ("vi", "en"):
            shown = text(ask(app, code, language))
            said.add(re.search(r"<h1[^>]*>(.*?)</h1>", shown).group(1))  # type: ignore[union-attr]
            for secret in (PERSON.full_name, PERSON.citizen_number, "lan.capture", dossier):
                assert secret not in shown
    assert len(said) == 2 * len(STATES)


def test_a_wrong_code_is_told_what_to_do_and_nothing_else(app: Flask) -> None:
    for typed in (NOBODYS, NOBODYS[:-1] + "?", "x" * 5000, "<script>", "a%00b", "..", "O0I1"):
        answer = ask(app, typed)
        assert answer.status_code == 404
        shown = text(answer)
        assert "Hiện chưa tra được mã này." in shown
        assert "điểm lưu động" in shown
        assert "<script>" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_and_every_item_has_its_words(language: str) -> None:
    words = sentences(language)
    asked = {f"status.{stage}" for stage in Stage} | {f"status.{stage}.next" for stage in Stage}
    asked |= {f"status.{stage}.step" for stage in WAY} | {f"item.{item}" for item in RETURN_ITEMS}
    assert asked <= words.keys()
    assert len({words[f"status.{stage}"] for stage in Stage}) == len(Stage)


def test_an_empty_page_asks_for_the_code(app: Flask) -> None:
    answer = ask(app, "")
    assert answer.status_code == 200
    assert 'name="code"' in text(answer)


def test_no_cache_and_no_search_engine_keeps_an_answer(app: Flask, code: str) -> None:
    answer = ask(app, code)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert 'content="noindex"' in text(answer)


def test_guessing_ends_soon_and_is_told_in_words(app: Flask) -> None:
    for _ in range(PER_ADDRESS):
        assert ask(app, NOBODYS).status_code == 404
    refused = ask(app, NOBODYS)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert "Chờ một phút" in text(refused)
    # All that a process answers for a thousand years, from however many addresses; a slip for everybody.
    guesses = IN_ALL * 60 * 24 * 366 * 1000
    assert guesses * 100_000_000 / 2**75 < 0.01


def test_a_backend_that_is_down_is_said_on_the_same_page(tmp_path: Path) -> None:
    answer = ask(alone(tmp_path), NOBODYS)
    assert answer.status_code == 503
    assert f'value="{NOBODYS}"' in text(answer), "what was typed is still there"


def test_without_a_token_of_its_own_there_is_no_page(tmp_path: Path) -> None:
    assert ask(alone(tmp_path, status_token_file=None), NOBODYS).status_code == 404


def test_a_caller_is_who_our_own_proxies_say(tmp_path: Path) -> None:
    """One proxy of ours: what a caller writes before it is no address of theirs."""
    app = alone(tmp_path, proxies=1)
    statuses = []
    for number in range(PER_ADDRESS + 1):
        forwarded = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.5"}
        statuses.append(app.test_client().get("/status", headers=forwarded).status_code)
    assert statuses == [200] * PER_ADDRESS + [429]
    other = app.test_client().get("/status", headers={"X-Forwarded-For": "203.0.113.6"})
    assert other.status_code == 200


def alone(folder: Path, **settings: Any) -> Flask:
    """The pages over a backend that is not there."""
    secret = folder / "a_secret"
    secret.write_text("a secret of 32 characters or more")
    known = {"backend_url": "http://127.0.0.1:1", "secret_key_file": secret, "status_token_file": secret}
    return create_app(AdminSettings(**{**known, **settings}))
