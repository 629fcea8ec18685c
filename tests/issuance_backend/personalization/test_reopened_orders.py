"""An order whose good card never reached its holder is held, and made again on the next blank."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from issuance_backend import recorded_events
from issuance_backend.credentials.undelivered_desk import age as age_cards
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.blank_stock import repository as blanks
from issuance_backend.personalization.blank_stock.domain import Account
from issuance_backend.personalization.card_faces.printed_faces import PrintJob
from issuance_backend.personalization.data_preparation import CardOrder
from issuance_backend.refusals import CardTextUnprintable
from tests.support.blank_books import blanks_by_account, posted_balances
from tests.support.delivery import (
    PACKER,
    RECEIVER,
    SUPERVISOR,
    card_of,
    deliver,
    dispatched,
    hand_over,
)
from tests.support.form_text import form_text
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from tests.support.running import run_pending


def produced(office: Office) -> tuple[str, str]:
    """A dossier, and its card as the line made it."""
    lan = office.sign_in("lan.capture")
    dossier = str(lan.capture(citizens()[4]).get_json()["id"])
    office.approve_all(dossier)
    office.make_cards()
    return dossier, newest_card(office, dossier)["id"]


def newest_card(office: Office, dossier: str) -> Any:
    return office.sign_in(SUPERVISOR).get(f"/v1/dossiers/{dossier}").get_json()["card"]


def order_of(office: Office) -> tuple[str, str | None]:
    hoa = office.sign_in("hoa.production")
    (batch,) = hoa.get("/v1/production-batches").get_json()
    (order,) = hoa.get(f"/v1/production-batches/{batch['id']}").get_json()
    return order["state"], order["code"]


def release(office: Office, dossier: str) -> Any:
    return office.sign_in("hoa.production").post(f"/v1/production-orders/{dossier}/release")


def destroyed(office: Office) -> tuple[str, str]:
    """A dossier whose card nobody fetched: returned to the centre and destroyed."""
    dossier, card = produced(office)
    deliver(office, card)
    office.now[0] = NOW + timedelta(days=61)
    age_cards(office.database, lambda: office.now[0])
    for officer, step in ((PACKER, "return"), (PACKER, "destruction"), (SUPERVISOR, "destruction")):
        answer = office.sign_in(officer).post(f"/v1/credentials/{card}/{step}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
    return dossier, card


def books(office: Office) -> dict[Account, int]:
    """The books, after every way to add them up gave the same."""
    with office.database.reading() as connection:
        recorded_events.verify(connection)
        held = blanks.balances(connection)
        assert held == posted_balances(connection) == blanks_by_account(connection)
    return held


def test_a_destroyed_card_leaves_the_books_and_its_order_waits_for_the_citizen(office: Office) -> None:
    _, card = destroyed(office)
    assert card_of(office, card).state == "destroyed"
    held = books(office)
    assert (held[Account.ISSUED], held[Account.DESTROYED]) == (0, 1)
    assert order_of(office) == ("held", "CARD_NOT_FETCHED")
    assert run_pending(office.card_line()) == 0, "nobody asked for another one"


def test_the_operator_of_a_batch_destroys_no_card_of_it(office: Office) -> None:
    _, card = produced(office)
    deliver(office, card)
    office.now[0] = NOW + timedelta(days=61)
    age_cards(office.database, lambda: office.now[0])
    assert office.sign_in(PACKER).post(f"/v1/credentials/{card}/return").status_code == 200
    door = OfficerDoor(office.database, lambda: office.now[0])
    door.enrol("hoa.production", "Hoa", (Role.PRODUCTION, Role.QUALITY), PASSWORD)
    answer = office.sign_in("hoa.production").post(f"/v1/credentials/{card}/destruction")
    assert answer.get_json()["code"] == "SAME_OFFICER"


def test_a_citizen_who_comes_after_all_gets_the_next_card_of_the_same_order(office: Office) -> None:
    dossier, card = destroyed(office)
    assert release(office, dossier).status_code == 204
    assert release(office, dossier).get_json()["code"] == "STATE_NOT_ALLOWED"
    run_pending(office.card_line())
    again = newest_card(office, dossier)
    assert (again["state"], again["attempt"]) == ("qa_passed", 2)
    assert again["id"] != card
    assert (books(office)[Account.ISSUED], books(office)[Account.DESTROYED]) == (1, 1)
    deliver(office, again["id"])
    assert hand_over(office, again["id"]).status_code == 200
    view = office.sign_in(SUPERVISOR).get(f"/v1/dossiers/{dossier}").get_json()
    assert (view["state"], view["credential_state"]) == ("completed", "active")


def test_a_card_that_never_arrived_is_made_again_when_an_operator_looked(office: Office) -> None:
    other = str(office.sign_in("lan.capture").capture(citizens()[2], "capture-0000000002").get_json()["id"])
    office.approve_all(other)
    dossier, card = produced(office)
    arrived = newest_card(office, other)["id"]
    box = dispatched(office, [card, arrived])
    path, scan = f"/v1/boxes/{box['id']}/receipt", {"cards": [arrived], "close_short": True}
    assert office.sign_in(RECEIVER).post(path, scan).status_code == 403
    assert office.sign_in(SUPERVISOR).post(path, scan).status_code == 200
    assert card_of(office, card).state == "revoked"
    assert run_pending(office.card_line()) == 0
    assert release(office, other).get_json()["code"] == "STATE_NOT_ALLOWED", "that one arrived"
    assert release(office, dossier).status_code == 204
    run_pending(office.card_line())
    again = newest_card(office, dossier)
    assert (again["state"], again["attempt"]) == ("qa_passed", 2)
    # The missing blank was issued once, and stays so: nobody has seen it destroyed.
    assert books(office)[Account.ISSUED] == 3


def revoked(office: Office, reason: str) -> tuple[str, str]:
    """A dossier whose card a supervisor revoked while it lay at its office."""
    dossier, card = produced(office)
    deliver(office, card)
    answer = office.sign_in(SUPERVISOR).post(f"/v1/credentials/{card}/revocation", {"reason": reason})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dossier, card


def reject(office: Office, dossier: str, reason: str = "not_entitled") -> tuple[int, int]:
    """Two central officers reject a dossier; what both were answered."""
    why = {"reason": reason, "legal_basis": "Luật 26/2023/QH15", "comment": "Không còn được cấp"}
    first = office.sign_in("binh.both").post(f"/v1/dossiers/{dossier}/rejection", why)
    second = office.sign_in("thu.central").post(f"/v1/dossiers/{dossier}/rejection/confirmation")
    return first.status_code, second.status_code


def test_a_card_that_was_lost_at_its_office_is_missing_and_is_made_again(office: Office) -> None:
    dossier, card = revoked(office, "missing")
    assert card_of(office, card).place == "missing"
    assert order_of(office) == ("held", "CARD_MISSING")
    assert release(office, dossier).status_code == 204
    run_pending(office.card_line())
    assert newest_card(office, dossier)["attempt"] == 2


def test_a_card_in_its_holders_hands_is_lost_and_never_missing(office: Office) -> None:
    _, card = produced(office)
    deliver(office, card)
    assert hand_over(office, card).status_code == 200
    supervisor = office.sign_in(SUPERVISOR)
    answer = supervisor.post(f"/v1/credentials/{card}/revocation", {"reason": "missing"})
    assert answer.get_json()["fields"] == {"reason": "FIELD_CHARACTERS"}
    assert supervisor.post(f"/v1/credentials/{card}/revocation", {"reason": "handed_in"}).status_code == 200
    assert order_of(office) == ("made", None), "the citizen applies for another one"


def test_an_order_goes_on_after_its_card_was_revoked_for_another_reason(office: Office) -> None:
    dossier, _ = revoked(office, "data_error")
    assert order_of(office) == ("held", "CARD_REVOKED_ON_ITS_WAY")
    assert release(office, dossier).status_code == 204
    assert reject(office, dossier) == (200, 409), "the next one is about to be made"
    run_pending(office.card_line())
    assert newest_card(office, dossier)["state"] == "qa_passed"


def test_an_approved_dossier_whose_card_is_gone_can_end_and_the_citizen_apply_again(office: Office) -> None:
    dossier, card = produced(office)
    assert reject(office, dossier) == (409, 409), "its card lies there"
    deliver(office, card)
    office.sign_in(SUPERVISOR).post(f"/v1/credentials/{card}/revocation", {"reason": "death"})
    why = {"reason": "not_entitled", "legal_basis": "Luật 26/2023/QH15", "comment": "Không còn được cấp"}
    approver = office.sign_in("minh.approve")
    assert approver.post(f"/v1/dossiers/{dossier}/rejection", why).status_code == 403
    assert reject(office, dossier) == (200, 200)
    assert order_of(office) == ("cancelled", None)
    assert release(office, dossier).get_json()["code"] == "STATE_NOT_ALLOWED"
    assert run_pending(office.card_line()) == 0
    again = office.sign_in("lan.capture").capture(citizens()[4], "capture-0000000009")
    assert again.status_code == 201, again.get_data(as_text=True)


def test_an_order_that_no_machine_can_make_ends_with_its_dossier_and_the_citizen_applies_anew(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unprintable(_order: CardOrder) -> PrintJob:
        raise CardTextUnprintable("a letter that no typeface has")

    lan = office.sign_in("lan.capture")
    dossier = str(lan.capture(citizens()[4]).get_json()["id"])
    office.approve_all(dossier)
    card = newest_card(office, dossier)["id"]
    line = office.card_line()
    monkeypatch.setattr(line, "_workshop", replace(line._workshop, draw_faces=unprintable))
    office.receive_blanks()
    assert office.sign_in("hoa.production").post("/v1/production-batches", {"limit": 1}).status_code == 201
    assert reject(office, dossier, "card_unprintable") == (200, 409), "a worker may be about to make it"
    run_pending(line)
    assert order_of(office) == ("held", "CARD_TEXT_UNPRINTABLE")
    revocation = f"/v1/credentials/{card}/revocation"
    refused = office.sign_in(SUPERVISOR).post(revocation, {"reason": "data_error"})
    assert refused.get_json()["code"] == "STATE_NOT_ALLOWED"
    assert reject(office, dossier, "card_unprintable") == (200, 200)
    assert order_of(office) == ("cancelled", None)
    ended = card_of(office, card)
    assert (ended.state, ended.reason, ended.place) == ("revoked", "data_error", None)
    notice = lan.get(f"/v1/dossiers/{dossier}/rejection-notice.pdf")
    said = " ".join(form_text(notice.data).split())
    assert "không in được lên thẻ căn cước" in said
    again = str(lan.capture(citizens()[4], "capture-0000000009").get_json()["id"])
    office.approve_all(again)
    office.make_cards()
    assert newest_card(office, again)["state"] == "qa_passed"
    books(office)


def test_only_an_order_is_rejected_as_unprintable(office: Office) -> None:
    dossier = str(office.sign_in("lan.capture").capture(citizens()[4]).get_json()["id"])
    why = {"reason": "card_unprintable", "legal_basis": "Luật 26/2023/QH15", "comment": "Không in được"}
    refused = office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/rejection", why)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")
    assert office.sign_in("lan.capture").get(f"/v1/dossiers/{dossier}").get_json()["rejection"] is None


def test_an_order_of_no_batch_ends_with_its_dossier_and_is_batched_no_more(office: Office) -> None:
    dossier = str(office.sign_in("lan.capture").capture(citizens()[4]).get_json()["id"])
    office.approve_all(dossier)
    assert reject(office, dossier) == (200, 200)
    made = office.sign_in("hoa.production").post("/v1/production-batches", {"limit": 1})
    assert made.get_json()["code"] == "STATE_NOT_ALLOWED"
