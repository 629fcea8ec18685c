"""Dossiers on the pages: approvals, the archive, targeted returns, rejection by two, cases."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from flask import Flask

from enrollment_admin.ui.pages import local_day
from issuance_backend.dossiers.retention_desk import RetentionDesk
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from tests.support.issuance_office import NOW, PASSWORD, REASON, Office, picture
from tests.support.office_pages import PERSON, Browser, approved, captured, sign_in, text
from tests.support.running import run_pending
from verification.messages.fault_catalogue import fault
from verification.messages.national_time import vietnam_date

CHIEFS = {
    "tuan.leader": (Role.TEAM_LEADER,),
    "vinh.chief": (Role.DISTRICT_CHIEF,),
    "an.archive": (Role.ARCHIVE_CLERK,),
    "hai.approve": (Role.APPROVER,),
}


@pytest.fixture
def chiefs(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    for officer, roles in CHIEFS.items():
        door.enrol(officer, officer.title(), roles, PASSWORD)


def offers(shown: str) -> set[str]:
    """The addresses that a page's forms post to, after the dossier's own."""
    return set(re.findall(r'action="/(?:dossiers|credentials)/[0-9a-f]+/([a-z/-]+)"', shown))


def test_every_reader_finds_only_what_is_theirs_to_do(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    assert offers(text(sign_in(app, "lan.capture").get(path))) == {"withdraw"}
    assert offers(text(sign_in(app, "minh.approve").get(path))) == {
        "approve", "return", "archive-lookup", "reject",
    }  # fmt: skip
    assert offers(text(sign_in(app, "hoa.production").get(path))) == set()


def test_a_page_says_when_pictures_were_erased(app: Flask, office: Office) -> None:
    dossier = captured(app)
    path = f"/dossiers/{dossier}"
    lan = sign_in(app, "lan.capture")
    assert "portrait.jpg" in lan.done(f"{path}/withdraw", page=path)
    later = office.now[0] + timedelta(days=365)
    assert RetentionDesk(office.database, lambda: later).erase() == 1
    for language, said in (("vi", "đã xoá ngày"), ("en", "erased on")):
        shown = text(sign_in(app, "lan.capture", language).get(path))
        assert "portrait.jpg" not in shown
        assert f"{said} {local_day(vietnam_date(later).isoformat())}" in shown
    answer = lan.get(f"{path}/portrait.jpg", Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (410, "PICTURE_ERASED")


def test_two_officers_approve_and_each_page_says_what_comes_next(app: Flask) -> None:
    dossier = captured(app)
    path = f"/dossiers/{dossier}"
    minh = sign_in(app, "minh.approve")
    minh.approve(dossier)
    shown = text(minh.get(path))
    assert "Chưa có kho sinh trắc" in shown
    assert "approve-centrally" not in offers(shown)
    thu = sign_in(app, "thu.central")
    assert "approve-centrally" in offers(text(thu.get(path)))
    assert "Chờ sản xuất thẻ" in thu.done(f"{path}/approve-centrally", page=path)


def test_whoever_approved_locally_is_not_offered_the_central_approval(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    binh = sign_in(app, "binh.both")
    binh.sign(binh.post(f"{path}/approve", page=path))
    shown = text(binh.get(path))
    assert "approve-centrally" not in offers(shown)
    assert fault("SAME_OFFICER").vi.what in shown
    answer = binh.post(f"{path}/approve-centrally", page=path, Accept="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "SAME_OFFICER")


@pytest.mark.usefixtures("chiefs")
def test_the_archive_is_asked_approved_by_territory_and_answered(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    minh = sign_in(app, "minh.approve")
    unsaid = minh.post(f"{path}/archive-lookup", page=path)
    assert unsaid.status_code == 422
    assert 'id="ask-reason-fault"' in text(unsaid)
    shown = minh.done(f"{path}/archive-lookup", {"reason": "paper_prints"}, page=path)
    assert "Vân tay lưu trên giấy" in shown
    # The dossier has no unit: it counts as outside the province, so the chief approves and not the leader.
    assert "archive-lookup/approve" not in offers(text(sign_in(app, "tuan.leader").get(path)))
    clerk = sign_in(app, "an.archive")
    assert offers(text(clerk.get(path))) == set()
    sign_in(app, "vinh.chief").done(f"{path}/archive-lookup/approve", page=path)
    shown = clerk.done(f"{path}/archive-lookup/result", {"result": "agrees", "note": "Tờ 12"}, page=path)
    assert "Khớp với tàng thư" in shown
    assert "Tờ 12" in shown


def test_only_what_was_returned_is_captured_again(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    minh, lan = sign_in(app, "minh.approve"), sign_in(app, "lan.capture")
    minh.done(f"{path}/return", {"items": ["identification"], "comment": "Ghi rõ hơn"}, page=path)
    form = text(lan.get(f"{path}/recapture"))
    assert 'name="identification"' in form
    assert 'name="place_of_residence"' not in form
    assert 'id="portrait"' not in form
    changed = {"citizen_number": PERSON.citizen_number, "identification": "Sẹo ở trán"}
    sealed = lan.sealed(lan.post(f"{path}/recapture", changed, page=f"{path}/recapture"), app)
    assert sealed.headers["Location"] == path
    assert "Sẹo ở trán" in text(lan.get(path))


def test_what_was_not_returned_is_refused_beside_its_field(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    sign_in(app, "minh.approve").done(
        f"{path}/return", {"items": ["portrait"], "comment": "Ảnh mờ"}, page=path
    )
    form: dict[str, Any] = {"citizen_number": PERSON.citizen_number, "identification": "Khác hẳn"}
    form |= {"manual_portrait_reason": REASON, "portrait": (io.BytesIO(picture(2)), "p.jpg")}
    answer = sign_in(app, "lan.capture").post(f"{path}/recapture", form, page=f"{path}/recapture")
    assert answer.status_code == 422
    assert fault("ITEM_NOT_RETURNED").vi.what in text(answer)


@pytest.mark.usefixtures("chiefs")
def test_a_rejection_takes_two_officers_and_a_legal_basis(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    minh = sign_in(app, "minh.approve")
    said = {"reason": "not_entitled", "comment": "Chưa đủ 14 tuổi"}
    without = minh.post(f"{path}/reject", said, page=path)
    assert without.status_code == 422
    assert 'id="propose_rejection-legal_basis-fault"' in text(without)
    assert "Chưa đủ 14 tuổi</textarea>" in text(without)
    shown = minh.done(f"{path}/reject", {**said, "legal_basis": "Điều 19"}, page=path)
    assert "reject/confirm" not in offers(shown)
    hai = sign_in(app, "hai.approve")
    assert "reject/confirm" in offers(text(hai.get(path)))
    assert "Hồ sơ bị từ chối" in hai.done(f"{path}/reject/confirm", page=path)


def test_a_card_that_cannot_be_printed_is_offered_as_a_reason_once_it_is_ordered(app: Flask) -> None:
    dossier = captured(app)
    path, reason = f"/dossiers/{dossier}", 'value="card_unprintable"'
    shown = text(sign_in(app, "minh.approve").get(path))
    assert 'value="not_entitled"' in shown
    assert reason not in shown
    approved(app, dossier)
    said = {"reason": "card_unprintable", "legal_basis": "Điều 19", "comment": "Chữ không in được"}
    first, second = sign_in(app, "thu.central"), sign_in(app, "binh.both")
    assert reason in text(first.get(path))
    assert "Nội dung không in được lên thẻ" in first.done(f"{path}/reject", said, page=path)
    assert "Hồ sơ bị từ chối" in second.done(f"{path}/reject/confirm", page=path)


@pytest.mark.usefixtures("chiefs")
def test_a_case_stops_a_dossier_and_the_same_case_lets_it_go_on(app: Flask) -> None:
    path = f"/dossiers/{captured(app)}"
    chief = sign_in(app, "vinh.chief")
    bad = chief.post(f"{path}/suspend", {"case_id": "?"}, page=path)
    assert bad.status_code == 422
    assert 'id="suspend-case_id-fault"' in text(bad)
    assert "Tạm dừng theo vụ việc" in chief.done(f"{path}/suspend", {"case_id": "VA-2026/17"}, page=path)
    assert "approve" not in offers(text(sign_in(app, "minh.approve").get(path)))
    other = chief.post(f"{path}/resume", {"case_id": "VA-2026/99"}, page=path)
    assert other.status_code == 422
    assert "Chờ duyệt tại địa phương" in chief.done(f"{path}/resume", {"case_id": "VA-2026/17"}, page=path)


def test_the_forms_of_a_dossier_are_those_of_its_day(app: Flask, office: Office) -> None:
    office.now[0] = NOW.replace(year=2021)
    dossier = captured(app)
    lan = sign_in(app, "lan.capture")
    assert "66/2015/TT-BCA" in text(lan.get(f"/dossiers/{dossier}"))
    paper = lan.get(f"/dossiers/{dossier}/forms/CC02.pdf")
    assert paper.content_type == "application/pdf"
    printed = pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
    assert "PHIẾU THU NHẬN THÔNG TIN CĂN CƯỚC CÔNG DÂN" in printed


def test_an_officer_begins_where_their_work_is(app: Flask, office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("e.mot", "E", (Role.EXAMINER,), PASSWORD)
    starts = {
        officer: sign_in(app, officer).get("/").headers["Location"]
        for officer in ("lan.capture", "khoa.stock", "dung.courier", "e.mot")
    }
    assert starts == {
        "lan.capture": "/dossiers",
        "khoa.stock": "/stock",
        "dung.courier": "/boxes",
        "e.mot": "/adjudication",
    }


def test_the_top_line_has_the_pages_of_the_roles_and_no_others(app: Flask) -> None:
    shown = text(sign_in(app, "dung.courier").get("/boxes"))
    assert set(re.findall(r'<a href="(/[a-z]+)"', shown)) >= {"/boxes", "/reports"}
    assert 'href="/dossiers"' not in shown
    assert 'href="/stock"' not in shown


def _card_of(app: Flask, dossier: str) -> str:
    found = sign_in(app, "lan.capture").get(f"/dossiers/{dossier}", Accept="application/json").get_json()
    return str(found["credential"])


def test_from_capture_to_lost_card_over_the_pages(app: Flask, office: Office, tmp_path: Path) -> None:
    dossier = captured(app)
    path = f"/dossiers/{dossier}"
    approved(app, dossier)
    keeper, operator = sign_in(app, "khoa.stock"), sign_in(app, "hoa.production")
    keeper.done("/stock/deliveries", {"first": "VN000000001", "last": "VN000000020"}, page="/stock")
    operator.done("/production", {"limit": "10"}, page="/production")
    run_pending(office.card_line())
    shown = text(operator.get("/production"))
    assert "1/1" in shown
    batch = re.search(r'href="(/production/[0-9a-f-]+)"', shown)
    assert batch
    assert dossier in text(operator.get(batch.group(1)))
    card = _card_of(app, dossier)
    assert card in text(keeper.get("/boxes/new?unit=001.02.00013"))
    box = _shipped(app, keeper, card)
    assert "Hộp đã nhận đủ" in text(sign_in(app, "mai.office").get(box))
    _handed_over(app, path, card)
    lan = sign_in(app, "lan.capture")
    assert PERSON.full_name in text(lan.get(f"/credentials?citizen_number={PERSON.citizen_number}"))
    shown = lan.done(f"/credentials/{card}/report-lost", page=path)
    assert "Thẻ đang tạm khoá" in shown
    assert f'href="/dossiers/new?citizen_number={PERSON.citizen_number}"' in shown


def _shipped(app: Flask, keeper: Browser, card: str) -> str:
    """Packed, carried and taken in; on the way a courier's wrong seal and an office's wrong scan."""
    wrong = keeper.post(
        "/boxes", {"unit": "001.02.00013", "cards": "0" * 16}, page="/boxes/new?unit=001.02.00013"
    )
    assert (wrong.status_code, fault("CREDENTIAL_UNKNOWN").vi.what in text(wrong)) == (422, True)
    keeper.done("/boxes", {"unit": "001.02.00013", "cards": f"{card}\n"}, page="/boxes/new?unit=001.02.00013")
    found = re.search(r'href="(/boxes/[0-9a-f]{8,})"', text(keeper.get("/boxes")))
    assert found
    box = found.group(1)
    seal = re.search(r'class="seal">([0-9a-f]+)<', text(keeper.get(box)))
    assert seal
    courier, receiver = sign_in(app, "dung.courier"), sign_in(app, "mai.office")
    assert seal.group(1) not in text(courier.get(box))
    courier.post(f"{box}/dispatch", {"digest": "0" * 64}, page=box)
    assert fault("BOX_SEAL_BROKEN").vi.what in text(courier.get(box))
    courier.done(f"{box}/dispatch", {"digest": seal.group(1)}, page=box)
    missing = receiver.post(f"{box}/receipt", {"cards": "1" * 16}, page=box)
    assert missing.status_code == 422
    assert card in text(missing)
    receiver.done(f"{box}/receipt", {"cards": card}, page=box)
    return box


def _handed_over(app: Flask, path: str, card: str) -> None:
    """Without a proof it is refused; after a supervisor's word another officer hands over."""
    office = sign_in(app, "mai.office")
    office.post(f"/credentials/{card}/hand-over", {"dossier": path.rpartition("/")[2]}, page=path)
    assert fault("HANDOVER_PROOF_MISSING").vi.what in text(office.get(path))
    sign_in(app, "son.supervisor").done(
        f"/credentials/{card}/confirm-holder", {"reason": "chip_unreadable"}, page=path
    )
    assert "Thẻ đang có hiệu lực" in office.done(f"/credentials/{card}/hand-over", page=path)
