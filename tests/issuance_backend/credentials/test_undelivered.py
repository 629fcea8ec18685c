"""Cards that nobody fetches."""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_backend import credential_commands, recorded_events
from issuance_backend.credentials import undelivered_desk
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.steps import SYSTEM, Step
from tests.support.delivery import SUPERVISOR, card_of, deliver, finished, hand_over
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens

STOCK = "khoa.stock"


def waiting(office: Office, person: int = 0) -> str:
    card = finished(office, citizens()[person], f"capture-000000000{person}")
    deliver(office, card)
    return card


def age(office: Office, days: int = 60) -> int:
    return undelivered_desk.age(office.database, lambda: office.now[0], days)


def step(office: Office, officer: str, card: str, name: str) -> Any:
    return office.sign_in(officer).post(f"/v1/credentials/{card}/{name}")


def test_a_card_ages_after_its_days_and_not_before(office: Office) -> None:
    first = waiting(office)
    office.now[0] = NOW + timedelta(days=1)
    second = waiting(office, 1)
    office.now[0] = NOW + timedelta(days=60)
    assert age(office) == 0
    office.now[0] += timedelta(seconds=1)
    assert (age(office), age(office)) == (1, 0)
    assert (card_of(office, first).state, card_of(office, second).state) == ("undelivered", "at_office")
    listed = office.sign_in("mai.office").get("/v1/credentials/work-list?state=undelivered").get_json()
    assert [card["id"] for card in listed] == [first]


def test_who_comes_late_still_gets_the_card(office: Office) -> None:
    card = waiting(office)
    office.now[0] = NOW + timedelta(days=61)
    age(office)
    assert hand_over(office, card).get_json()["state"] == "active"


def lies_in_drawer(office: Office, card: str) -> bool:
    """Whether the machines keep anything of a card."""
    return any(office.card_dir.glob(f"{card}*"))


def returned(office: Office) -> str:
    card = waiting(office)
    assert step(office, STOCK, card, "return").get_json()["code"] == "STATE_NOT_ALLOWED"
    office.now[0] = NOW + timedelta(days=61)
    age(office)
    assert step(office, "mai.office", card, "return").get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert step(office, STOCK, card, "return").get_json()["place"] == "centre"
    for kept in ("card", "pdf", "front.png", "back.png"):
        (office.card_dir / f"{card}.{kept}").write_bytes(b"written or printed")
    return card


def test_two_officers_destroy_what_came_back(office: Office) -> None:
    card = returned(office)
    first = step(office, STOCK, card, "destruction").get_json()
    assert first == {
        "card": card, "state": "returned_to_centre", "first_officer": STOCK, "second_officer": None,
    }  # fmt: skip
    assert step(office, STOCK, card, "destruction").get_json()["code"] == "SAME_OFFICER"
    assert lies_in_drawer(office, card)
    second = step(office, SUPERVISOR, card, "destruction").get_json()
    assert (second["state"], second["second_officer"]) == ("destroyed", SUPERVISOR)
    assert card_of(office, card).place == "destroyed"
    assert not lies_in_drawer(office, card)
    assert step(office, SUPERVISOR, card, "destruction").get_json()["code"] == "STATE_NOT_ALLOWED"


def test_a_card_that_could_not_be_destroyed_is_not_recorded_as_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = returned(office)
    step(office, STOCK, card, "destruction")

    def stuck(_path: Path, **_options: object) -> None:
        raise PermissionError

    with monkeypatch.context() as drawer:
        drawer.setattr(Path, "unlink", stuck)
        refused = step(office, SUPERVISOR, card, "destruction")
    assert (refused.status_code, refused.get_json()["code"]) == (503, "PRODUCTION_UNAVAILABLE")
    assert card_of(office, card).state == "returned_to_centre"
    assert step(office, SUPERVISOR, card, "destruction").get_json()["state"] == "destroyed"
    assert not lies_in_drawer(office, card)


@pytest.mark.parametrize("officer", ["hoa.production", "lan.capture", "thu.central"])
def test_who_made_the_card_or_decided_the_dossier_destroys_nothing(office: Office, officer: str) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol(
        officer, officer, (Role.QUALITY, Role.CAPTURE, Role.CENTRAL_APPROVER), PASSWORD
    )
    card = returned(office)
    assert step(office, officer, card, "destruction").get_json()["code"] == "SAME_OFFICER"


def test_who_examined_the_dossier_destroys_nothing(office: Office) -> None:
    OfficerDoor(office.database, lambda: NOW).enrol("an.examiner", "An", (Role.QUALITY,), PASSWORD)
    card = returned(office)
    examined = Step(
        subject=f"dossier/{card_of(office, card).dossier}", event="different", state="dedup_1n",
        actor=SYSTEM, at=rfc3339(NOW), detail={"examiners": "an.examiner,vy.examiner"},
    )  # fmt: skip
    with office.database.writing() as connection:
        recorded_events.append(connection, examined)
    assert step(office, "an.examiner", card, "destruction").get_json()["code"] == "SAME_OFFICER"


def test_a_card_that_is_good_is_not_destroyed(office: Office) -> None:
    card = waiting(office)
    assert step(office, STOCK, card, "destruction").get_json()["code"] == "STATE_NOT_ALLOWED"
    assert step(office, "mai.office", card, "destruction").get_json()["code"] == "OFFICER_ROLE_MISSING"


def test_the_command_ages(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    card = waiting(office)
    parser = argparse.ArgumentParser()
    credential_commands.add_commands(parser)
    options = parser.parse_args(["age", "--days", "1"])
    # The card came in the past of the machine's own clock, or in its future: both are said plainly.
    told = credential_commands.run(options, {}, office.database)
    assert told == f"{int(card_of(office, card).state == 'undelivered')} cards are undelivered"
    options.days = 0
    with pytest.raises(ValueError, match="at least a day"):
        credential_commands.run(options, {}, office.database)
