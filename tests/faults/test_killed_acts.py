"""kill -9 of an office's process at every point of every act that leads a dossier to a card.

| recovery point: killed between what is written and what is acknowledged | test |
|---|---|
| chunk of a packet; its announcement, completion, opening, receipt | `test_killed_packets.py` |
| many packets, killed at any moment; a packet file cut on its stick | `test_killed_intake.py` |
| capture: picture stored, dossier and its steps | here: `..._from_the_capture_to_the_hand_over_...` |
| local and central approval, with the card order | the same |
| many dossiers approved in one act, with their signed list | here: `..._list_of_approvals_...` |
| blanks received, batch made, a card refused by an officer's eye | the same |
| spoiled card and its blank destroyed by two | the same |
| box packed, dispatched, taken in | the same |
| hand-over: older card replaced, new one active, dossier complete | the same |
| box closed short; card returned, destroyed; order held, released | here: `..._nobody_fetched_...` |
| dossier returned, captured again, looked up, held, rejected, withdrawn | `test_killed_decisions.py` |
| card suspended, resumed, revoked; account ordered, approved, held, closed | `test_killed_decisions.py` |
| search task, its answer to the dossier, enrolment in the gallery | `test_killed_workers.py` |
| order claimed; chip half written, written, read back, judged, destroyed | `test_killed_production.py` |
| follower of the registry, ageing, a consumer's position in the outbox | `test_killed_workers.py` |
| a server's worker, many approvals in the air | `test_killed_server.py` |
| sealed picture, event and notice of one transaction | `tests/issuance_backend/test_killed_office.py` |
| gateway and its follower of cards | `tests/gateway/test_following_gateways.py` |
| number drawn and confirmed | `tests/issuance_backend/population_registry/numbers/test_number_office.py` |
| registry: publication, merge, life event, forms, their registration, archive | `test_killed_registry.py` |

Each runs on both engines. A kit's program and its own store are killed by ``test_killed_kit.py``.

Judged after each kill: the database is what it was, to the row, or the whole act is in it; the same
request is then never carried out again. Judged at the end: the chain of events, figures made again,
the blanks' books, and that every step happened once, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_backend.credentials.undelivered_desk import age as age_cards
from issuance_backend.personalization.blank_stock.domain import Account
from issuance_backend.population_registry.domain import RegistryPerson
from tests.support.approver_keys import approver_key
from tests.support.delivery import (
    COURIER,
    EXCHANGED,
    PACKER,
    RECEIVER,
    SUPERVISOR,
    UNIT,
    active,
    card_of,
    confirm,
    dispatched,
)
from tests.support.dying_office import Deaths, books, deaths_of
from tests.support.engines import Engine
from tests.support.issuance_office import Office, capture_body, citizens, make_office, picture
from tests.support.killing import require_sound
from tests.support.running import run_pending
from verification.messages.signing_key import thumbprint

pytestmark = pytest.mark.slow

PERSON, STRANGER = citizens()[4], citizens()[2]


@pytest.fixture(scope="module")
def pki_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("acts") / "pki"


@pytest.fixture
def deaths(tmp_path: Path, pki_dir: Path, database_engine: Engine) -> Iterator[Deaths]:
    with deaths_of(make_office(tmp_path, pki_dir, database_engine)) as deaths:
        yield deaths


def dossiers(office: Office) -> list[Any]:
    """Newest first."""
    listed: list[Any] = office.sign_in(SUPERVISOR).get("/v1/dossiers").get_json()
    return listed


def test_no_act_from_the_capture_to_the_hand_over_is_done_in_part_or_twice(deaths: Deaths) -> None:
    office = deaths.office
    older = active(office, PERSON)
    dossier = ordered(deaths)
    card = made_after_a_spoiled_one(deaths, dossier)
    hand_over(deaths, card)
    assert (card_of(office, older).state, card_of(office, card).state) == ("replaced", "active")
    deaths.act("lan.capture", f"/v1/credentials/{card}/loss-report", leaves=["card suspend"])
    held = books(office)
    assert (held[Account.ISSUED], held[Account.SPOILED], held[Account.DESTROYED]) == (1, 0, 1)
    require_sound(office.database)
    print(f"{deaths.kills} kills")


def test_a_list_of_approvals_is_there_with_all_that_it_names_or_not_at_all(deaths: Deaths) -> None:
    office, lan = deaths.office, deaths.office.sign_in("lan.capture")
    captured = [lan.capture(citizens()[n], f"capture-{n:010d}").get_json()["id"] for n in range(3)]
    deaths.act(
        "minh.approve",
        "/v1/approval-lists",
        office.sign_in("minh.approve").signed(*captured),
        leaves=["dossier approve_locally"] * 3 + ["dossier skip_search"] * 3,
        between_statements=True,
    )
    minh = office.sign_in("minh.approve")
    (listed,) = minh.get("/v1/approval-lists").get_json()
    said = minh.get(f"/v1/approval-lists/{listed['id']}").get_json()
    assert (said["fault"], listed["count"]) == (None, 3)
    assert said["approver_key"] == thumbprint(approver_key("minh.approve").public_key())
    assert [each["dossier"] for each in said["dossiers"]] == sorted(captured)
    require_sound(office.database)
    print(f"{deaths.kills} kills")


def ordered(deaths: Deaths) -> str:
    """A dossier from its capture to its card's order."""
    body = capture_body(PERSON, "capture-0000000002", portrait=picture(2), terms=EXCHANGED)
    deaths.capture("lan.capture", "/v1/counter-captures", body)
    dossier = str(next(each["id"] for each in dossiers(deaths.office) if each["state"] == "validated"))
    path = f"/v1/dossiers/{dossier}"
    deaths.act(
        "minh.approve",
        "/v1/approval-lists",
        deaths.office.sign_in("minh.approve").signed(dossier),
        leaves=["dossier approve_locally", "dossier skip_search"],
    )
    deaths.act(
        "thu.central",
        f"{path}/central-approval",
        leaves=["dossier approve_centrally", "card order"],
        between_statements=True,
    )
    return dossier


