"""A slip in the citizen's hand leads to the application from capture to card, and to nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event, text

from issuance_backend.dossiers.particulars import capture_key
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.busy_office import OFFICE_UNIT, SERVICE, bring, centre_key
from tests.support.delivery import RECEIVER, dispatched, hand_over, made
from tests.support.engines import Engine as DatabaseEngine
from tests.support.issuance_office import Office, capture_body, citizens, picture
from tests.support.sealed_packets import Kit
from verification.messages.receipt_code import receipt_code
from verification.messages.signing_key import public_jwk

PERSON = citizens()[0]
ADDRESS = "/v1/application-status"


def ask(office: Office, code: str, status: int = 200) -> Any:
    answer = office.client().post(ADDRESS, json={"code": code}, headers=SERVICE)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def captured(office: Office) -> Any:
    return office.sign_in("lan.capture").capture(PERSON).get_json()


# -- from the capture to the card


def test_a_slip_follows_the_application_to_the_card(office: Office) -> None:
    view = captured(office)
    code = view["receipt_code"]
    told = ask(office, code)
    assert (told["stage"], told["due_on"], told["is_late"]) == ("checking", view["due_on"], False)
    card = made(office, view["id"])
    assert ask(office, code)["stage"] == "being_made"
    box = dispatched(office, [card], OFFICE_UNIT)
    assert ask(office, code)["stage"] == "on_the_way"
    taken_in = office.sign_in(RECEIVER).post(f"/v1/boxes/{box['id']}/receipt", {"cards": [card]})
    assert taken_in.status_code == 200
    told = ask(office, code)
    assert (told["stage"], told["unit"]) == ("ready", OFFICE_UNIT)
    assert hand_over(office, card).status_code == 200
    told = ask(office, code)
    assert (told["stage"], told["due_on"], told["days_left"]) == ("handed_over", None, None)


def test_a_limit_that_is_missed_is_said(office: Office) -> None:
    view = captured(office)
    office.now[0] += timedelta(days=40)
    told = ask(office, view["receipt_code"])
    assert (told["due_on"], told["is_late"]) == (view["due_on"], True)


def test_what_is_to_be_captured_again_is_named_and_the_limit_stands_still(office: Office) -> None:
    view = captured(office)
    body = {"items": ["portrait"], "comment": "Chị Hoà chụp lại, ảnh tối."}
    assert office.sign_in("minh.approve").post(f"/v1/dossiers/{view['id']}/return", body).status_code == 200
    told = ask(office, view["receipt_code"])
    assert (told["stage"], told["items"], told["due_on"]) == ("capture_again", ["portrait"], None)
    assert told["days_left"] == 11
    again = capture_body(PERSON, "capture-0000000002", portrait=picture(2))
    assert office.sign_in("lan.capture").recapture(view["id"], again).status_code == 201
    newest = office.sign_in("lan.capture").get(f"/v1/dossiers/{view['id']}").get_json()["receipt_code"]
    assert newest != view["receipt_code"]
    for slip in (view["receipt_code"], newest):
        assert (ask(office, slip)["stage"], ask(office, slip)["items"]) == ("checking", [])


def test_a_hold_changes_no_word_and_a_withdrawal_is_said(office: Office) -> None:
    view = captured(office)
    path = f"/v1/dossiers/{view['id']}"
    supervisor, before = office.sign_in("son.supervisor"), ask(office, view["receipt_code"])
    assert supervisor.post(f"{path}/suspension", {"case_id": "KN-2026/7"}).status_code == 200
    assert ask(office, view["receipt_code"]) == before
    assert supervisor.post(f"{path}/resumption", {"case_id": "KN-2026/7"}).status_code == 200
    assert office.sign_in("lan.capture").post(f"{path}/withdrawal").status_code == 200
    assert ask(office, view["receipt_code"])["stage"] == "withdrawn"


# -- a kit that has no network


@pytest.fixture
def kit(office: Office) -> Kit:
    made_kit, supervisor = Kit(centre_key(office)), office.sign_in("son.supervisor")
    kits, officers = (dict(public_jwk(key.public_key())) for key in (made_kit.kit_key, made_kit.officer_key))
    registration = {"kit": made_kit.name, "jwk": kits, "unit": OFFICE_UNIT}
    assert supervisor.post("/v1/kits", registration).status_code == 204
    signer = {"kind": "officer", "owner": made_kit.officer, "jwk": officers}
    assert supervisor.post("/v1/packet-signers", signer).status_code == 204
    return made_kit


def test_a_code_that_a_kit_printed_is_followed_as_its_packet_travels(office: Office, kit: Kit) -> None:
    first, second = kit.seal(PERSON), kit.seal(citizens()[1])
    code = receipt_code(second.packet_hash)
    ask(office, code, 404)
    announced = office.client().post(
        "/v1/packets", data=second.metadata, headers=SERVICE, content_type="application/json"
    )
    assert announced.status_code == 202
    told = ask(office, code)
    assert (told["stage"], told["unit"]) == ("sent", OFFICE_UNIT)
    bring(office, second)
    assert ask(office, code)["stage"] == "arrived", "an earlier packet of the kit is not here yet"
    bring(office, first)
    told = ask(office, code)
    assert (told["stage"], told["unit"]) == ("checking", OFFICE_UNIT)
    assert told["due_on"] == ask(office, receipt_code(first.packet_hash))["due_on"]


# -- what nobody learns


def test_a_wrong_code_is_answered_as_one_of_nobody_is(office: Office) -> None:
    captured(office)
    nobodys, wrong = receipt_code("no packet"), receipt_code("no packet")[:-1] + "?"
    answers, asked = [], []
    for code in (nobodys, wrong, "", "x" * 5000):
        with statements() as seen:
            answer = office.client().post(ADDRESS, json={"code": code}, headers=SERVICE)
        told = {**answer.get_json(), "request_id": None}
        answers.append((answer.status_code, told, len(answer.get_data())))
        asked.append(seen)
    assert answers[0][1]["code"] == "RECEIPT_UNKNOWN"
    assert all(each == answers[0] for each in answers[1:])
    assert asked[0]
    assert all(each == asked[0] for each in asked[1:]), "as much is looked up for what is no code"


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that the office's program sends meanwhile."""
    seen: list[str] = []

    def note(*told: Any) -> None:
        seen.append(told[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_only_the_program_of_the_public_page_may_ask(office: Office) -> None:
    code = captured(office)["receipt_code"]
    assert office.client().post(ADDRESS, json={"code": code}).status_code == 401
    assert office.sign_in("lan.capture").post(ADDRESS, {"code": code}).status_code == 401
    answer = office.client().post(ADDRESS, json={"code": code}, headers=SERVICE)
    assert answer.headers["Cache-Control"] == "no-store"


# -- slips from before there were codes


def test_captures_and_packets_of_an_older_office_get_their_codes(database_engine: DatabaseEngine) -> None:
    database = Database(database_engine.new())
    hash_ = "ab" * 32
    with database.writing() as connection:
        migrate(connection, "0010")
        connection.execute(text("INSERT INTO portraits (name, content) VALUES ('p', '')"))
        connection.execute(
            text(
                "INSERT INTO dossiers (id, citizen_number, state, version, person, portrait, portrait_check,"
                " captured_by, packet_sha256, enrolment_due, created_at, updated_at)"
                " VALUES ('d', '1', 'completed', 1, '{}', 'p', '{}', 'lan', 'x', :no, '', '')"
            ),
            {"no": False},
        )
        captures = [("capture-0000000001", "cd" * 32), (hash_, hash_)]
        for capture_id, content in captures:
            connection.execute(
                text("INSERT INTO captures VALUES (:id, 'd', :content, 'lan')"),
                {"id": capture_id, "content": content},
            )
        connection.execute(text("INSERT INTO kits VALUES ('kit', NULL, 0, NULL, 1, '')"))
        connection.execute(
            text(
                "INSERT INTO packets (packet, kit, sequence, state, version, metadata, announced_at)"
                " VALUES (:hash, 'kit', 1, 'received', 1, '', '')"
            ),
            {"hash": hash_},
        )
        migrate(connection, "0011")
        codes = connection.execute(text("SELECT capture_id, receipt_code FROM captures")).all()
        packets = connection.execute(text("SELECT receipt_code FROM packets")).scalars().all()
    online = receipt_code(capture_key(*captures[0]))
    assert dict(map(tuple, codes)) == {"capture-0000000001": online, hash_: receipt_code(hash_)}
    assert packets == [receipt_code(hash_)]


def migrate(connection: Connection, version: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(ISSUANCE_MIGRATIONS))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, version)
