"""Electronic accounts: with a card or alone; ordered, approved, and activated are three things."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_backend import recorded_events
from issuance_backend.credentials import accounts
from issuance_backend.credentials.account_office import AccountOffice
from issuance_backend.credentials.accounts import AccountEvent, AccountState
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import RoleMissing
from tests.support.delivery import SUPERVISOR
from tests.support.issuance_office import Office, citizens
from verification.errors import TransitionRefused
from verification.messages.delivery import AccountOrder

PERSON = citizens()[0]
ALONE = {"citizen_number": PERSON.citizen_number}


def order(office: Office, body: Any = ALONE, officer: str = "lan.capture") -> Any:
    return office.sign_in(officer).post("/v1/accounts", body)


def step(office: Office, account: str, name: str, officer: str, body: Any = None) -> Any:
    return office.sign_in(officer).post(f"/v1/accounts/{account}/{name}", body)


def activate(office: Office, account: str) -> None:
    AccountOffice(office.database, lambda: office.now[0]).activate(account, "vneid")


def state(office: Office, account: str) -> str:
    found = office.sign_in("lan.capture").get(f"/v1/accounts?citizen_number={PERSON.citizen_number}")
    return str({each["id"]: each["state"] for each in found.get_json()}[account])


def test_an_account_alone_is_approved_by_another_officer_and_activated_by_its_holder(office: Office) -> None:
    account = order(office).get_json()["id"]
    with pytest.raises(TransitionRefused):
        activate(office, account)
    assert step(office, account, "approval", "lan.capture").get_json()["code"] == "OFFICER_ROLE_MISSING"
    assert step(office, account, "approval", "thu.central").get_json()["state"] == "approved"
    activate(office, account)
    assert state(office, account) == "active"
    with pytest.raises(TransitionRefused):
        activate(office, account)
    own = order(office, {"citizen_number": citizens()[1].citizen_number}, "binh.both").get_json()["id"]
    assert step(office, own, "approval", "binh.both").get_json()["code"] == "SAME_OFFICER"


def test_an_account_with_a_card_is_approved_in_the_moment_the_card_is_ordered(office: Office) -> None:
    dossier = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    made = order(office, {**ALONE, "dossier": dossier}).get_json()
    assert (made["state"], made["dossier"]) == ("sent_with_card", dossier)
    office.approve_all(dossier)
    assert state(office, made["id"]) == "approved"
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"account/{made['id']}")
    assert [each.event for each in steps] == ["capture", "send_with_card", "approve"]
    assert steps[-1].actor == "thu.central"
    report = office.sign_in("lan.capture").get("/v1/statistics/report").get_json()
    counted = {name: amount for name, amount in report["total"]["to_date"].items() if "account" in name}
    assert counted == {"account_captured": 1, "account_with_card": 1, "account_approved": 1}


def test_who_ordered_an_account_does_not_approve_it_with_the_card(office: Office) -> None:
    dossier = office.sign_in("lan.capture").capture(PERSON).get_json()["id"]
    account = order(office, {**ALONE, "dossier": dossier}, "binh.both").get_json()["id"]
    office.sign_in("minh.approve").approve(dossier)
    approved = office.sign_in("binh.both").post(f"/v1/dossiers/{dossier}/central-approval")
    assert approved.get_json()["credential_state"] == "ordered"
    assert state(office, account) == "sent_with_card"
    assert step(office, account, "approval", "binh.both").get_json()["code"] == "SAME_OFFICER"
    assert step(office, account, "approval", "thu.central").get_json()["state"] == "approved"


def test_a_number_has_one_open_account(office: Office) -> None:
    account = order(office).get_json()["id"]
    assert order(office).get_json()["code"] == "STATE_NOT_ALLOWED"
    fraud = {"reason": "fraud"}
    assert step(office, account, "closure", SUPERVISOR, {"reason": "x"}).status_code == 422
    assert step(office, account, "closure", SUPERVISOR, fraud).get_json()["state"] == "closed"
    assert order(office).status_code == 201
    assert step(office, account, "resumption", SUPERVISOR).get_json()["code"] == "STATE_NOT_ALLOWED"
    assert state(office, account) == "closed"


@pytest.mark.parametrize("held", ["captured", "approved", "active"])
def test_a_held_account_goes_on_where_it_stood(office: Office, held: str) -> None:
    account = order(office).get_json()["id"]
    if held != "captured":
        step(office, account, "approval", "thu.central")
    if held == "active":
        activate(office, account)
    why = {"reason": "investigation"}
    assert step(office, account, "suspension", SUPERVISOR, why).get_json()["reason"] == "investigation"
    assert step(office, account, "approval", "thu.central").get_json()["code"] == "STATE_NOT_ALLOWED"
    resumed = step(office, account, "resumption", SUPERVISOR).get_json()
    assert (resumed["state"], resumed["reason"]) == (held, None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"citizen_number": "1"}, "FIELDS_REFUSED"),
        ({**ALONE, "dossier": "f" * 16}, "DOSSIER_UNKNOWN"),
        ({}, "REQUEST_MALFORMED"),
    ],
)
def test_an_order_that_names_nobody_is_refused(office: Office, body: Any, code: str) -> None:
    assert order(office, body).get_json()["code"] == code


def test_another_persons_dossier_orders_nothing(office: Office) -> None:
    dossier = office.sign_in("lan.capture").capture(citizens()[1]).get_json()["id"]
    answer = order(office, {**ALONE, "dossier": dossier})
    assert answer.get_json()["fields"] == {"citizen_number": "FIELD_NOT_AS_REGISTERED"}
    assert step(office, "x", "approval", "thu.central").get_json()["code"] == "ACCOUNT_UNKNOWN"
    with pytest.raises(RoleMissing):
        AccountOffice(office.database, lambda: office.now[0]).order(
            Officer("q", "q", frozenset({Role.QUALITY})), AccountOrder(PERSON.citizen_number)
        )


@given(st.lists(st.sampled_from(list(AccountEvent)), max_size=25))
def test_no_account_is_active_that_was_not_approved(events: list[AccountEvent]) -> None:
    now: AccountState | None = None
    held: AccountState | None = None
    approved = False
    for event in events:
        try:
            former, now = now, accounts.advance(now, event, held)
        except TransitionRefused:
            continue
        held = former if event is AccountEvent.SUSPEND else None
        approved = approved or event is AccountEvent.APPROVE
        assert approved or now is not AccountState.ACTIVE
        assert former is not AccountState.CLOSED
