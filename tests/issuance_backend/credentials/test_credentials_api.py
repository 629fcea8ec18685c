"""Hand-over, the status question, and one active card a number whatever happens at once."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials import repository
from issuance_backend.credentials.domain import CardState
from issuance_backend.schema import CREDENTIALS
from tests.support.delivery import (
    EXCHANGED,
    RECEIVER,
    active,
    card_of,
    confirm,
    deliver,
    finished,
    hand_over,
    hand_over_in_a_process,
)
from tests.support.issuance_office import NOW, STATUS_TOKEN, Office, citizens

PERSON = citizens()[1]


def ready(office: Office, capture_id: str = "capture-0000000001", **changes: Any) -> str:
    """A card at its office."""
    card = finished(office, PERSON, capture_id, **changes)
    deliver(office, card)
    return card


def key_of(office: Office, card: str) -> str:
    return card_of(office, card).status_key or ""


def status(office: Office, key: str, token: str = STATUS_TOKEN) -> Any:
    return office.client().post(
        "/v1/credential-status-queries",
        json={"status_key": key},
        headers={"Authorization": f"Bearer {token}"},
    )


def test_the_status_follows_the_card(office: Office) -> None:
    card = finished(office, PERSON)
    key = key_of(office, card)
    assert status(office, key).get_json()["state"] == "issued"
    deliver(office, card)
    assert status(office, key).get_json()["state"] == "issued"
    hand_over(office, card)
    assert status(office, key).get_json()["state"] == "active"
    office.sign_in("lan.capture").post(f"/v1/credentials/{card}/loss-report")
    assert status(office, key).get_json()["state"] == "lost"
    assert status(office, "0" * 16).get_json()["state"] == "unknown"
    assert status(office, key, "wrong").status_code == 401


def test_a_card_expires_after_its_last_day_and_not_on_it(office: Office) -> None:
    card = active(office, PERSON)
    key = key_of(office, card)
    with office.database.writing() as connection:
        known = repository.find(connection, card)
        assert known is not None
        repository.save(connection, replace(known, expires_on=NOW.date().replace(year=2027, month=1, day=1)))
    office.now[0] = NOW.replace(year=2027, month=1, day=1, hour=16, minute=59)  # 23:59 in Viet Nam
    assert status(office, key).get_json()["state"] == "active"
    office.now[0] += timedelta(minutes=1)
    assert status(office, key).get_json() == {"state": "expired", "since": "2027-01-01"}


def test_a_step_that_the_state_does_not_allow_is_refused(office: Office) -> None:
    card, lan = finished(office, PERSON), office.sign_in("lan.capture")
    for step in ("handover", "loss-report"):
        answer = lan.post(f"/v1/credentials/{card}/{step}")
        assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")
    answer = office.sign_in("son.supervisor").post(
        f"/v1/credentials/{card}/holder-confirmation", {"reason": "holder_visited"}
    )
    assert answer.get_json()["code"] == "STATE_NOT_ALLOWED"


def test_an_approver_hands_nothing_over(office: Office) -> None:
    card = finished(office, PERSON)
    for officer, step in (
        ("minh.approve", "handover"), ("hoa.production", "handover"), ("minh.approve", "loss-report"),
    ):  # fmt: skip
        answer = office.sign_in(officer).post(f"/v1/credentials/{card}/{step}")
        assert answer.get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert office.sign_in("lan.capture").post("/v1/credentials/x/handover").status_code == 404


def _second_ready_card(office: Office) -> str:
    """A second card of the same person at the office: as two offices could have it."""
    other = finished(office, citizens()[2], "capture-0000000077")
    deliver(office, other)
    with office.database.writing() as connection:
        known = repository.find(connection, other)
        assert known is not None
        repository.save(connection, replace(known, citizen_number=PERSON.citizen_number))
    return other


def at_once(works: list[Callable[[], int]]) -> list[int]:
    start, answers = threading.Barrier(len(works)), []

    def one(work: Callable[[], int]) -> None:
        start.wait(30)
        answers.append(work())

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def handing_over(office: Office, card: str, officer: str) -> Callable[[], int]:
    client = office.sign_in(officer)
    return lambda: int(client.post(f"/v1/credentials/{card}/handover").status_code)


def test_two_hand_overs_at_once_leave_exactly_one_active_card(office: Office) -> None:
    both = [ready(office), _second_ready_card(office)]
    for card in both:
        confirm(office, card)
    officers = ("lan.capture", RECEIVER)
    works = [handing_over(office, card, who) for card, who in zip(both, officers, strict=True)]
    assert at_once(works) == [200, 200]
    with office.database.reading() as connection:
        states = sorted(card.state for card in repository.of_number(connection, PERSON.citizen_number))
    assert states == [CardState.ACTIVE, CardState.REPLACED]


def test_two_processes_at_once_leave_exactly_one_active_card(office: Office) -> None:
    both = [ready(office), _second_ready_card(office)]
    for card in both:
        confirm(office, card)
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=hand_over_in_a_process, args=(office.database.url, card, office.now[0]))
        for card in both
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0, 0]
    with office.database.reading() as connection:
        states = sorted(card.state for card in repository.of_number(connection, PERSON.citizen_number))
    assert states == [CardState.ACTIVE, CardState.REPLACED]


def test_the_same_card_handed_over_twice_at_once_is_handed_over_once(office: Office) -> None:
    card = ready(office)
    for _ in range(2):
        confirm(office, card)
    assert at_once([handing_over(office, card, who) for who in ("lan.capture", RECEIVER)]) == [200, 409]


def test_a_hand_over_and_a_resumption_at_once_leave_one_active_card(office: Office) -> None:
    old = active(office, PERSON)
    supervisor = office.sign_in("son.supervisor")
    assert supervisor.post(f"/v1/credentials/{old}/loss-report").status_code == 200
    new = ready(office, "capture-0000000002", terms=EXCHANGED)
    confirm(office, new)
    resuming = lambda: int(supervisor.post(f"/v1/credentials/{old}/resumption").status_code)  # noqa: E731
    answers = at_once([handing_over(office, new, RECEIVER), resuming])
    assert answers in ([200, 200], [200, 409])
    with office.database.reading() as connection:
        states = {card.id: card.state for card in repository.of_number(connection, PERSON.citizen_number)}
    assert states == {old: CardState.REPLACED, new: CardState.ACTIVE}


def test_a_hand_over_that_did_not_see_the_other_active_card_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ready(office), _second_ready_card(office)
    assert hand_over(office, first).status_code == 200
    confirm(office, second)
    monkeypatch.setattr(repository, "of_number", lambda _connection, _number: [])
    answer = office.sign_in(RECEIVER).post(f"/v1/credentials/{second}/handover")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "STATE_NOT_ALLOWED")
    assert status(office, key_of(office, first)).get_json()["state"] == "active"


def test_a_resumption_beside_a_newer_active_card_is_refused_by_the_database_itself(office: Office) -> None:
    card = active(office, PERSON)
    with office.database.reading() as connection:
        row = connection.execute(select(CREDENTIALS).where(CREDENTIALS.c.id == card)).mappings().one()
    forged = {**row, "id": "f" * 16, "chip_id": "F" * 16, "status_key": None, "attempt": 2}
    with pytest.raises(IntegrityError), office.database.writing() as connection:
        connection.execute(CREDENTIALS.insert().values(**forged))


def test_lists_are_for_their_states_and_in_pages(office: Office) -> None:
    cards = [finished(office, citizens()[n], f"capture-000000000{n}") for n in range(3)]
    stock = office.sign_in("khoa.stock")
    first = stock.get("/v1/credentials/work-list?state=qa_passed&limit=2")
    rest = stock.get(first.headers["Link"].partition(">")[0].lstrip("<"))
    assert sorted(card["id"] for card in first.get_json() + rest.get_json()) == sorted(cards)
    assert stock.get("/v1/credentials/work-list?state=good").status_code == 422
    refused = office.sign_in("dung.courier").get("/v1/credentials/work-list?state=qa_passed")
    assert refused.get_json()["code"] == "OFFICER_ROLE_MISSING"
