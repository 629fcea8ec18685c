"""Several officers at the same moment, on both engines: one of them wins, nothing is done twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update

from issuance_backend import recorded_events
from issuance_backend.credentials.domain import CardState
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import FAILURES_BEFORE_BLOCK
from issuance_backend.recorded_events import Step
from issuance_backend.schema import CREDENTIALS, DOSSIERS, EVENTS, OFFICERS
from tests.support.delivery import (
    EXCHANGED,
    RECEIVER,
    active,
    card_of,
    confirm,
    deliver,
    finished,
    hand_over,
    shown_to_nobody,
)
from tests.support.issuance_office import NOW, PASSWORD, Office, OfficerClient, citizens

PERSON = citizens()[0]
AT_ONCE = 6


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Start every piece of work at the same moment; what each gave."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        start.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(120) for each in [pool.submit(one, work) for work in works]]


def own_clients(office: Office, signed_in: OfficerClient) -> list[OfficerClient]:
    """The same session from several machines: a test client serves one thread."""
    return [OfficerClient(office.client(), signed_in.token, signed_in.officer) for _ in range(AT_ONCE)]


def outcomes(answers: list[Any]) -> Counter[str]:
    return Counter(answer.get_json().get("code", "done") for answer in answers)


def chain_is_whole(office: Office, kind: str = "dossier") -> int:
    """How many steps of this kind of subject a chain has that nobody broke."""
    with office.database.reading() as connection:
        recorded_events.verify(connection)
        counted = select(func.count()).where(EVENTS.c.subject.startswith(f"{kind}/"))
        return connection.execute(counted).scalar_one()


def validated(office: Office, lan: OfficerClient, capture_id: str = "capture-0000000001") -> str:
    return str(lan.capture(PERSON, capture_id).get_json()["id"])


def test_one_person_captured_in_many_places_at_once(office: Office) -> None:
    clients = own_clients(office, office.sign_in("lan.capture"))
    works = [
        lambda client=client, number=number: client.capture(PERSON, f"capture-000000000{number}")
        for number, client in enumerate(clients)
    ]
    assert outcomes(at_once(works)) == Counter({"done": 1, "DOSSIER_ALREADY_OPEN": AT_ONCE - 1})
    assert chain_is_whole(office) == 2


def test_one_capture_sent_many_times_at_once(office: Office) -> None:
    clients = own_clients(office, office.sign_in("lan.capture"))
    answers = at_once([lambda client=client: client.capture(PERSON) for client in clients])
    # Whoever looked before the first one wrote is told that it was accepted meanwhile.
    assert set(outcomes(answers)) <= {"done", "STATE_NOT_ALLOWED", "DOSSIER_ALREADY_OPEN"}
    assert len({answer.get_json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert chain_is_whole(office) == 2


def test_different_people_captured_at_once_all_get_through(office: Office) -> None:
    clients = own_clients(office, office.sign_in("lan.capture"))
    works = [
        lambda client=client, person=person, number=number: client.capture(
            person, f"capture-000000000{number}"
        )
        for number, (client, person) in enumerate(zip(clients, citizens(), strict=True))
    ]
    assert outcomes(at_once(works)) == Counter({"done": AT_ONCE})
    assert chain_is_whole(office) == 2 * AT_ONCE


def test_one_dossier_approved_by_many_at_once_orders_one_card(office: Office) -> None:
    dossier = validated(office, office.sign_in("lan.capture"))
    office.sign_in("minh.approve").approve(dossier)
    clients = own_clients(office, office.sign_in("thu.central"))
    path = f"/v1/dossiers/{dossier}/central-approval"
    answers = at_once([lambda client=client: client.post(path) for client in clients])
    assert outcomes(answers) == Counter({"done": 1, "STATE_NOT_ALLOWED": AT_ONCE - 1})
    with office.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(CREDENTIALS)).scalar_one() == 1
    chain_is_whole(office)


def test_approved_and_returned_at_once_is_one_of_them(office: Office) -> None:
    dossier = validated(office, office.sign_in("lan.capture"))
    clients = own_clients(office, office.sign_in("minh.approve"))
    reasons = {"items": ["portrait"], "comment": "mờ"}
    works: list[Callable[[], Any]] = []
    for number, client in enumerate(clients):
        if number % 2:
            path, body = "/v1/approval-lists", client.signed(dossier)
        else:
            path, body = f"/v1/dossiers/{dossier}/return", reasons
        works.append(lambda client=client, path=path, body=body: client.post(path, body))
    assert outcomes(at_once(works))["done"] == 1
    with office.database.reading() as connection:
        events = [step.event for step in recorded_events.of_subject(connection, f"dossier/{dossier}")]
    assert events in (
        ["capture", "validate", "return"],
        ["capture", "validate", "approve_locally", "skip_search"],
    )


def test_a_hand_over_and_a_loss_of_the_older_card_at_once_leave_one_active_card(office: Office) -> None:
    older = active(office, PERSON)
    newer = finished(office, PERSON, "capture-0000000002", terms=EXCHANGED)
    deliver(office, newer)
    confirm(office, newer)
    lan = office.sign_in("lan.capture")
    works: list[Callable[[], Any]] = []
    for number, client in enumerate(own_clients(office, lan)):
        path = f"{newer}/handover" if number % 2 else f"{older}/loss-report"
        works.append(lambda client=client, path=path: client.post(f"/v1/credentials/{path}"))
    assert set(outcomes(at_once(works))) <= {"done", "STATE_NOT_ALLOWED", "DATABASE_BUSY"}
    with office.database.reading() as connection:
        rows = connection.execute(select(CREDENTIALS.c.id, CREDENTIALS.c.state))
        states = {row.id: row.state for row in rows}
        completed = connection.execute(select(DOSSIERS.c.state)).scalars().all()
    assert Counter(states.values())[CardState.ACTIVE.value] <= 1
    hand_over_if_waiting(office, newer)
    with office.database.reading() as connection:
        rows = connection.execute(select(CREDENTIALS.c.id, CREDENTIALS.c.state))
        states = {row.id: row.state for row in rows}
    assert states == {older: CardState.REPLACED.value, newer: CardState.ACTIVE.value}
    assert len(completed) == 2
    chain_is_whole(office)


def test_a_hand_over_waits_for_whoever_works_with_the_dossier_and_holds_nothing_up(office: Office) -> None:
    card = finished(office, PERSON)
    deliver(office, card)
    confirm(office, card)
    receiver, dossier = office.sign_in(RECEIVER), card_of(office, card).dossier
    step = Step(
        subject=f"dossier/{dossier}", event="erase", state="approved", actor="lan",
        at="2026-11-21T03:00:00.000000Z", detail={},
    )  # fmt: skip
    with ThreadPoolExecutor(1) as counter:
        with office.database.writing() as connection:
            connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(unit="001.002"))
            handing_over = counter.submit(receiver.post, f"/v1/credentials/{card}/handover")
            with pytest.raises(TimeoutError):
                handing_over.result(timeout=1)
            recorded_events.append(connection, step)
        assert handing_over.result(timeout=60).status_code == 200


def test_whoever_is_turned_away_at_two_counters_at_once_came_once(office: Office) -> None:
    card = finished(office, PERSON)
    deliver(office, card)
    at_once([lambda: shown_to_nobody(office, card)] * AT_ONCE)
    subject = f"visit/{card_of(office, card).dossier}.{NOW:%Y%m%d}"
    with office.database.reading() as connection:
        assert [step.event for step in recorded_events.of_subject(connection, subject)] == ["turn_away"]


def hand_over_if_waiting(office: Office, card: str) -> None:
    """Hand over once more, where everybody was told that the database was busy."""
    if card_of(office, card).state is CardState.AT_OFFICE:
        hand_over(office, card)


def test_a_certificates_withdrawal_waits_for_a_seal_under_way(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing, may_go_on, add = threading.Event(), threading.Event(), dossiers.add

    def slowly(*written: Any) -> None:
        sealing.set()
        assert may_go_on.wait(60)
        add(*written)

    monkeypatch.setattr(dossiers, "add", slowly)
    lan, son = office.sign_in("lan.capture"), office.sign_in("son.supervisor")
    asked = {"since": NOW.isoformat(), "case_id": "VV-2026-1"}
    with ThreadPoolExecutor(2) as pool:
        sealed = pool.submit(lan.capture, PERSON)
        assert sealing.wait(60)
        withdrawn = pool.submit(son.post, "/v1/officer-certificates/lan.capture/withdrawal", asked)
        try:
            with pytest.raises(TimeoutError):
                withdrawn.result(timeout=1)
        finally:
            may_go_on.set()
    assert sealed.result().status_code == 201
    assert withdrawn.result().get_json() == {"certificates": 1, "held": 1, "others": []}
    late = lan.capture(citizens()[1], "capture-0000000002")
    assert (late.status_code, late.get_json()["code"]) == (403, "OFFICER_NOT_CERTIFIED")
    chain_is_whole(office)


def test_a_certificates_withdrawal_waits_for_whoever_works_with_a_dossier(office: Office) -> None:
    dossier, son = validated(office, office.sign_in("lan.capture")), office.sign_in("son.supervisor")
    asked = {"since": NOW.isoformat(), "case_id": "VV-2026-1"}
    moved = {"unit": "001.02", "version": DOSSIERS.c.version + 1}
    with ThreadPoolExecutor(1) as pool:
        with office.database.writing() as connection:
            connection.execute(update(DOSSIERS).where(DOSSIERS.c.id == dossier).values(moved))
            withdrawn = pool.submit(son.post, "/v1/officer-certificates/lan.capture/withdrawal", asked)
            with pytest.raises(TimeoutError):
                withdrawn.result(timeout=1)
        assert withdrawn.result(timeout=60).get_json() == {"certificates": 1, "held": 1, "others": []}


def test_many_who_record_at_once_make_one_chain(office: Office) -> None:
    def record(worker: int) -> None:
        for number in range(12):
            step = Step(
                subject=f"card/{worker}-{number}", event="order", state="ordered", actor="lan",
                at="2026-11-21T03:00:00.000000Z", detail={"dossier": "x", "attempt": "1"},
            )  # fmt: skip
            with office.database.writing() as connection:
                recorded_events.append(connection, step)

    at_once([lambda worker=worker: record(worker) for worker in range(AT_ONCE)])
    assert chain_is_whole(office, "card") == 12 * AT_ONCE


def test_guessing_at_once_is_counted_and_blocks(office: Office) -> None:
    works = [
        lambda: office.client().post("/v1/officer-sessions", json={"officer": "lan.capture", "password": "x"})
        for _ in range(AT_ONCE)
    ]
    assert set(outcomes(at_once(works))) <= {"OFFICER_SIGN_IN_FAILED", "OFFICER_SIGN_IN_BLOCKED"}
    right = {"officer": "lan.capture", "password": PASSWORD}
    answer = office.client().post("/v1/officer-sessions", json=right)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "OFFICER_SIGN_IN_BLOCKED")


def test_every_wrong_password_counts_once_and_a_late_one_ends_no_block(office: Office) -> None:
    def fail() -> None:
        with office.database.writing() as connection:
            officers.record_failure(connection, "lan.capture", NOW)

    def stands() -> tuple[int, bool]:
        with office.database.reading() as connection:
            row = connection.execute(select(OFFICERS).where(OFFICERS.c.id == "lan.capture")).one()
        return row.failed_sign_ins, row.blocked_until is not None

    at_once([fail] * (FAILURES_BEFORE_BLOCK - 1))
    assert stands() == (FAILURES_BEFORE_BLOCK - 1, False)
    at_once([fail] * 3)
    assert stands() == (2, True)
