"""Cards that are good no longer: why, on whose word, and what others are told."""

from __future__ import annotations

from typing import Any

import pytest

from issuance_backend import recorded_events
from issuance_backend.outbox import repository as outbox
from issuance_backend.outbox.domain import Ask, Topic
from tests.support.delivery import EXCHANGED, SUPERVISOR, active, card_of, deliver, finished, hand_over
from tests.support.issuance_office import STATUS_TOKEN, Office, citizens

PERSON = citizens()[0]


def told(office: Office, card: str) -> str:
    """What a gateway is answered."""
    answer = office.client().post(
        "/v1/credential-status-queries",
        json={"status_key": card_of(office, card).status_key},
        headers={"Authorization": f"Bearer {STATUS_TOKEN}"},
    )
    return str(answer.get_json()["state"])


def step(office: Office, card: str, name: str, body: Any = None, officer: str = SUPERVISOR) -> Any:
    return office.sign_in(officer).post(f"/v1/credentials/{card}/{name}", body)


def test_a_lost_card_is_suspended_for_loss_and_comes_back_when_it_is_found(office: Office) -> None:
    card = active(office, PERSON)
    assert step(office, card, "loss-report", officer="lan.capture").get_json()["reason"] == "loss"
    assert (card_of(office, card).state, told(office, card)) == ("suspended", "lost")
    assert step(office, card, "resumption", officer="lan.capture").status_code == 403
    assert step(office, card, "resumption").get_json()["state"] == "active"
    assert (card_of(office, card).reason, told(office, card)) == (None, "active")
    with office.database.reading() as connection:
        notices = outbox.after(connection, 0, Ask(topics=(Topic.CREDENTIAL_STATUS,)))
    assert [notice.data["state"] for notice in notices][-3:] == ["active", "lost", "active"]


@pytest.mark.parametrize(
    ("reason", "case", "fault"),
    [
        ("investigation", None, {"case": "FIELD_MISSING"}),
        ("investigation", "x y", {"case": "FIELD_CHARACTERS"}),
        ("fraud", "x y", {"case": "FIELD_CHARACTERS", "reason": "FIELD_CHARACTERS"}),
        ("fraud", "VA-1", {"reason": "FIELD_CHARACTERS"}),
        ("missing", None, {"reason": "FIELD_CHARACTERS"}),
    ],
)
def test_a_suspension_names_a_reason_that_there_is(
    office: Office, reason: str, case: str | None, fault: dict[str, str]
) -> None:
    answer = step(office, "x", "suspension", {"reason": reason, "case": case})
    assert answer.get_json()["fields"] == fault


def test_an_investigation_suspends_and_revokes_with_its_case(office: Office) -> None:
    card = active(office, PERSON)
    why = {"reason": "investigation", "case": "VA_2026/118"}
    assert step(office, card, "suspension", why, "lan.capture").status_code == 403
    assert step(office, card, "suspension", why).status_code == 200
    assert told(office, card) == "suspended"
    assert step(office, card, "revocation", {"reason": "fraud"}).get_json()["fields"] == {
        "case": "FIELD_MISSING"
    }
    assert step(office, card, "revocation", {"reason": "fraud", "case": "VA-2026/118"}).status_code == 200
    assert (told(office, card), card_of(office, card).reason) == ("revoked", "fraud")
    for again in ("resumption", "loss-report"):
        assert step(office, card, again).get_json()["code"] == "STATE_NOT_ALLOWED"
    with office.database.reading() as connection:
        cases = [each.detail.get("case") for each in recorded_events.of_subject(connection, f"card/{card}")]
    assert cases[-2:] == ["VA_2026/118", "VA-2026/118"]


def test_a_card_is_revoked_on_its_way_and_never_handed_over(office: Office) -> None:
    card = finished(office, PERSON)
    deliver(office, card)
    assert step(office, card, "revocation", {"reason": "data_error"}).status_code == 200
    assert (told(office, card), card_of(office, card).place) == ("revoked", "office:001.002")
    assert office.sign_in("mai.office").post(f"/v1/credentials/{card}/handover").status_code == 409


@pytest.mark.parametrize("lost_first", [True, False])
def test_the_old_card_dies_with_the_hand_over_of_the_new_one(office: Office, lost_first: bool) -> None:
    old = active(office, PERSON)
    if lost_first:
        step(office, old, "loss-report")
    new = finished(office, PERSON, "capture-0000000002", terms=EXCHANGED)
    deliver(office, new)
    assert told(office, old) == ("lost" if lost_first else "active")
    assert hand_over(office, new).status_code == 200
    assert (told(office, old), told(office, new)) == ("replaced", "active")
    assert step(office, old, "resumption").get_json()["code"] == "STATE_NOT_ALLOWED"


@pytest.mark.parametrize("name", ["suspension", "resumption", "revocation", "loss-report", "return"])
def test_an_unknown_card_is_none(office: Office, name: str) -> None:
    officer = "khoa.stock" if name == "return" else SUPERVISOR
    body = {"reason": "data_error"} if name in {"suspension", "revocation"} else None
    assert step(office, "x", name, body, officer).get_json()["code"] == "CREDENTIAL_UNKNOWN"
