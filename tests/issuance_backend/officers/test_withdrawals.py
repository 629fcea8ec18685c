"""A certificate is withdrawn, or a key revoked, from a moment in the past: what came since waits (I15)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import case_holds, repository
from issuance_backend.schema import EVENTS
from tests.issuance_backend.test_openapi import Contract
from tests.support.busy_office import OFFICE_UNIT, bring, centre_key
from tests.support.delivery import active, card_of
from tests.support.issuance_office import NOW, Office, capture_body, citizens
from tests.support.sealed_packets import Kit
from verification.messages.enrollment_packet import SealedPacket
from verification.messages.signing_key import public_jwk

LAN, SON = "lan.capture", "son.supervisor"
CASE = "VV_2026/1"
SINCE = NOW + timedelta(minutes=5)


def captured(office: Office, person: int, by: str = LAN) -> str:
    answer = office.sign_in(by).capture(citizens()[person], f"capture-{person:010}")
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["id"])


def do(office: Office, who: str, path: str, body: object = None) -> None:
    answer = office.sign_in(who).post(path, body)
    assert answer.status_code in {200, 204}, answer.get_data(as_text=True)


def withdraw(office: Office) -> Any:
    asked = {"since": SINCE.isoformat(), "case_id": CASE}
    answer = office.sign_in(SON).post(f"/v1/officer-certificates/{LAN}/withdrawal", asked)
    assert Contract("officers").judge(answer).status_code == 200
    return answer.get_json()


def states(office: Office, *dossiers: str) -> list[tuple[str, str | None]]:
    thu = office.sign_in("thu.central")
    found = [thu.get(f"/v1/dossiers/{each}").get_json() for each in dossiers]
    return [(each["state"], each["held_in"]) for each in found]


@pytest.mark.parametrize("at_once", [1, 100])
def test_what_is_on_its_way_is_held_by_the_case_and_goes_on_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(case_holds, "_AT_ONCE", at_once)
    before = captured(office, 0)
    office.now[0] = SINCE
    office.approve_all(before)
    waits, approved, returned = (captured(office, person) for person in (1, 2, 3))
    another = captured(office, 4, by="binh.both")
    office.approve_all(approved)
    items = {"items": ["portrait"], "comment": "mờ"}
    do(office, "minh.approve", f"/v1/dossiers/{returned}/return", items)
    assert withdraw(office) == {"certificates": 1, "held": 3, "others": []}
    held = [("suspended", "validated"), ("suspended", "central_approved"), ("suspended", "returned")]
    assert states(office, waits, approved, returned) == held
    assert states(office, before, another) == [("central_approved", None), ("validated", None)]
    for dossier in (waits, approved, returned):
        do(office, SON, f"/v1/dossiers/{dossier}/resumption", {"case_id": CASE})
    assert withdraw(office) == {"certificates": 0, "held": 3, "others": []}, "what it let go stays so"
    assert states(office, waits) == [("validated", None)]
    with office.database.reading() as connection:
        recorded_events.verify(connection)
        suspended = select(EVENTS.c.actor).where(EVENTS.c.event == "suspend")
        assert list(connection.execute(suspended).scalars()) == [SON] * 3


def test_what_cannot_be_held_any_more_is_named(office: Office) -> None:
    office.now[0] = SINCE
    completed = card_of(office, active(office, citizens()[0], "capture-1000000000")).dossier
    given_up, elsewhere, waits = (captured(office, person) for person in (1, 2, 3))
    do(office, LAN, f"/v1/dossiers/{given_up}/withdrawal")
    do(office, SON, f"/v1/dossiers/{elsewhere}/suspension", {"case_id": "VV-9"})
    others = sorted([completed, given_up, elsewhere])
    assert withdraw(office) == {"certificates": 1, "held": 1, "others": others}
    assert withdraw(office) == {"certificates": 0, "held": 1, "others": others}
    assert states(office, waits, elsewhere) == [("suspended", "validated")] * 2


def test_what_was_captured_again_since_is_held_for_whoever_did_it_alone(office: Office) -> None:
    lans, anothers = captured(office, 0, by="binh.both"), captured(office, 1)
    items = {"items": ["portrait"], "comment": "mờ"}
    for dossier in (lans, anothers):
        do(office, "minh.approve", f"/v1/dossiers/{dossier}/return", items)
    office.now[0] = SINCE
    for person, (dossier, who) in enumerate({lans: LAN, anothers: "binh.both"}.items()):
        body = capture_body(citizens()[person], f"capture-900000000{person}")
        assert office.sign_in(who).recapture(dossier, body).status_code == 201
    assert withdraw(office)["held"] == 1
    assert states(office, lans, anothers) == [("suspended", "validated"), ("validated", None)]


def test_everything_since_ever_is_held_too(office: Office) -> None:
    dossier, son = captured(office, 0), office.sign_in(SON)
    ever = "0001-01-01T00:00:00+00:00"
    key = {"kind": "officer", "owner": LAN, "revoked_at": ever, "case_id": CASE}
    revoked = son.post("/v1/packet-signers/revocation", key)
    assert Contract("packets").judge(revoked).get_json() == {
        "keys": 0, "dossiers": [], "held": 1, "others": [], "cursor": None,
    }  # fmt: skip
    assert states(office, dossier) == [("suspended", "validated")]
    asked = {"since": ever, "case_id": CASE}
    withdrawn = son.post(f"/v1/officer-certificates/{LAN}/withdrawal", asked)
    assert withdrawn.get_json() == {"certificates": 1, "held": 1, "others": []}
    assert states(office, dossier) == [("suspended", "validated")]


def opened(office: Office, packet: SealedPacket) -> str:
    with office.database.reading() as connection:
        dossier = repository.found(connection, packet.packet_hash).dossier
    assert dossier is not None
    return dossier


def enrolled_kit(office: Office) -> Kit:
    """A kit whose keys, and those of its officer, are admitted."""
    kit, son = Kit(centre_key(office), name="kit-7"), office.sign_in(SON)
    key = {"kit": kit.name, "jwk": dict(public_jwk(kit.kit_key.public_key())), "unit": OFFICE_UNIT}
    assert son.post("/v1/kits", key).status_code == 204
    jwk = dict(public_jwk(kit.officer_key.public_key()))
    key = {"kind": "officer", "owner": LAN, "jwk": jwk}
    assert son.post("/v1/packet-signers", key).status_code == 204
    return kit


def revoke(office: Office, kind: str, owner: str, case: str = CASE) -> Any:
    asked = {"kind": kind, "owner": owner, "revoked_at": SINCE.isoformat(), "case_id": case}
    answer = office.sign_in(SON).post("/v1/packet-signers/revocation", asked)
    assert Contract("packets").judge(answer).status_code == 200
    return answer.get_json()


@pytest.mark.parametrize(("kind", "owner", "held"), [("officer", LAN, 3), ("kit", "kit-7", 2)])
def test_a_key_that_is_revoked_holds_as_a_certificate_does(
    office: Office, kind: str, owner: str, held: int
) -> None:
    kit, people = enrolled_kit(office), citizens()
    early, ahead = kit.seal(people[0]), kit.seal(people[1], happened_at=SINCE)
    for packet in (early, ahead):
        bring(office, packet)
    before = captured(office, 4)
    office.now[0] = SINCE
    late = kit.seal(people[2])
    bring(office, late)
    counter = captured(office, 3)
    dossiers = [opened(office, packet) for packet in (early, ahead, late)]
    do(office, LAN, f"/v1/dossiers/{dossiers[2]}/withdrawal")
    elsewhere = captured(office, 5)
    do(office, SON, f"/v1/dossiers/{elsewhere}/suspension", {"case_id": "VV-9"})
    others = sorted([dossiers[2], *([elsewhere] if kind == "officer" else [])])
    told = revoke(office, kind, owner)
    assert (told["keys"], told["held"], told["others"]) == (1, held - 1, others)
    assert sorted(told["dossiers"]) == sorted(dossiers[1:])
    held_at_counter = "suspended" if kind == "officer" else "validated"
    found = [state for state, _ in states(office, *dossiers, before, counter)]
    assert found == ["validated", "suspended", "withdrawn", "validated", held_at_counter]
    do(office, SON, f"/v1/dossiers/{dossiers[1]}/resumption", {"case_id": CASE})
    assert revoke(office, kind, owner)["held"] == held - 1
    assert states(office, dossiers[1]) == [("validated", None)], "what it let go stays so"


def test_what_a_case_let_in_is_not_held_for_the_key_that_signed_it(office: Office) -> None:
    kit = enrolled_kit(office)
    office.now[0] = SINCE
    bring(office, kit.seal(citizens()[0]))
    kit.previous = "1" * 64
    released = kit.seal(citizens()[1])
    bring(office, released)
    do(
        office, SON, f"/v1/doubtful-packets/{released.packet_hash}/decision",
        {"case_id": "VV-8", "is_accepted": True},
    )  # fmt: skip
    told = revoke(office, "kit", kit.name)
    assert (told["held"], opened(office, released) in told["dossiers"]) == (1, False)
    assert states(office, opened(office, released)) == [("validated", None)]


def test_opened_packets_are_held_as_counters_captures_are(office: Office) -> None:
    kit, people = enrolled_kit(office), citizens()
    early, ahead = kit.seal(people[0]), kit.seal(people[1], happened_at=SINCE)
    for packet in (early, ahead):
        bring(office, packet)
    office.now[0] = SINCE
    late = kit.seal(people[2])
    bring(office, late)
    kit.previous = "1" * 64
    released = kit.seal(people[3])
    bring(office, released)
    case = {"case_id": "VV-8", "is_accepted": True}
    do(office, SON, f"/v1/doubtful-packets/{released.packet_hash}/decision", case)
    assert withdraw(office) == {"certificates": 1, "held": 2, "others": []}
    dossiers = [opened(office, packet) for packet in (early, ahead, late, released)]
    found = [state for state, _ in states(office, *dossiers)]
    assert found == ["validated", "suspended", "suspended", "validated"]
    with office.database.reading() as connection:
        counted = select(func.count()).select_from(EVENTS).where(EVENTS.c.event == "suspend")
        assert connection.execute(counted).scalar_one() == 2
