"""Blanks: both legs of every movement, one blank a card, and destruction by two who made none of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuance_backend import recorded_events
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.blank_stock import repository
from issuance_backend.personalization.blank_stock.domain import LEGS, Account, Movement
from issuance_backend.personalization.blank_stock.repository import Posted
from issuance_backend.personalization.blank_stock.service import StockOffice
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.blank_books import posted_balances
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens
from verification.errors import TransitionRefused
from verification.messages.production import BlankDelivery, BlankSerials, StockCount

KEEPER = Officer("khoa.stock", "Khoa", frozenset({Role.STOCK_KEEPER}))
DELIVERY = {"first": "VN000000001", "last": "VN000000010"}


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return Database(database_engine.migrated(ISSUANCE_MIGRATIONS))


def stock_of(database: Database) -> StockOffice:
    """No card is made of these blanks: there is none to destroy."""
    return StockOffice(database, lambda: NOW, pytest.fail)


def balanced(database: Database) -> dict[Account, int]:
    """The books, after every way to add them up gave the same."""
    with database.reading() as connection:
        books = repository.balances(connection)
        assert posted_balances(connection) == books
    assert sum(books.values()) == 0
    assert min(count for account, count in books.items() if account is not Account.SUPPLIER) >= 0
    return books


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=st.lists(st.tuples(st.sampled_from(Movement), st.integers(1, 40)), max_size=25))
def test_whatever_moves_the_books_stay_balanced(
    database: Database, wanted: list[tuple[Movement, int]]
) -> None:
    """Invariant I8: received = issued + spoiled + destroyed + stock, at every instant."""
    for kind, count in wanted:
        before = balanced(database)
        source, target = LEGS[kind]
        posted = Posted(kind=kind, count=count, actor="khoa", at=rfc3339(NOW), reference="x")
        is_possible = source is Account.SUPPLIER or before[source] >= count
        if is_possible:
            with database.writing() as connection:
                repository.post(connection, posted)
            moved = {source: before[source] - count, target: before[target] + count}
            assert balanced(database) == {**before, **moved}
        else:
            with pytest.raises(TransitionRefused), database.writing() as connection:
                repository.post(connection, posted)
            assert balanced(database) == before


@pytest.mark.parametrize(
    ("first", "last"),
    [("VN000000005", "VN000000020"), ("VN000000010", "VN000000010"), ("VN000000001", "VN000000010")],
)
def test_no_blank_is_received_twice(database: Database, first: str, last: str) -> None:
    office = stock_of(database)
    office.receive(KEEPER, BlankDelivery(**DELIVERY))
    with pytest.raises(TransitionRefused):
        office.receive(KEEPER, BlankDelivery(first=first, last=last))
    office.receive(KEEPER, BlankDelivery(first="VX000000001", last="VX000000010"))
    assert balanced(database)[Account.STOCK] == 20


def test_a_count_shows_a_difference_and_corrects_nothing(database: Database) -> None:
    office = stock_of(database)
    office.receive(KEEPER, BlankDelivery(**DELIVERY))
    counted = office.count(KEEPER, StockCount(counted=9))
    assert (counted.booked, counted.difference) == (10, -1)
    assert balanced(database)[Account.STOCK] == 10
    with database.reading() as connection:
        (step,) = recorded_events.of_subject(connection, f"blank-count/{counted.id}")
    assert step.detail == {"counted": "9", "difference": "-1"}


def test_a_blank_that_was_written_off_is_never_taken(database: Database) -> None:
    office = stock_of(database)
    office.receive(KEEPER, BlankDelivery(first="VN000000001", last="VN000000003"))
    books = office.write_off(KEEPER, BlankSerials(serials=("VN000000002",)))
    assert (books.stock, books.spoiled) == (2, 1)
    taken = []
    for _ in range(3):
        with database.writing() as connection:
            found = repository.take(connection, "hoa")
            if found:
                repository.add_blank(connection, *found, Account.ISSUED)
                taken.append(found[0])
    assert taken == ["VN000000001", "VN000000003"]
    with database.writing() as connection:
        assert repository.take(connection, KEEPER.id) is None


def spoiled_card(office: Office) -> tuple[str, str, str]:
    """A dossier, its refused card and the blank of it."""
    dossier = office.sign_in("lan.capture").capture(citizens()[4]).get_json()["id"]
    office.approve_all(dossier)
    office.make_cards()
    card = office.sign_in("hoa.production").get(f"/v1/dossiers/{dossier}").get_json()["credential"]
    nga = office.sign_in("nga.quality")
    assert nga.post(f"/v1/produced-cards/{card}/refusal", {"fault": "cut_wrong"}).status_code == 204
    (blank,) = nga.get("/v1/blank-stock/spoiled").get_json()
    assert blank["card"] == card
    return dossier, card, blank["serial"]


def enrol(office: Office, name: str, *roles: Role) -> Any:
    OfficerDoor(office.database, lambda: NOW).enrol(name, name, roles, PASSWORD)
    return office.sign_in(name)


def test_two_officers_destroy_a_spoiled_card_and_neither_made_it(office: Office) -> None:
    dossier, card, serial = spoiled_card(office)
    both = (Role.QUALITY, Role.STOCK_KEEPER)
    named, nga = {"serials": [serial]}, office.sign_in("nga.quality")
    # The operator of its batch, whoever captured its dossier, and whoever received the blank.
    for name in ("hoa.production", "lan.capture", "khoa.stock"):
        refused = enrol(office, name, *both).post("/v1/blank-destructions", named)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER"), name
    made = nga.post("/v1/blank-destructions", named).get_json()
    assert (made["state"], made["serials"]) == ("proposed", [serial])
    assert nga.post("/v1/blank-destructions", named).get_json()["code"] == "BLANK_UNKNOWN"
    path = f"/v1/blank-destructions/{made['id']}/confirmation"
    assert nga.post(path).get_json()["code"] == "OFFICER_ROLE_MISSING"
    for name in ("hoa.production", "lan.capture", "nga.quality"):
        refused = enrol(office, name, *both).post(path)
        assert refused.get_json()["code"] == "SAME_OFFICER", name
    khoa = office.sign_in("khoa.stock")
    assert khoa.get("/v1/blank-destructions").get_json() == [made]
    assert CardDrawer(office.card_dir).written(card)
    assert khoa.post(path).get_json()["state"] == "destroyed"
    assert not list(office.card_dir.glob(f"{card}*"))
    assert khoa.post(path).get_json()["code"] == "STATE_NOT_ALLOWED"
    books = khoa.get("/v1/blank-stock").get_json()
    assert (books["spoiled"], books["destroyed"]) == (0, 1)
    with office.database.reading() as connection:
        *_, last = recorded_events.of_subject(connection, f"card/{card}")
    assert (last.event, last.actor, last.detail["witness"]) == ("destroy", "khoa.stock", "nga.quality")
    assert dossier


def test_a_destruction_that_is_cancelled_frees_its_blanks(office: Office) -> None:
    *_, serial = spoiled_card(office)
    nga = office.sign_in("nga.quality")
    made = nga.post("/v1/blank-destructions", {"serials": [serial]}).get_json()
    assert nga.get("/v1/blank-stock/spoiled").get_json() == []
    assert nga.post(f"/v1/blank-destructions/{made['id']}/cancellation").get_json()["state"] == "cancelled"
    assert [blank["serial"] for blank in nga.get("/v1/blank-stock/spoiled").get_json()] == [serial]
    assert nga.post("/v1/blank-destructions", {"serials": [serial]}).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("ranges", {"first": "VN1", "last": "VN000000010"}, "FIELDS_REFUSED"),
        ("ranges", {"first": "VN000000010", "last": "VN000000009"}, "FIELDS_REFUSED"),
        ("ranges", {"first": "VN000000001", "last": "VN900000000"}, "FIELDS_REFUSED"),
        ("ranges", {"first": "VN000000001", "last": "VX000000002"}, "FIELDS_REFUSED"),
        ("counts", {"counted": -1}, "FIELDS_REFUSED"),
        ("counts", {"counted": "many"}, "REQUEST_MALFORMED"),
        ("write-offs", {"serials": []}, "FIELDS_REFUSED"),
        ("write-offs", {"serials": ["VN000000001"]}, "BLANK_UNKNOWN"),
    ],
)
def test_what_is_no_blank_is_refused(office: Office, path: str, body: Any, code: str) -> None:
    khoa = office.sign_in("khoa.stock")
    assert khoa.post(f"/v1/blank-stock/{path}", body).get_json()["code"] == code
    other = office.sign_in("hoa.production").post(f"/v1/blank-stock/{path}", body)
    assert other.get_json()["code"] in {"OFFICER_ROLE_MISSING", "REQUEST_MALFORMED"}
