"""Cards from the centre to the office: each in one place, and no count that is off goes through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from issuance_backend import recorded_events
from issuance_backend.credentials import boxes
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.schema import CREDENTIALS
from tests.issuance_backend.credentials.test_credentials_api import at_once
from tests.support.delivery import (
    COURIER,
    PACKER,
    RECEIVER,
    SUPERVISOR,
    UNIT,
    card_of,
    deliver,
    dispatched,
    finished,
    ordered,
    packed,
)
from tests.support.issuance_office import NOW, PASSWORD, Office, citizens

STRANGER = "f" * 16


def three(office: Office) -> list[str]:
    return [finished(office, citizens()[n], f"capture-000000000{n}") for n in range(3)]


def receive(office: Office, box: Any, cards: list[str], officer: str = RECEIVER, **more: Any) -> Any:
    return office.sign_in(officer).post(f"/v1/boxes/{box['id']}/receipt", {"cards": cards, **more})


def test_a_box_goes_from_the_centre_to_the_office(office: Office) -> None:
    cards = three(office)
    box = packed(office, cards)
    assert (box["amount"], box["digest"]) == (3, boxes.seal(UNIT, cards))
    assert {card_of(office, card).place for card in cards} == {f"box:{box['id']}"}
    office.sign_in(COURIER).post(f"/v1/boxes/{box['id']}/dispatch", {"digest": box["digest"]})
    assert {card_of(office, card).place for card in cards} == {f"courier:{COURIER}"}
    answer = receive(office, box, cards)
    assert answer.get_json()["box"] | {"updated_at": ""} == {
        **box, "state": "received", "courier": COURIER, "received_by": RECEIVER, "updated_at": "",
    }  # fmt: skip
    assert {card_of(office, card).place for card in cards} == {f"office:{UNIT}"}
    listed = office.sign_in(RECEIVER).get("/v1/credentials/work-list?state=at_office").get_json()
    assert {card["id"] for card in listed} == set(cards)
    seen = office.sign_in(RECEIVER).get("/v1/boxes?state=received").get_json()
    assert [each["id"] for each in seen] == [box["id"]]


def test_who_packs_sees_what_waits_longest_of_one_office(office: Office) -> None:
    cards, packer = three(office), office.sign_in(PACKER)
    places = ((UNIT, "2026-11-03"), (None, "2026-11-02"), ("079.02.00013", "2026-11-01"))
    with office.database.writing() as connection:
        for card, (unit, since) in zip(cards, places, strict=True):
            its_own = update(CREDENTIALS).where(CREDENTIALS.c.id == card)
            connection.execute(its_own.values(unit=unit, since=since))
    offices = packer.get("/v1/boxes/waiting-offices").get_json()
    assert offices == [{"unit": unit, "cards": 1} for unit in (None, UNIT, "079.02.00013")]
    first = packer.get(f"/v1/boxes/waiting-cards?unit={UNIT}&limit=1")
    link = first.headers["Link"]
    second = packer.get(link[1 : link.index(">")])
    assert "Link" not in second.headers
    assert [each["id"] for each in (*first.get_json(), *second.get_json())] == [cards[1], cards[0]]
    packed(office, cards[:2])
    assert packer.get(f"/v1/boxes/waiting-cards?unit={UNIT}").get_json() == []
    for wrong in ("", "x", "001/02"):
        refused = packer.get(f"/v1/boxes/waiting-cards?unit={wrong}")
        assert refused.get_json()["fields"] == {"unit": "FIELD_CHARACTERS"}
    assert office.sign_in("lan.capture").get(f"/v1/boxes/waiting-cards?unit={UNIT}").status_code == 403


def test_a_scan_that_differs_is_refused_whole_and_recorded(office: Office) -> None:
    cards = three(office)
    box = dispatched(office, cards)
    answer = receive(office, box, [*cards[:2], STRANGER])
    assert answer.status_code == 422
    assert answer.get_json()["fields"] == {
        cards[2]: "CARD_MISSING_FROM_BOX", STRANGER: "CARD_NOT_OF_BOX",
    }  # fmt: skip
    assert {card_of(office, card).state for card in cards} == {"dispatched"}
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"box/{box['id']}")
    assert [(step.event, step.detail.get("cards")) for step in steps][-1] == ("miscount", "2")
    assert receive(office, box, cards).status_code == 200


def test_only_a_supervisor_closes_a_box_short_and_what_is_missing_is_revoked(office: Office) -> None:
    cards = three(office)
    box = dispatched(office, cards)
    assert receive(office, box, cards[:2], close_short=True).status_code == 403
    extra = receive(office, box, [cards[0], STRANGER], SUPERVISOR, close_short=True)
    assert extra.get_json()["fields"] == {STRANGER: "CARD_NOT_OF_BOX"}
    closed = receive(office, box, cards[:2], SUPERVISOR, close_short=True).get_json()["box"]
    assert (closed["state"], closed["missing"]) == ("received_short", 1)
    gone = card_of(office, cards[2])
    assert (gone.state, gone.reason, gone.place) == ("revoked", "missing", "missing")
    assert {card_of(office, card).state for card in cards[:2]} == {"at_office"}


def test_a_box_that_never_came_is_closed_by_a_supervisor_and_every_card_of_it_is_revoked(
    office: Office,
) -> None:
    cards = three(office)
    box = dispatched(office, cards)
    assert receive(office, box, []).get_json()["fields"] == {"cards": "FIELD_MISSING"}
    assert receive(office, box, [], close_short=True).status_code == 403
    closed = receive(office, box, [], SUPERVISOR, close_short=True).get_json()["box"]
    assert (closed["state"], closed["missing"]) == ("received_short", 3)
    gone = [card_of(office, card) for card in cards]
    assert {(card.state, card.reason, card.place) for card in gone} == {("revoked", "missing", "missing")}
    assert not office.sign_in(RECEIVER).get("/v1/boxes?state=dispatched").get_json()


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_box_that_is_gone_before_a_courier_had_it_is_closed_short(office: Office, one_by_one: bool) -> None:
    cards = three(office)
    box = packed(office, cards)
    if one_by_one:
        for card in cards:
            path = f"/v1/credentials/{card}/revocation"
            assert office.sign_in(SUPERVISOR).post(path, {"reason": "data_error"}).status_code == 200
    assert receive(office, box, [], close_short=True).status_code == 403
    assert receive(office, box, cards, SUPERVISOR).get_json()["code"] == "STATE_NOT_ALLOWED"
    if not one_by_one:
        whole = receive(office, box, cards, SUPERVISOR, close_short=True)
        assert whole.get_json()["code"] == "STATE_NOT_ALLOWED", "what never left did not arrive"
    closed = receive(office, box, [], SUPERVISOR, close_short=True).get_json()["box"]
    assert (closed["state"], closed["missing"]) == ("received_short", 0 if one_by_one else 3)
    assert {card_of(office, card).state for card in cards} == {"revoked"}
    sent = office.sign_in(COURIER).post(f"/v1/boxes/{box['id']}/dispatch", {"digest": box["digest"]})
    assert sent.get_json()["code"] == "STATE_NOT_ALLOWED"


@pytest.mark.parametrize("on_the_road", [False, True])
@pytest.mark.parametrize("is_scanned", [False, True])
def test_a_card_that_is_revoked_in_its_box_stops_none_of_the_others(
    office: Office, on_the_road: bool, is_scanned: bool
) -> None:
    cards = three(office)
    box = packed(office, cards)
    path, seal = f"/v1/boxes/{box['id']}/dispatch", {"digest": box["digest"]}
    if on_the_road:
        assert office.sign_in(COURIER).post(path, seal).status_code == 200
    revocation = f"/v1/credentials/{cards[0]}/revocation"
    assert office.sign_in(SUPERVISOR).post(revocation, {"reason": "data_error"}).status_code == 200
    if not on_the_road:
        assert office.sign_in(COURIER).post(path, seal).status_code == 200
    assert receive(office, box, cards[:2]).get_json()["fields"] == {cards[2]: "CARD_MISSING_FROM_BOX"}
    answer = receive(office, box, cards if is_scanned else cards[1:])
    assert answer.get_json()["box"]["state"] == "received"
    assert [card_of(office, card).state for card in cards] == ["revoked", "at_office", "at_office"]
    assert card_of(office, cards[0]).reason == "data_error"


def test_a_courier_reads_the_seal_and_is_neither_packer_nor_receiver(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    for name, roles in (("p.c", (Role.STOCK_KEEPER, Role.COURIER)), ("c.r", (Role.COURIER, Role.OFFICE))):
        door.enrol(name, name, roles, PASSWORD)
    cards = three(office)
    both = office.sign_in("p.c")
    box = both.post("/v1/boxes", {"unit": UNIT, "cards": cards}).get_json()["box"]
    path = f"/v1/boxes/{box['id']}/dispatch"
    assert both.post(path, {"digest": box["digest"]}).get_json()["code"] == "SAME_OFFICER"
    carrier = office.sign_in("c.r")
    assert carrier.post(path, {"digest": "0" * 64}).get_json()["code"] == "BOX_SEAL_BROKEN"
    assert carrier.post(path, {"digest": box["digest"]}).status_code == 200
    assert carrier.post(path, {"digest": box["digest"]}).get_json()["code"] == "STATE_NOT_ALLOWED"
    assert receive(office, box, cards, "c.r").get_json()["code"] == "SAME_OFFICER"


def test_who_packed_or_carried_a_box_does_not_take_it_in_nor_close_it_short(office: Office) -> None:
    """Whoever counted the cards into a box would count them out of it: one that is kept back is nobody's."""
    door = OfficerDoor(office.database, lambda: NOW)
    for name, role in (("packs", Role.STOCK_KEEPER), ("carries", Role.COURIER)):
        door.enrol(name, name, (role, Role.OFFICE, Role.SUPERVISOR), PASSWORD)
    cards = three(office)
    box = office.sign_in("packs").post("/v1/boxes", {"unit": UNIT, "cards": cards}).get_json()["box"]
    seal = {"digest": box["digest"]}
    assert receive(office, box, [], "packs", close_short=True).get_json()["code"] == "SAME_OFFICER"
    assert office.sign_in("carries").post(f"/v1/boxes/{box['id']}/dispatch", seal).status_code == 200
    for name in ("packs", "carries"):
        for scan, is_short in ((cards, False), (cards[1:], False), (cards[1:], True)):
            refused = receive(office, box, scan, name, close_short=is_short)
            assert (refused.status_code, refused.get_json()["code"]) == (403, "SAME_OFFICER")
    with office.database.reading() as connection:
        steps = recorded_events.of_subject(connection, f"box/{box['id']}")
    # Not even a wrong count of theirs is recorded.
    assert [step.event for step in steps] == ["seal", "dispatch"]
    assert receive(office, box, cards).status_code == 200


