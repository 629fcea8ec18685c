"""The card before: marked and kept until the hand-over, then taken or reported lost, and never forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.delivery import RECEIVER, UNIT, active, card_of, confirm, deliver, finished
from tests.support.issuance_office import Office, citizens

PERSON = citizens()[1]
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
