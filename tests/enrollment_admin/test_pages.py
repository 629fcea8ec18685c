"""The pages over a real backend on loopback, as a browser and as a program use them."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask

from enrollment_admin.app import create_app
from enrollment_admin.backend_client import PAGE_SIZE, BackendClient
from enrollment_admin.refusals import BackendUnavailable
from enrollment_admin.reports.charts import CLOCK_PARTS
from enrollment_admin.settings import AdminSettings
from enrollment_admin.station.capture_steps import ON_THE_WAY, DraftState
from enrollment_admin.station.kit_pages.app import ENTRIES as KIT_ENTRIES
from enrollment_admin.station.kit_pages.tasks import Task
from enrollment_admin.station.kit_pages.typed_forms import fields_to_type
from enrollment_admin.ui.consent_languages import LANGUAGES_OF_CONSENT
from enrollment_admin.ui.navigation import ENTRIES
from enrollment_admin.ui.pages import sentence
from issuance_backend.biometric_search.adjudication import Finding
from issuance_backend.credentials.boxes import BoxState
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.dossiers import archive_desk, legal_desk, repository
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Search
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.dossiers.particulars import RETURN_ITEMS
from issuance_backend.officers.domain import Role
from issuance_backend.personalization.batches.domain import FaultSeen, TaskState
from issuance_backend.personalization.card_faces.face_inspection import FACE_CHECKS
from issuance_backend.personalization.quality_control import REQUIRED
from tests.support.approver_keys import approver_key
from tests.support.issuance_office import REASON, Office, picture
from tests.support.office_pages import (
    FIRST_CARD,
    NO_PRINTS,
    PERSON,
    Browser,
    captured,
    sign_in,
    signature,
    text,
)
from verification.messages.approval_list import sign_preparation
from verification.messages.delivery import ConfirmationReason
from verification.messages.enrollment import MAX_PORTRAIT_BYTES
from verification.messages.fault_catalogue import fault

UI = resources.files("enrollment_admin.ui")


def test_a_program_gets_json(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    begun = lan.post(
        "/dossiers",
        {
            "citizen_number": PERSON.citizen_number,
            "portrait": (io.BytesIO(picture()), "p.jpg"),
            "manual_portrait_reason": REASON,
            **NO_PRINTS,
            **FIRST_CARD,
        },
        page=f"/dossiers/new?citizen_number={PERSON.citizen_number}",
        Accept="application/json",
    )
    assert (begun.status_code, begun.get_json()["missing"]) == (201, ["form", "signature", "supervisor"])
    counter, json_wanted = f"/counter/{begun.get_json()['id']}", {"Accept": "application/json"}
    lan.post(f"{counter}/form", page=counter, **json_wanted)
    agreement = {"language": "vi", "signature": signature()}
    lan.post(f"{counter}/agreement", agreement, page=counter, **json_wanted)
    early = lan.post(f"{counter}/seal", page=counter, **json_wanted)
    assert early.get_json()["fields"] == {"supervisor": "COUNTER_SUPERVISOR_MISSING"}
    sign_in(app, "son.supervisor").post(f"{counter}/answer", page=counter, **json_wanted)
    answer = lan.post(f"{counter}/seal", page=counter, **json_wanted)
    assert (answer.status_code, answer.get_json()["state"]) == (201, "validated")
    path = f"/dossiers/{answer.get_json()['id']}"
    refused = lan.post(f"{path}/approve", page=path, Accept="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")
    minh = sign_in(app, "minh.approve")
    prepared = minh.post(f"{path}/approve", page=path, **json_wanted).get_json()["preparation"]
    signed = msgspec.to_builtins(sign_preparation(prepared, approver_key("minh.approve")))
    local = minh.post("/approval-lists/signed", signed, page="/approval-lists", **json_wanted)
    assert (local.status_code, local.get_json()["fault"]) == (201, None)
    thu = sign_in(app, "thu.central")
    approved = thu.post(f"{path}/approve-centrally", page=path, Accept="application/json").get_json()
    assert (approved["state"], approved["credential_state"]) == ("central_approved", "ordered")


def test_a_long_list_is_read_page_by_page(app: Flask, office: Office) -> None:
    known = captured(app)
    with office.database.writing() as connection:
        dossier = repository.find(connection, known)
        assert dossier is not None
        others = [
            replace(dossier, id=f"{number:016x}", citizen_number=f"{number:012}")
            for number in range(2 * PAGE_SIZE)
        ]
        repository.add(connection, others)
    minh, path, seen = sign_in(app, "minh.approve"), "/dossiers?state=validated", []
    for size in (PAGE_SIZE, PAGE_SIZE, 1):
        shown = text(minh.get(path))
        rows = re.findall(r'<a href="/dossiers/([0-9a-f]{16})"', shown)
        assert len(rows) == size
        assert ("Trang đầu" in shown) == bool(seen)
        following = re.search(r'rel="next" href="([^"]+)">Trang sau<', shown)
        assert bool(following) == (size == PAGE_SIZE)
        program = minh.get(path, Accept="application/json").get_json()
        assert [entry["id"] for entry in program["dossiers"]] == rows
        seen += rows
        path = html.unescape(following.group(1)) if following else ""
        assert (program["next"] or "") == path
    assert len(set(seen)) == 2 * PAGE_SIZE + 1


def test_a_list_that_fits_has_no_pages_and_a_page_that_is_none_is_explained(app: Flask) -> None:
    captured(app)
    lan = sign_in(app, "lan.capture", "en")
    assert "Next page" not in text(lan.get("/dossiers"))
    assert "First page" not in text(lan.get("/dossiers"))
    refused = lan.get("/dossiers?cursor=nonsense")
    assert refused.status_code == 422
    shown = html.unescape(text(refused))
    assert fault("FIELDS_REFUSED").text("en").what in shown
    assert f"<code>cursor</code>: {fault('FIELD_CHARACTERS').text('en').what}" in shown


def test_the_officer_who_captured_is_not_offered_the_approval_and_is_refused(app: Flask) -> None:
    dossier = captured(app, "binh.both")
    both = sign_in(app, "binh.both")
    path = f"/dossiers/{dossier}"
    page = text(both.get(path))
    assert f'action="{path}/approve"' not in page
    assert fault("SAME_OFFICER").vi.what in page
    both.post(f"{path}/approve", page=path)
    assert "Chờ duyệt tại địa phương" in text(both.get(path))
    answer = both.post(f"{path}/approve", page=path, Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "SAME_OFFICER")


def test_a_fault_stands_beside_its_field_and_keeps_what_was_typed(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    answer = lan.capture(identification=" ", place_of_residence="Số 9 <b>Trần Phú</b>, Huế")
    page = text(answer)
    assert answer.status_code == 422
    assert re.search(r'id="identification-fault">.{0,80}' + fault("FIELD_MISSING").vi.what, page)
    assert 'aria-describedby="identification-hint identification-fault" aria-invalid="true"' in page
    assert "Số 9 &lt;b&gt;Trần Phú&lt;/b&gt;, Huế</textarea>" in page
    assert REASON in page
    kept = re.search(r'name="portrait_kept" value="([^"]+)"', page)
    assert kept
    assert base64.b64decode(kept.group(1)) == picture()
    again = lan.capture(identification="Sẹo ở cằm", portrait=b"", portrait_kept=kept.group(1))
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("portrait", "code"),
    [
        (b"GIF89a" + bytes(50), "PORTRAIT_NOT_JPEG"),
        (b"", "PORTRAIT_MISSING"),
        (picture(1, (200, 300)), "PORTRAIT_TOO_SMALL"),
        (picture() + bytes(MAX_PORTRAIT_BYTES), "PORTRAIT_TOO_LARGE"),
    ],
)
def test_a_refused_portrait_is_explained_and_not_kept(app: Flask, portrait: bytes, code: str) -> None:
    answer = sign_in(app, "lan.capture").capture(portrait=portrait)
    assert answer.status_code == 422
    assert fault(code).vi.next in text(answer)
    assert "portrait_kept" not in text(answer)


def test_an_upload_beyond_every_limit_is_an_explained_page(app: Flask) -> None:
    answer = sign_in(app, "lan.capture").capture(portrait=bytes(15 * 1024 * 1024))
    assert answer.status_code == 413
    assert fault("PORTRAIT_TOO_LARGE").vi.what in text(answer)


@pytest.mark.parametrize("path", ["/login", "/language"])
def test_a_form_without_pictures_may_not_be_large(app: Flask, path: str) -> None:
    form = {"officer": "lan.capture", "password": "x" * 70_000}
    answer = Browser(app.test_client()).post(path, form, page="/login", Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "BODY_TOO_LARGE")


def test_nobody_uploads_before_signing_in(app: Flask) -> None:
    browser = Browser(app.test_client())
    answer = browser.client.post("/dossiers", data={"portrait": (io.BytesIO(bytes(1_000_000)), "p.jpg")})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


@pytest.mark.parametrize("number", ["12", "001099", "<script>alert(1)</script>"])
def test_a_card_is_looked_for_by_a_number_only(app: Flask, number: str) -> None:
    answer = sign_in(app, "minh.approve").get(f"/credentials?citizen_number={number}")
    assert answer.status_code == 422
    assert fault("CITIZEN_NUMBER_MALFORMED").vi.what in text(answer)
    assert "<script>alert" not in text(answer)


def test_a_page_says_what_its_own_reader_has_to_do(app: Flask) -> None:
    dossier = captured(app)
    for officer, key in (
        ("minh.approve", "next.validated"),
        ("lan.capture", "wait.validated"),
        ("hoa.production", "wait.validated"),
    ):
        shown = text(sign_in(app, officer).get(f"/dossiers/{dossier}"))
        with app.test_request_context():
            assert sentence(key) in shown


@pytest.mark.parametrize("number", ["123", "001099000000", "<script>alert(1)</script>"])
def test_a_bad_number_is_said_beside_the_number(app: Flask, number: str) -> None:
    answer = sign_in(app, "lan.capture").get(f"/dossiers/new?citizen_number={number}")
    assert answer.status_code == 422
    assert 'id="citizen_number-fault"' in text(answer)
    assert "<script>alert" not in text(answer)


def test_a_person_with_an_open_dossier_is_led_to_it(app: Flask) -> None:
    dossier = captured(app)
    answer = sign_in(app, "lan.capture").get(f"/dossiers/new?citizen_number={PERSON.citizen_number}")
    assert answer.status_code == 409
    assert f'href="/dossiers/{dossier}"' in text(answer)


def test_the_same_form_sent_twice_opens_one_dossier(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    fields = {"capture_id": "one-form-sent-twice"}
    token_page = f"/dossiers/new?citizen_number={PERSON.citizen_number}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', lan.get(token_page).get_data(as_text=True))
    assert token
    places = []
    for _ in range(2):
        form = {
            "csrf_token": token.group(1),
            "citizen_number": PERSON.citizen_number,
            "manual_portrait_reason": REASON,
            "portrait": (io.BytesIO(picture()), "p.jpg"),
            **FIRST_CARD,
            **fields,
        }
        answer = lan.client.post("/dossiers", data=form, headers={"Accept": "text/html"})
        places.append(answer.headers["Location"])
    assert places[0] == places[1]


@pytest.mark.parametrize(
    "path", ["/dossiers", "/login", "/logout", "/language", "/dossiers/x/approve", "/credentials/x/hand-over"]
)
@pytest.mark.parametrize("token", [None, "", "guessed", "ư"])
def test_a_form_without_this_sessions_token_is_refused(app: Flask, path: str, token: str | None) -> None:
    lan = sign_in(app, "lan.capture")
    data = {} if token is None else {"csrf_token": token}
    answer = lan.client.post(path, data=data, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "FORM_TOKEN_INVALID")


def test_another_sessions_token_is_refused(app: Flask) -> None:
    other = sign_in(app, "minh.approve")
    token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/dossiers").get_data(as_text=True))
    assert token
    lan = sign_in(app, "lan.capture")
    answer = lan.client.post(
        "/logout", data={"csrf_token": token.group(1)}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/dossiers", "/dossiers/new", "/dossiers/x", "/credentials", "/dossiers/x/portrait.jpg"]
)
def test_nobody_sees_a_page_without_signing_in(app: Flask, path: str) -> None:
    browser = Browser(app.test_client())
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert browser.get(path, Accept="application/json").status_code == 401


def test_an_ended_session_is_told_only_to_somebody_who_had_one(app: Flask) -> None:
    ended = fault("OFFICER_SESSION_ENDED")
    newcomer = Browser(app.test_client())
    newcomer.get("/dossiers")
    assert ended.vi.what not in text(newcomer.get("/login"))
    lan = sign_in(app, "lan.capture", "en")
    lan.client.set_cookie("enrolment", _signed_out_cookie(lan))
    lan.get("/dossiers")
    assert ended.en.what in text(lan.get("/login"))


def _signed_out_cookie(officer: Browser) -> str:
    """The session cookie of an officer whose session the backend has ended meanwhile."""
    cookie = officer.client.get_cookie("enrolment")
    assert cookie
    officer.post("/logout", page="/dossiers")
    return str(cookie.value)


def test_signing_in_wrongly_keeps_the_name_and_says_what_to_do(app: Flask) -> None:
    browser = Browser(app.test_client())
    answer = browser.post("/login", {"officer": "lan.capture", "password": "x"}, page="/login")
    assert answer.status_code == 401
    assert 'value="lan.capture"' in text(answer)
    assert fault("OFFICER_SIGN_IN_FAILED").vi.what in text(answer)


def test_signing_out_ends_the_backends_session_too(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    cookie = lan.client.get_cookie("enrolment")
    assert cookie
    lan.post("/logout", page="/dossiers")
    assert lan.get("/dossiers").status_code == 303
    lan.client.set_cookie("enrolment", cookie.value)
    assert lan.get("/dossiers").status_code == 303


@pytest.mark.parametrize(
    ("host", "is_secure"), [("localhost", False), ("127.0.0.1:8704", False), ("enrol.gov.vn", True)]
)
def test_the_session_cookie_is_closed_to_scripts_and_other_sites(
    app: Flask, host: str, is_secure: bool
) -> None:
    answer = app.test_client().get("/login", headers={"Host": host})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert ("Secure" in cookie) is is_secure


@pytest.mark.parametrize("path", ["/login", "/dossiers", "/static/enrolment.css", "/nowhere"])
def test_every_answer_has_its_headers(app: Flask, path: str) -> None:
    answer = sign_in(app, "lan.capture").get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_no_inline_script_style_or_foreign_address() -> None:
    for template in (UI / "templates").rglob("*.html"):
        content = template.read_text(encoding="utf-8")
        assert not re.search(r"\son\w+=|style=|<script>|https?://", content), template.name


def test_what_was_typed_never_becomes_markup(app: Flask) -> None:
    answer = sign_in(app, "lan.capture").capture(
        identification="</textarea><script>alert(1)</script>", portrait=b""
    )
    assert "<script>alert" not in text(answer)


def test_a_backend_that_is_down_is_said_to_be_down(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 20)
    app = create_app(AdminSettings(backend_url="http://127.0.0.1:9", secret_key_file=secret))
    answer = Browser(app.test_client()).post("/login", {"officer": "a", "password": "b"}, page="/login")
    assert answer.status_code == 503
    assert fault("BACKEND_UNAVAILABLE").vi.what in text(answer)
    assert app.test_client().get("/readyz").status_code == 503


@pytest.mark.parametrize("what", ["backend", "registry"])
def test_a_capture_outlives_what_it_needs_being_down(
    app: Flask, office: Office, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    lan = sign_in(app, "lan.capture")
    lan.get(f"/dossiers/new?citizen_number={PERSON.citizen_number}")
    page = lan.get(f"/dossiers/new?citizen_number={PERSON.citizen_number}")
    token = form_value(page, "csrf_token")
    if what == "backend":
        monkeypatch.setattr(BackendClient, "_send", down)
    office.registry.is_up = what != "registry"
    form = {"csrf_token": token, "citizen_number": PERSON.citizen_number, "identification": "Nốt ruồi"}
    form |= FIRST_CARD | NO_PRINTS
    form |= {"manual_portrait_reason": REASON, "portrait": (io.BytesIO(picture()), "portrait.jpg")}
    kept = lan.client.post("/dossiers", data=form, headers={"Accept": "text/html"})
    assert kept.status_code == 503
    monkeypatch.undo()
    office.registry.is_up = True
    names = ("csrf_token", "capture_id", "citizen_number", "identification", "portrait_kept")
    again = {
        name: form_value(kept, name) for name in (*names, *FIRST_CARD, *NO_PRINTS, "manual_portrait_reason")
    }
    sent = lan.client.post("/dossiers", data=again, headers={"Accept": "text/html"})
    sealed = lan.sealed(sent, app)
    assert "Nốt ruồi" in text(lan.get(sealed.headers["Location"]))


def down(*_arguments: object) -> None:
    raise BackendUnavailable("down")


def form_value(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.get_data(as_text=True))
    assert found, name
    return html.unescape(found.group(1))


def test_the_language_is_chosen_and_returns_to_our_own_pages_only(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    for back, target in (
        ("/credentials", "/credentials"),
        ("//evil.example", "/"),
        ("https://evil", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/x\\..\\evil", "/"),
        ("/dossiers?state=returned", "/dossiers?state=returned"),
    ):
        answer = lan.post("/language", {"language": "en", "back": back}, page="/dossiers")
        assert answer.headers["Location"] == target
    page = text(lan.get("/dossiers"))
    assert 'lang="en"' in page
    assert "Dossiers" in page


def test_a_returned_dossier_is_captured_again(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    minh, lan = sign_in(app, "minh.approve"), sign_in(app, "lan.capture")
    empty = minh.post(f"{path}/return", {"comment": "Ảnh mờ"}, page=path)
    assert empty.status_code == 422
    assert "Ảnh mờ</textarea>" in text(empty)
    minh.post(f"{path}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=path)
    assert "Ảnh mờ" in text(lan.get(path))
    again = lan.post(
        f"{path}/recapture",
        {
            "citizen_number": PERSON.citizen_number,
            "portrait": (io.BytesIO(picture(2)), "p.jpg"),
            "manual_portrait_reason": REASON,
        },
        page=f"{path}/recapture",
    )
    assert lan.sealed(again, app).status_code == 303
    assert "Chờ duyệt tại địa phương" in text(lan.get(path))


def _sentences(language: str) -> dict[str, str]:
    return dict(json.loads((UI / "translations" / f"{language}.json").read_text(encoding="utf-8")))


def test_both_languages_say_the_same_things() -> None:
    vietnamese, english = _sentences("vi"), _sentences("en")
    assert vietnamese.keys() == english.keys()
    assert all(vietnamese.values())
    assert all(english.values())
    assert any(not value.isascii() for value in vietnamese.values())
    assert sentence.__doc__


def test_every_sentence_that_a_page_asks_for_exists() -> None:
    known = _sentences("vi").keys()
    asked = set()
    for template in (UI / "templates").rglob("*.html"):
        asked |= set(re.findall(r"""\bt\(["']([a-z_.A-Z0-9]+)["']\)""", template.read_text(encoding="utf-8")))
    asked |= {f"step.{event}" for event in DossierEvent} | {f"state.{state}" for state in DossierState}
    asked |= {f"cardstep.{event}" for event in CardEvent}
    asked |= {f"{part}.{state}" for part in ("card", "now", "next") for state in [*CardState, "expired"]}
    asked |= {f"{part}.{state}" for part in ("now", "next") for state in DossierState}
    asked |= {f"qc.{check.value}" for check in REQUIRED} | {f"qc.{name}" for name in FACE_CHECKS}
    asked |= {f"item.{item}" for item in RETURN_ITEMS} | {f"role.{role}" for role in Role}
    asked |= {f"search.{each}" for each in Search} | {f"reason.{each}" for each in Reason}
    asked |= {f"reason.{each}" for each in ConfirmationReason} | {f"box.{each}" for each in BoxState}
    asked |= {f"lookup.{each}" for each in archive_desk.REASONS | archive_desk.RESULTS}
    asked |= {f"rejection.{each}" for each in legal_desk.REASONS} | {f"seen.{each}" for each in FaultSeen}
    asked |= {f"finding.{each}" for each in Finding} | {f"batch.{each}" for each in TaskState}
    asked |= {f"clock.{part}" for part in CLOCK_PARTS} | {entry.title for entry in ENTRIES}
    asked |= {f"kit.state.{state}" for state in DraftState} | {f"kit.task.{each}" for each in [*Task][:-1]}
    asked |= {f"kit.language.{each}" for each in LANGUAGES_OF_CONSENT}
    asked |= {f"kit.slip.{state}" for state in (*ON_THE_WAY, DraftState.RECEIPTED)}
    asked |= {f"field.{name}" for name in fields_to_type(is_registered=False)}
    asked |= {f"exception.{each.code}" for form in packaged_forms().editions for each in form.exceptions}
    asked |= {entry.title for entry in KIT_ENTRIES}
    assert asked <= known


def test_every_text_colour_has_enough_contrast() -> None:
    css = (UI / "static" / "enrolment.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", css))
    pairs = [
        ("ink", "ground"),
        ("ink", "paper"),
        ("soft", "ground"),
        ("soft", "paper"),
        ("calm", "calm-ground"),
    ]
    pairs += [(name, f"{name}-ground") for name in ("good", "bad", "warn")] + [
        ("paper", "navy"),
        ("paper", "bad"),
    ]
    for text_colour, ground in pairs:
        assert _contrast(colours[text_colour], colours[ground]) >= 4.5, (text_colour, ground)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_error_that_nobody_foresaw_is_a_page_to_people_and_a_problem_to_programs(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    officer = sign_in(app, "lan.capture")

    def fails(*_: object) -> None:
        raise RuntimeError("table dossiers, 001090123456")

    monkeypatch.setattr(BackendClient, "dossiers", fails)
    shown = officer.get("/dossiers")
    assert (shown.status_code, "<h1" in text(shown)) == (500, True)
    assert fault("INTERNAL_ERROR").vi.what in html.unescape(text(shown))
    problem = officer.get("/dossiers", Accept="application/json")
    assert (problem.status_code, problem.get_json()["code"]) == (500, "INTERNAL_ERROR")
    assert "001090123456" not in text(shown) + text(problem)
    assert [record.message for record in caplog.records].count("unexpected error") == 2