def test_packer_courier_and_receiver_at_once_and_only_the_receiver_takes_it_in(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    for name, role in (("packs", Role.STOCK_KEEPER), ("carries", Role.COURIER)):
        door.enrol(name, name, (role, Role.OFFICE), PASSWORD)
    card = finished(office, citizens()[0])
    clients = {name: office.sign_in(name) for name in ("packs", "carries", RECEIVER)}
    box = clients["packs"].post("/v1/boxes", {"unit": UNIT, "cards": [card]}).get_json()["box"]
    path, scan = f"/v1/boxes/{box['id']}", {"cards": [card]}

    def carry() -> int:
        return int(clients["carries"].post(f"{path}/dispatch", {"digest": box["digest"]}).status_code)

    def taking_in(name: str) -> Callable[[], int]:
        return lambda: int(clients[name].post(f"{path}/receipt", scan).status_code)

    at_once([carry, *map(taking_in, clients)])
    # On its way before they asked or after: who asked too early asks again.
    for name in clients:
        taking_in(name)()
    seen = clients[RECEIVER].get(path).get_json()["box"]
    assert (seen["state"], seen["received_by"]) == ("received", RECEIVER)


def test_only_what_passed_quality_control_and_is_for_the_office_is_packed(office: Office) -> None:
    good = finished(office, citizens()[0])
    unwritten = ordered(office, citizens()[1], "capture-0000000002")
    stock = office.sign_in(PACKER)
    answer = stock.post("/v1/boxes", {"unit": UNIT, "cards": [good, unwritten, STRANGER]})
    assert answer.get_json()["fields"] == {unwritten: "STATE_NOT_ALLOWED", STRANGER: "CREDENTIAL_UNKNOWN"}
    assert card_of(office, good).state == "qa_passed"
    for body in (
        {"unit": UNIT, "cards": []}, {"unit": UNIT, "cards": [good, good]}, {"unit": "x", "cards": [good]},
        {"unit": UNIT, "cards": ["../etc"]},
    ):  # fmt: skip
        assert stock.post("/v1/boxes", body).status_code == 422
    packed(office, [good])
    again = stock.post("/v1/boxes", {"unit": UNIT, "cards": [good]})
    assert again.get_json()["fields"] == {good: "STATE_NOT_ALLOWED"}
    assert stock.get("/v1/boxes/x").get_json()["code"] == "BOX_UNKNOWN"
    assert stock.get("/v1/boxes?state=open").status_code == 422


def test_another_unit_sees_and_takes_nothing(office: Office) -> None:
    door = OfficerDoor(office.database, lambda: NOW)
    for name, unit in (("here", UNIT), ("above", "001"), ("elsewhere", "001.003")):
        door.enrol(name, name, (Role.OFFICE, Role.SUPERVISOR), PASSWORD, unit)
    cards = three(office)
    box = dispatched(office, cards)
    assert receive(office, box, cards, "elsewhere").get_json()["code"] == "CARD_ELSEWHERE"
    assert receive(office, box, cards, "above").status_code == 200
    for name, amount in (("here", 3), ("above", 3), ("elsewhere", 0)):
        listed = office.sign_in(name).get("/v1/credentials/work-list?state=at_office").get_json()
        assert len(listed) == amount, name
    path = f"/v1/credentials/{cards[0]}"
    elsewhere = office.sign_in("elsewhere")
    for step, body in (("holder-confirmation", {"reason": "holder_visited"}), ("handover", None)):
        assert elsewhere.post(f"{path}/{step}", body).get_json()["code"] == "CARD_ELSEWHERE"


@pytest.mark.parametrize("role", ["lan.capture", "minh.approve", RECEIVER])
def test_nobody_else_packs_or_carries(office: Office, role: str) -> None:
    card = finished(office, citizens()[0])
    box = packed(office, [card])
    officer = office.sign_in(role)
    for path, body in (("", {"unit": UNIT, "cards": [card]}), (f"/{box['id']}/dispatch", {"digest": "x"})):
        assert officer.post(f"/v1/boxes{path}", body).get_json()["code"] == "OFFICER_ROLE_MISSING"


def test_a_box_is_taken_in_once(office: Office) -> None:
    card = finished(office, citizens()[0])
    deliver(office, card)
    box = office.sign_in(RECEIVER).get("/v1/boxes?state=received").get_json()[0]
    assert receive(office, box, [card]).get_json()["code"] == "STATE_NOT_ALLOWED"


IDS = st.lists(st.integers(0, 40).map(lambda number: f"{number:016x}"), unique=True, max_size=20)


@given(IDS, IDS)
def test_differences_name_each_card_that_is_on_one_side_only(listed: list[str], scanned: list[str]) -> None:
    wrong = boxes.differences(listed, scanned)
    assert set(wrong) == set(listed) ^ set(scanned)
    assert (boxes.seal(UNIT, listed) == boxes.seal(UNIT, scanned)) == (not wrong)