def made_after_a_spoiled_one(deaths: Deaths, dossier: str) -> str:
    """Blanks, a batch, a card that an officer's eye refuses, and the one after it."""
    office, act = deaths.office, deaths.act
    delivery = {"first": "VN000000001", "last": "VN000000010"}
    act("khoa.stock", "/v1/blank-stock/ranges", delivery, leaves=["blanks receive"])
    act("hoa.production", "/v1/production-batches", {"limit": 5}, leaves=["production queue"])
    run_pending(office.card_line())
    spoiled = newest(office, dossier)
    act(
        "nga.quality",
        f"/v1/produced-cards/{spoiled}/refusal",
        {"fault": "chip_loose"},
        leaves=["card fail", "card spoil", "production-order reject"],
        between_statements=True,
    )
    destroy_spoiled(deaths, spoiled)
    run_pending(office.card_line())
    card = newest(office, dossier)
    assert card != spoiled
    return card


def hand_over(deaths: Deaths, card: str) -> None:
    """A good card from the centre into its holder's hands."""
    office, act = deaths.office, deaths.act
    act("khoa.stock", "/v1/boxes", {"unit": UNIT, "cards": [card]}, leaves=["box seal", "card pack"])
    (box,) = office.sign_in(PACKER).get("/v1/boxes?state=sealed").get_json()
    carried = ["box dispatch", "card dispatch"]
    act(COURIER, f"/v1/boxes/{box['id']}/dispatch", {"digest": box["digest"]}, leaves=carried)
    taken_in = ["box receive", "card receive"]
    act(RECEIVER, f"/v1/boxes/{box['id']}/receipt", {"cards": [card]}, leaves=taken_in)
    confirm(office, card)
    act(
        RECEIVER,
        f"/v1/credentials/{card}/handover",
        leaves=["card replace", "card hand_over", "dossier complete"],
        between_statements=True,
    )


def destroy_spoiled(deaths: Deaths, card: str) -> None:
    """Two officers destroy the blank of a spoiled card; its DESTROY is in the second one's transaction."""
    (blank,) = deaths.office.sign_in("khoa.stock").get("/v1/blank-stock/spoiled").get_json()
    path, serials = "/v1/blank-destructions", {"serials": [blank["serial"]]}
    deaths.act("nga.quality", path, serials, leaves=["destruction propose"])
    (proposed,) = deaths.office.sign_in("khoa.stock").get(path).get_json()
    deaths.act(
        "khoa.stock",
        f"{path}/{proposed['id']}/confirmation",
        leaves=["card destroy", "destruction confirm"],
        between_statements=True,
    )
    assert card_of(deaths.office, card).state == "destroyed"


def test_a_card_that_nobody_fetched_is_destroyed_once_with_its_blank_and_its_order_held(
    deaths: Deaths,
) -> None:
    office, act = deaths.office, deaths.act
    dossier, other = approved(office, STRANGER, 1), approved(office, PERSON, 2)
    office.make_cards()
    card, missing = newest(office, dossier), newest(office, other)
    box = dispatched(office, [card, missing])
    act(
        SUPERVISOR,
        f"/v1/boxes/{box['id']}/receipt",
        {"cards": [card], "close_short": True},
        leaves=["production-order reopen", "box receive_short", "card receive", "card revoke"],
        between_statements=True,
    )
    office.now[0] += timedelta(days=61)
    age_cards(office.database, lambda: office.now[0])
    path = f"/v1/credentials/{card}"
    act(PACKER, f"{path}/return", leaves=["card return_to_centre"])
    act(PACKER, f"{path}/destruction", leaves=[])
    act(
        SUPERVISOR,
        f"{path}/destruction",
        leaves=["production-order reopen", "card destroy"],
        between_statements=True,
    )
    held = books(office)
    assert (held[Account.ISSUED], held[Account.DESTROYED]) == (1, 1), "a missing one was not destroyed"
    release = f"/v1/production-orders/{dossier}/release"
    act("hoa.production", release, leaves=["production-order release"])
    run_pending(office.card_line())
    assert newest(office, dossier) != card
    assert books(office)[Account.ISSUED] == 2
    require_sound(office.database)


def approved(office: Office, person: RegistryPerson, number: int) -> str:
    """A dossier whose card is ordered."""
    captured = office.sign_in("lan.capture").capture(person, f"capture-{number:010}")
    dossier = str(captured.get_json()["id"])
    office.approve_all(dossier)
    return dossier


def newest(office: Office, dossier: str) -> str:
    return str(office.sign_in(SUPERVISOR).get(f"/v1/dossiers/{dossier}").get_json()["credential"])
