"""The pages on which a counter's capture is printed, signed, answered for and sealed."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask

from tests.support.issuance_office import Office, citizens
from tests.support.office_pages import Browser, captured, sign_in, signature, text
from verification.messages.fault_catalogue import fault


@pytest.fixture
def lan(app: Flask) -> Browser:
    return sign_in(app, "lan.capture")


def begun(browser: Browser) -> str:
    answer = browser.capture()
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["Location"])


def signed(browser: Browser, path: str) -> str:
    browser.done(f"{path}/form", page=path)
    return browser.done(f"{path}/agreement", {"language": "km", "signature": signature()}, page=path)


def test_each_step_is_offered_to_whom_it_belongs(app: Flask, lan: Browser) -> None:
    path = begun(lan)
    shown = text(lan.get(path))
    assert citizens()[0].full_name in shown
    assert "Kiểm tra và in phiếu" in shown
    assert f"{path}/answer" not in shown
    assert f"{path}/agreement" not in shown, "nothing is signed that was not printed"
    assert "Sau khi kiểm tra và in phiếu" in shown, "what comes stands where it will be done"
    printed = lan.done(f"{path}/form", page=path)
    assert "Sau khi kiểm tra và in phiếu" not in printed
    assert f"{path}/form.pdf" in printed
    assert lan.get(f"{path}/form.pdf").get_data().startswith(b"%PDF")
    assert "Khmer" in signed(lan, path)
    supervisor = sign_in(app, "son.supervisor")
    listed = text(supervisor.get("/counter"))
    assert f'href="{path}"' in listed
    assert "Cán bộ giám sát xác nhận" in listed
    seen = text(supervisor.get(path))
    assert "Nơi thu nhận không có máy lấy vân tay" in seen
    assert f"{path}/seal" not in seen
    stale = supervisor.post(f"{path}/answer", {"form": "0" * 64}, page=path)
    assert fault("STATE_NOT_ALLOWED").vi.what in text(supervisor.get(stale.headers["Location"]))
    (form,) = re.findall(r'name="form" value="([0-9a-f]{64})"', seen)
    answered = supervisor.done(f"{path}/answer", {"form": form, "unsigned": ""}, page=path)
    assert "son.supervisor" in answered
    sealed = lan.post(f"{path}/seal", page=path)
    assert sealed.headers["Location"].startswith("/dossiers/")
    assert sealed.headers["Location"] in text(lan.get(path))
    assert path not in text(lan.get("/counter"))


def test_what_is_missing_stands_beside_its_step(lan: Browser) -> None:
    path = begun(lan)
    early = lan.post(f"{path}/seal", page=path)
    assert early.status_code == 422
    for name in ("FORM", "SIGNATURE", "SUPERVISOR"):
        assert fault(f"COUNTER_{name}_MISSING").vi.what in text(early)
    lan.done(f"{path}/form", page=path)
    no_picture = {"language": "vi", "signature": (io.BytesIO(b"%PDF"), "form.pdf")}
    refused = lan.post(f"{path}/agreement", no_picture, page=path)
    assert (refused.status_code, fault("COUNTER_SIGNATURE_NO_PICTURE").vi.what in text(refused)) == (
        422,
        True,
    )
    too_large = {"language": "vi", "signature": (io.BytesIO(bytes(15 * 1024 * 1024)), "s.png")}
    assert lan.post(f"{path}/agreement", too_large, page=path).status_code == 413
    cannot = lan.done(f"{path}/agreement", {"language": "hmn", "cannot_sign": "yes"}, page=path)
    assert "Công dân không ký được" in cannot


def test_what_the_rules_find_when_it_is_sealed_is_told(app: Flask, office: Office, lan: Browser) -> None:
    """The registry learned something after the form was signed."""
    path = lan.signed(lan.capture(), app)
    del office.registry.people[citizens()[0].citizen_number]
    refused = lan.post(f"{path}/seal", page=path)
    assert refused.status_code == 422
    assert f"Số định danh cá nhân: {fault('REGISTRY_PERSON_UNKNOWN').vi.what}" in text(refused)
    assert "huỷ lượt này và thu nhận lại" in text(refused)


def test_a_capture_is_withdrawn_and_nobody_is_named_any_more(lan: Browser) -> None:
    path = begun(lan)
    gone = lan.done(f"{path}/withdrawal", page=path)
    assert "không còn giữ gì về công dân" in gone
    assert citizens()[0].full_name not in gone
    assert lan.get(f"{path}/form.pdf").status_code == 409


def test_it_is_said_in_english_too(app: Flask, lan: Browser) -> None:
    path = begun(lan)
    signed(lan, path)
    shown = text(sign_in(app, "son.supervisor", "en").get(path))
    assert "I have seen what was not captured" in shown
    assert "No print scanner where it was captured" in shown


def test_others_find_nothing_there(app: Flask, lan: Browser) -> None:
    path = begun(lan)
    minh = sign_in(app, "minh.approve")
    assert 'href="/counter"' not in text(minh.get("/dossiers"))
    assert minh.get("/counter").status_code == minh.get(path).status_code == 403
    assert sign_in(app, "binh.both").get(path).status_code == 404


@pytest.mark.parametrize("item", ["fingerprints", "finger_04", "finger_14", "hand_photo_left"])
def test_whatever_was_returned_is_taken_again_at_a_counter(
    app: Flask, office: Office, lan: Browser, item: str
) -> None:
    path = f"/dossiers/{captured(app)}"
    asked = {"items": [item], "comment": "Vân mờ"}
    assert office.sign_in("minh.approve").post(f"/v1{path}/return", asked).status_code == 200
    shown = text(lan.get(f"{path}/recapture"))
    assert f'action="{path}/recapture"' in shown
    assert "bộ thiết bị" not in shown


def test_a_form_that_came_back_is_signed_again_at_the_counter(
    app: Flask, office: Office, lan: Browser
) -> None:
    path = f"/dossiers/{captured(app)}"
    reasons = {"items": ["form"], "comment": "Chữ ký mờ"}
    sign_in(app, "minh.approve").done(f"{path}/return", reasons, page=path)
    page = f"{path}/recapture"
    assert "bộ thiết bị" not in text(lan.get(page))
    again = lan.post(page, {"citizen_number": citizens()[0].citizen_number}, page=page)
    counter = str(again.headers["Location"])
    assert "Cán bộ giám sát" not in signed(lan, counter)
    assert lan.post(f"{counter}/seal", page=counter).headers["Location"] == path
    steps = office.sign_in("lan.capture").get(f"/v1{path}").get_json()["steps"]
    assert [step["detail"].get("consent_language") for step in steps if step["event"] == "capture"] == [
        "vi",
        "km",
    ]
