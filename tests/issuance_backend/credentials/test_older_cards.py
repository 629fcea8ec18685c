"""The card before: marked and kept until the hand-over, then taken or reported lost, and never forgotten."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.delivery import RECEIVER, SUPERVISOR, UNIT, active, card_of, confirm, deliver, finished
from tests.support.issuance_office import NOW, Office, citizens

PERSON = citizens()[1]
EXPIRING = citizens()[2]
"""Whose card has a last day."""
KEPT = {"reason": "exchange", "old_card": "kept", "receipt": "BL-0001"}
REPORTED = {"old_card": "lost", "loss_report": "TB-12/2026"}


def exchanged(office: Office, **terms: str) -> tuple[str, str]:
    """An active card, and the one in its place, which waits at the office."""
    older = active(office, PERSON)
    newer = finished(office, PERSON, "capture-0000000002", terms={**KEPT, **terms})
    deliver(office, newer)
    confirm(office, newer)
    return older, newer


def hand_over(office: Office, card: str, said: dict[str, str]) -> Any:
    return office.sign_in(RECEIVER).post(f"/v1/credentials/{card}/handover", said)


def view(office: Office, card: str) -> Any:
    path = f"/v1/dossiers/{card_of(office, card).dossier}"
    return office.sign_in("lan.capture").get(path).get_json()


@pytest.mark.parametrize("said", [{}, {"old_card": "kept"}, {"old_card": "none"}])
def test_a_card_that_was_kept_is_taken_before_the_new_one_is_handed_over(
    office: Office, said: dict[str, str]
) -> None:
    older, newer = exchanged(office)
    refused = hand_over(office, newer, said)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "OLD_CARD_NOT_TAKEN")
    assert [card_of(office, each).state for each in (older, newer)] == ["active", "at_office"]
    assert hand_over(office, newer, {"old_card": "taken"}).status_code == 200
    assert [card_of(office, each).state for each in (older, newer)] == ["replaced", "active"]
    assert card_of(office, older).place == f"withdrawn:{UNIT}"
    assert view(office, newer)["old_card"] == "taken"


@pytest.mark.parametrize("report", ["", "x", "Nguyễn Văn A"])
def test_a_card_that_is_lost_after_all_is_lost_by_a_report(office: Office, report: str) -> None:
    older, newer = exchanged(office)
    refused = hand_over(office, newer, {"old_card": "lost", "loss_report": report})
    assert (refused.status_code, list(refused.get_json()["fields"])) == (422, ["loss_report"])
    assert card_of(office, newer).state == "at_office"
    assert hand_over(office, newer, REPORTED).status_code == 200
    assert card_of(office, older).place == "holder"
    assert view(office, newer)["old_card"] == "lost"


def test_a_card_that_was_taken_at_the_counter_is_with_the_office_and_not_asked_for_again(
    office: Office,
) -> None:
    older, newer = exchanged(office, old_card="taken")
    refused = hand_over(office, newer, {"old_card": "taken"})
    assert refused.get_json()["fields"] == {"old_card": "OLD_CARD_CONTRADICTED"}
    assert hand_over(office, newer, {}).status_code == 200
    assert card_of(office, older).place == f"withdrawn:{UNIT}"


def test_the_figures_say_what_is_still_kept(office: Office) -> None:
    def kept() -> tuple[int, int]:
        report = StatisticsOffice(office.database, lambda: office.now[0]).report(Asked())
        stock = [each.stock for each in report.stocks if (each.kind, each.state) == ("old_card", "kept")]
        return sum(stock), report.total.to_date.get("old_cards_taken", 0)

    _, newer = exchanged(office)
    assert kept() == (1, 0)
    assert hand_over(office, newer, {"old_card": "taken"}).status_code == 200
    assert kept() == (0, 1)


def rejected(office: Office, **terms: str) -> tuple[str, str]:
    """An active card, and the rejected application for the one in its place."""
    older = active(office, PERSON)
    return older, reject(office, terms)


def reject(office: Office, terms: dict[str, str], person: RegistryPerson = PERSON) -> str:
    said = {**KEPT, **terms}
    captured = office.sign_in("lan.capture").capture(person, "capture-0000000002", terms=said)
    dossier: str = captured.get_json()["id"]
    why = {"reason": "fraud", "legal_basis": "Luật 26/2023/QH15", "comment": "Giấy tờ giả"}
    proposed = office.sign_in("minh.approve").post(f"/v1/dossiers/{dossier}/rejection", why)
    assert proposed.status_code in {200, 204}, proposed.get_data(as_text=True)
    path = f"/v1/dossiers/{dossier}/rejection/confirmation"
    assert office.sign_in("thu.central").post(path).status_code in {200, 204}
    return dossier


def fate(office: Office, dossier: str) -> str:
    told = office.sign_in("lan.capture").get(f"/v1/dossiers/{dossier}").get_json()
    return str(told["old_card"])


def test_a_card_that_was_kept_is_its_holders_again_when_the_application_is_rejected(office: Office) -> None:
    older, dossier = rejected(office)
    assert fate(office, dossier) == "given_back"
    assert (card_of(office, older).state, card_of(office, older).place) == ("active", "holder")
    report = StatisticsOffice(office.database, lambda: office.now[0]).report(Asked())
    held = {each.state: each.stock for each in report.stocks if each.kind == "old_card"}
    assert (held.get("kept", 0), report.total.to_date["old_cards_given_back"]) == (0, 1)


def test_a_card_that_was_taken_goes_back_with_the_notice_of_the_rejection(office: Office) -> None:
    older, dossier = rejected(office, old_card="taken")
    assert fate(office, dossier) == "owed_back"
    clerk = office.sign_in("lan.capture")
    assert clerk.get(f"/v1/dossiers/{dossier}/rejection-notice.pdf").status_code == 200
    assert fate(office, dossier) == "owed_back"
    assert clerk.post(f"/v1/dossiers/{dossier}/rejection-notice/handover").status_code in {200, 204}
    assert fate(office, dossier) == "given_back"
    assert (card_of(office, older).state, card_of(office, older).place) == ("active", "holder")


def test_a_card_that_is_lost_is_nobodys_to_give_back(office: Office) -> None:
    _, dossier = rejected(office, reason="lost", old_card="lost")
    assert fate(office, dossier) == "lost"


def test_an_expired_card_that_was_taken_stays_and_is_destroyed_by_two(office: Office) -> None:
    older = active(office, EXPIRING)
    expires = card_of(office, older).expires_on
    assert expires is not None
    office.now[0] = datetime.combine(expires, time(12), tzinfo=NOW.tzinfo) + timedelta(days=1)
    dossier = reject(office, {"old_card": "taken"}, EXPIRING)
    card = card_of(office, older)
    assert (fate(office, dossier), card.state, card.reason) == ("taken", "revoked", "handed_in")
    assert str(card.place).startswith("withdrawn:")
    destroyed(office, older)


def test_on_its_last_day_a_card_is_good_and_goes_back(office: Office) -> None:
    older = active(office, EXPIRING)
    expires = card_of(office, older).expires_on
    assert expires is not None
    office.now[0] = datetime.combine(expires, time(12), tzinfo=NOW.tzinfo)
    assert fate(office, reject(office, {"old_card": "taken"}, EXPIRING)) == "owed_back"
    assert card_of(office, older).state == "active"


@pytest.mark.parametrize(("said", "becomes"), [("kept", "given_back"), ("taken", "given_back")])
def test_whoever_withdraws_has_the_card_again_at_once(office: Office, said: str, becomes: str) -> None:
    older = active(office, PERSON)
    clerk = office.sign_in("lan.capture")
    captured = clerk.capture(PERSON, "capture-0000000002", terms={**KEPT, "old_card": said}).get_json()["id"]
    assert clerk.post(f"/v1/dossiers/{captured}/withdrawal").status_code in {200, 204}
    assert fate(office, captured) == becomes
    assert card_of(office, older).state == "active"


def listed(office: Office) -> list[str]:
    found = office.sign_in("mai.office").get("/v1/credentials/work-list?state=withdrawn")
    return [card["id"] for card in found.get_json()]


def destroyed(office: Office, card: str) -> None:
    path = f"/v1/credentials/{card}/destruction"
    assert listed(office) == [card]
    stock = office.sign_in("khoa.stock")
    assert stock.post(path).get_json()["second_officer"] is None
    assert stock.post(path).get_json()["code"] == "SAME_OFFICER"
    assert office.sign_in(SUPERVISOR).post(path).get_json()["state"] == "destroyed"
    assert (card_of(office, card).place, listed(office)) == ("destroyed", [])


def test_what_was_taken_at_the_hand_over_is_destroyed_by_two(office: Office) -> None:
    older, newer = exchanged(office)
    assert hand_over(office, newer, {"old_card": "taken"}).status_code == 200
    destroyed(office, older)
    assert card_of(office, newer).state == "active"


def test_what_the_holder_has_is_destroyed_by_nobody(office: Office) -> None:
    older, newer = exchanged(office)
    assert hand_over(office, newer, REPORTED).status_code == 200
    assert card_of(office, older).state == "replaced"
    refused = office.sign_in("khoa.stock").post(f"/v1/credentials/{older}/destruction")
    assert (refused.get_json()["code"], listed(office)) == ("STATE_NOT_ALLOWED", [])


@pytest.mark.parametrize(("reason", "place"), [("handed_in", "withdrawn:"), ("data_error", "holder")])
def test_a_card_that_was_handed_in_is_with_the_office(office: Office, reason: str, place: str) -> None:
    card = active(office, PERSON)
    revoked = office.sign_in(SUPERVISOR).post(f"/v1/credentials/{card}/revocation", {"reason": reason})
    assert revoked.status_code == 200
    assert str(card_of(office, card).place).startswith(place)
    assert listed(office) == ([card] if reason == "handed_in" else [])
