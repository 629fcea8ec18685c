"""What a supervisor does to a card from its dossier's page, and what becomes of its order."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from issuance_backend.credentials.undelivered_desk import age
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.card_printer import CardDrawer
from tests.support.delivery import deliver, hand_over
from tests.support.issuance_office import NOW, PASSWORD, Office
from tests.support.office_pages import approved, captured, sign_in, text
from verification.messages.fault_catalogue import fault


@pytest.fixture
def dossier(app: Flask, office: Office) -> str:
    """A dossier whose card lies at its office."""
    made = captured(app)
    approved(app, made)
    office.make_cards()
    deliver(office, card_of(office, made)["id"])
    return made


def card_of(office: Office, dossier: str) -> dict[str, str]:
    card: dict[str, str] = office.sign_in("son.supervisor").get(f"/v1/dossiers/{dossier}").get_json()["card"]
    return card


def test_a_card_is_revoked_for_fraud_with_its_case_and_not_without(
    app: Flask, office: Office, dossier: str
) -> None:
    page = f"/dossiers/{dossier}"
    card = card_of(office, dossier)["id"]
    supervisor = sign_in(app, "son.supervisor")
    shown = text(supervisor.get(page))
    assert 'id="revoke-case"' in shown
    assert 'value="missing"' in shown
    act = f"/credentials/{card}/revoke"
    without = supervisor.post(act, {"reason": "fraud", "dossier": dossier}, page=page)
    assert without.status_code == 303
    assert fault("FIELDS_REFUSED").vi.what in text(supervisor.get(page))
    assert card_of(office, dossier)["state"] == "at_office"
    supervisor.done(act, {"reason": "fraud", "case": "VA-2026/9", "dossier": dossier}, page=page)
    assert card_of(office, dossier)["state"] == "revoked"


def test_a_card_in_its_holders_hands_cannot_be_called_missing(
    app: Flask, office: Office, dossier: str
) -> None:
    assert hand_over(office, card_of(office, dossier)["id"]).status_code == 200
    shown = text(sign_in(app, "son.supervisor").get(f"/dossiers/{dossier}"))
    assert 'id="revoke-case"' in shown
    assert 'value="missing"' not in shown


def test_an_approved_dossier_whose_card_is_gone_is_rejected_by_two_of_the_centre(
    app: Flask, office: Office, dossier: str
) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("hai.central", "Hai", (Role.CENTRAL_APPROVER,), PASSWORD)
    page, thu = f"/dossiers/{dossier}", sign_in(app, "thu.central")
    assert f'action="{page}/reject"' not in text(thu.get(page))
    card = card_of(office, dossier)["id"]
    gone = {"reason": "death", "dossier": dossier}
    sign_in(app, "son.supervisor").done(f"/credentials/{card}/revoke", gone, page=page)
    held = text(sign_in(app, "hoa.production").get("/production"))
    assert "Bị giữ: 1" in held
    said = {"reason": "not_entitled", "legal_basis": "Điều 24", "comment": "Công dân đã chết"}
    thu.done(f"{page}/reject", said, page=page)
    assert "Hồ sơ bị từ chối" in sign_in(app, "hai.central").done(f"{page}/reject/confirm", page=page)
    assert "Bị giữ: 1" not in text(sign_in(app, "hoa.production").get("/production"))


def test_a_card_that_was_handed_in_is_listed_and_destroyed_by_two(
    app: Flask, office: Office, dossier: str
) -> None:
    page, card = f"/dossiers/{dossier}", card_of(office, dossier)["id"]
    assert hand_over(office, card).status_code == 200
    supervisor, quality = sign_in(app, "son.supervisor"), sign_in(app, "nga.quality")
    supervisor.done(f"/credentials/{card}/revoke", {"reason": "handed_in", "dossier": dossier}, page=page)
    assert page in text(quality.get("/credentials/work-list?state=withdrawn"))
    assert "Thẻ đã thu lại" in text(quality.get(page))
    for browser in (quality, supervisor):
        browser.done(f"/credentials/{card}/destroy", {"dossier": dossier}, page=page)
    assert card_of(office, dossier)["state"] == "destroyed"
    assert "Bị giữ: 1" not in text(sign_in(app, "hoa.production").get("/production")), "nobody wants another"
    assert page not in text(quality.get("/credentials/work-list?state=withdrawn"))


def test_a_stock_keeper_signs_on_the_list_and_finds_no_way_to_dossiers(
    app: Flask, office: Office, dossier: str
) -> None:
    card, page = card_of(office, dossier)["id"], "/credentials/work-list?state=withdrawn"
    number, name = (card_of(office, dossier)[each] for each in ("citizen_number", "full_name"))
    assert hand_over(office, card).status_code == 200
    gone = office.sign_in("son.supervisor").post(
        f"/v1/credentials/{card}/revocation", {"reason": "handed_in"}
    )
    assert gone.status_code == 200
    keeper, act = sign_in(app, "khoa.stock"), f"/credentials/{card}/destroy"
    for shown in (text(keeper.get(page)), text(keeper.get(f"/credentials?citizen_number={number}"))):
        assert name in shown
        assert f"/dossiers/{dossier}" not in shown
    assert f'action="{act}"' in text(keeper.get(page))
    assert act not in text(sign_in(app, "mai.office").get(page))
    answer = keeper.post(act, {"list": "withdrawn"}, page=page)
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert "Cần thêm chữ ký của cán bộ thứ hai" in text(keeper.get(page))
    keeper.post(act, {"list": "withdrawn"}, page=page)
    assert fault("SAME_OFFICER").vi.what in text(keeper.get(page))
    supervisor = sign_in(app, "son.supervisor")
    assert f"/dossiers/{dossier}" in text(supervisor.get(page))
    assert "thẻ đã tiêu huỷ" in supervisor.done(act, {"list": "withdrawn"}, page=page)
    assert act not in text(keeper.get(page))
    assert card_of(office, dossier)["state"] == "destroyed"


def test_a_stock_keeper_takes_in_what_nobody_fetched_on_the_list(
    app: Flask, office: Office, dossier: str
) -> None:
    card, page = card_of(office, dossier)["id"], "/credentials/work-list?state=undelivered"
    office.now[0] += timedelta(days=61)
    assert age(office.database, lambda: office.now[0], 60) == 1
    keeper, act = sign_in(app, "khoa.stock"), f"/credentials/{card}/return"
    assert f'action="{act}"' in text(keeper.get(page))
    assert act not in text(sign_in(app, "son.supervisor").get(page))
    assert act not in keeper.done(act, {"list": "undelivered"}, page=page)
    assert f"/credentials/{card}/destroy" in text(
        keeper.get("/credentials/work-list?state=returned_to_centre")
    )


def test_lists_of_cards_without_a_state_are_offered_and_a_wrong_one_is_named(app: Flask) -> None:
    office = sign_in(app, "mai.office")
    answer = office.get("/credentials/work-list")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/credentials")
    assert 'href="/credentials/work-list?state=at_office"' in text(office.get("/credentials"))
    refused = office.get("/credentials/work-list?state=there")
    assert refused.status_code == 422
    assert f"Trạng thái: {fault('FIELD_CHARACTERS').vi.what}" in text(refused)


def test_a_quality_officer_looks_at_a_printed_card_and_refuses_it(app: Flask, office: Office) -> None:
    dossier = captured(app)
    approved(app, dossier)
    office.make_cards()
    nga, operator = sign_in(app, "nga.quality"), sign_in(app, "hoa.production")
    found = re.search(r'href="(/production/[0-9a-f]+)"', text(nga.get("/production")))
    assert found
    pictures = re.findall(
        r'href="(/production/cards/[0-9a-f]{16}/(?:front|back)\.png)"', text(nga.get(found[1]))
    )
    printed = CardDrawer(office.card_dir).printed(card_of(office, dossier)["id"])
    answers = [nga.get(each) for each in pictures]
    assert [each.get_data() for each in answers] == [printed.front, printed.back]
    assert {each.content_type for each in answers} == {"image/png"}
    assert "front.png" not in text(operator.get(found[1]))
    assert operator.get(pictures[0]).status_code == 403
    act = pictures[0].replace("front.png", "refuse")
    nga.done(act, {"fault": "surface_damaged", "batch": found[1].rsplit("/", 1)[1]}, page=found[1])
    assert "front.png" not in text(nga.get(found[1]))
    assert nga.get(pictures[0]).status_code == 409
