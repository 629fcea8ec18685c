"""On the pages: what a card costs, the older card, and the notice of a rejection."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.delivery import active, confirm, deliver, made
from tests.support.form_text import form_text
from tests.support.issuance_office import NOW, PASSWORD, Office
from tests.support.office_pages import PERSON, captured, sign_in, text
from verification.messages.fault_catalogue import fault

NEW = f"/dossiers/new?citizen_number={PERSON.citizen_number}"
KEPT = {"fee_reason": "exchange", "old_card": "kept", "receipt": "BL-0001"}


@pytest.mark.parametrize(
    ("language", "free", "due"), [("vi", "Không phải nộp", "25.000 đồng"), ("en", "None", "25,000 VND")]
)
def test_the_page_says_what_each_reason_costs_today(app: Flask, language: str, free: str, due: str) -> None:
    shown = text(sign_in(app, "lan.capture", language).get(NEW))
    (first,) = re.findall(r'value="first".*?</label>', shown)
    (exchange,) = re.findall(r'value="exchange".*?</label>', shown)
    assert free in first
    assert due in exchange
    said = {"vi": "chưa được đối chiếu với văn bản", "en": "was not compared with the text yet"}[language]
    assert said in shown
    assert "Thông tư 64/2025/TT-BTC" in shown


def test_no_reason_is_chosen_for_the_officer_and_none_may_be_left_out(app: Flask) -> None:
    lan = sign_in(app, "lan.capture")
    assert not re.findall(r'name="(?:fee_reason|old_card)"[^>]*checked', text(lan.get(NEW)))
    refused = lan.capture(fee_reason="", old_card="")
    shown = text(refused)
    assert refused.status_code == 422
    assert {'id="fee_reason-fault"', 'id="old_card-fault"'} <= set(re.findall(r'id="[a-z_]+-fault"', shown))


def test_a_fee_without_a_receipt_is_told_beside_it_and_what_was_chosen_is_kept(app: Flask) -> None:
    shown = text(sign_in(app, "lan.capture").capture(**{**KEPT, "receipt": ""}))
    assert fault("FEE_RECEIPT_MISSING").vi.what in shown
    assert re.search(r'name="fee_reason" value="exchange" checked', shown)
    assert re.search(r'name="old_card" value="kept" checked', shown)


def test_the_older_card_is_taken_on_the_page_of_the_hand_over(app: Flask, office: Office) -> None:
    active(office, PERSON)
    lan = sign_in(app, "lan.capture")
    path = lan.sealed(lan.capture(**KEPT), app).headers["Location"]
    shown = text(lan.get(path))
    assert {"BL-0001", "25.000", "đã đánh dấu"} <= {
        each for each in ("BL-0001", "25.000", "đã đánh dấu") if each in shown
    }
    card = made(office, path.rpartition("/")[2])
    deliver(office, card)
    confirm(office, card)
    office_clerk = sign_in(app, "mai.office")
    said = {"dossier": path.rpartition("/")[2]}
    act = f"/credentials/{card}/hand-over"
    assert 'name="old_card" value="taken"' in text(office_clerk.get(path))
    assert office_clerk.post(act, said, page=path).status_code == 303
    assert fault("OLD_CARD_NOT_TAKEN").vi.what in text(office_clerk.get(path))
    lost = {**said, "old_card": "lost", "loss_report": "?", "receipt": "eyJ.e30.x"}
    unreported = office_clerk.post(act, lost, page=path)
    assert unreported.status_code == 422
    shown = text(unreported)
    assert 'id="loss_report-fault"' in shown
    assert re.search(r'name="old_card" value="lost" required checked', shown)
    assert "eyJ.e30.x" in shown, "the receipt need not be made anew"
    done = office_clerk.done(act, {**said, "old_card": "taken"}, page=path)
    assert "Đã thu lại" in done


def test_a_notice_is_opened_handed_over_and_told_to_the_citizen(app: Flask, office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("hai.approve", "Hai", (Role.APPROVER,), PASSWORD)
    path = f"/dossiers/{captured(app)}"
    said = {"reason": "fraud", "legal_basis": "Luật 26/2023/QH15", "comment": "Giấy tờ giả"}
    sign_in(app, "minh.approve").done(f"{path}/reject", said, page=path)
    shown = sign_in(app, "hai.approve").done(f"{path}/reject/confirm", page=path)
    assert f"{path}/rejection-notice.pdf" in shown
    assert "rejection-notice/handover" not in shown
    lan = sign_in(app, "lan.capture")
    assert "rejection-notice/handover" not in text(lan.get(path))
    notice = lan.get(f"{path}/rejection-notice.pdf")
    assert notice.content_type == "application/pdf"
    assert PERSON.full_name in form_text(notice.get_data())
    assert "đã lập, chưa trao" in text(lan.get(path))
    assert "đã trao cho công dân" in lan.done(f"{path}/rejection-notice/handover", page=path)
    assert "rejection-notice/handover" not in text(lan.get(path))


def test_an_auditor_is_offered_no_notice(app: Flask, office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    door.enrol("hai.approve", "Hai", (Role.APPROVER,), PASSWORD)
    door.enrol("ktv", "Ktv", (Role.AUDITOR,), PASSWORD)
    path = f"/dossiers/{captured(app)}"
    said = {"reason": "fraud", "legal_basis": "Luật 26/2023/QH15", "comment": "Giấy tờ giả"}
    sign_in(app, "minh.approve").done(f"{path}/reject", said, page=path)
    sign_in(app, "hai.approve").done(f"{path}/reject/confirm", page=path)
    auditor = sign_in(app, "ktv")
    assert "rejection-notice" not in text(auditor.get(path))
    answer = auditor.get(f"{path}/rejection-notice.pdf", Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "OFFICER_ROLE_MISSING")
