"""One person captured at several kits without a network: one capture stands, whichever comes first (F21)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import event

from issuance_backend.application_status.domain import stage_of, stage_of_packet
from issuance_backend.application_status.service import StatusDesk
from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.twin_captures import CAPTURED_EARLIER
from issuance_backend.moments import rfc3339
from issuance_backend.schema import CREDENTIALS, DOSSIERS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.application_desk import LAN, MINH, THU
from tests.support.cheap_prints import cheap_prints
from tests.support.engines import Engine, Sqlite
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.packet_centre import SUPERVISOR, prepared_database
from tests.support.twin_stand import EVENING, Stand, stand_on
from verification.messages.packet_intake import PacketRelease
from verification.messages.receipt_code import receipt_code

ACCEPT, REFUSE = PacketRelease("VA-2026/7", is_accepted=True), PacketRelease("VA-2026/7", is_accepted=False)


@pytest.fixture
def stand(tmp_path: Path, database_engine: Engine) -> Stand:
    return stand_on(prepared_database(database_engine.migrated(ISSUANCE_MIGRATIONS)), tmp_path / "centre")


def test_whatever_comes_first_the_same_capture_stands(tmp_path: Path) -> None:
    engine = Sqlite(tmp_path)
    prepared = prepared_database(engine.migrated(ISSUANCE_MIGRATIONS))
    prepared.close()
    for number, order in enumerate(permutations(range(3))):
        stand = stand_on(Database(engine.copy(prepared.url)), tmp_path / str(number))
        packets = [stand.sealed(0, 2), stand.sealed(1, 1), stand.sealed(2, 1)]
        for place in order:
            stand.centre.bring(packets[place])
        assert stand.standing() == [packets[1].packet_hash], "sealed first; of two at once, the first kit's"
        assert stand.state(packets[1]) == ("opened", None)
        for other in (packets[0], packets[2]):
            state, code = stand.state(other)
            assert (state, code in {CAPTURED_EARLIER, "DOSSIER_ALREADY_OPEN"}) == ("doubtful", True)
        stand.database.close()


@pytest.mark.parametrize("seed", range(6))
def test_many_people_at_three_kits_in_any_order_have_one_dossier_each(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
    stand = stand_on(prepared_database(Sqlite(tmp_path).migrated(ISSUANCE_MIGRATIONS)), tmp_path / "centre")
    captured = []
    for kit in range(3):
        for hours in sorted(draw.choices(range(6), k=4)):
            citizen = draw.randrange(3)
            packet = stand.sealed(kit, hours, citizen)
            captured.append((citizen, hours, kit, stand.kits[kit].sequence, packet))
    for *_, packet in draw.sample(captured, len(captured)):
        stand.centre.bring(packet)
    for citizen in {each[0] for each in captured}:
        first = min(each[:4] for each in captured if each[0] == citizen)
        (stands,) = (each[4] for each in captured if each[:4] == first)
        assert stand.standing(citizen) == [stands.packet_hash]
    assert {stand.state(each[4])[0] for each in captured} <= {"opened", "doubtful"}


def test_all_at_once_the_same_capture_stands(stand: Stand) -> None:
    packets = [stand.sealed(0, 2), stand.sealed(1, 1), stand.sealed(2, 3)]
    with ThreadPoolExecutor(len(packets)) as at_once:
        list(at_once.map(stand.centre.bring, packets))
    stand.centre.intake.opening.open_waiting()
    assert stand.standing() == [packets[1].packet_hash]
    assert [stand.state(each)[0] for each in packets] == ["doubtful", "opened", "doubtful"]


def test_the_dossier_that_gives_way_is_held_before_anything_is_recorded(stand: Stand) -> None:
    """An officer at work with it holds it and waits for the record: the other way round both would wait."""
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    with transactions() as done:
        stand.centre.bring(early)
    (withdrawing,) = (each for each in done if any(said.startswith("UPDATE dossiers ") for said in each))
    first = next(said for said in withdrawing if said.startswith("UPDATE dossiers ") or "event_head" in said)
    assert first.startswith("UPDATE dossiers ")


@contextmanager
def transactions() -> Iterator[list[list[str]]]:
    """The SQL of each transaction that ends meanwhile."""
    done: list[list[str]] = []
    said: list[str] = []

    def note(*told: Any) -> None:
        said.append(told[2])

    def end(_connection: object) -> None:
        done.append(said.copy())
        said.clear()

    heard = {"before_cursor_execute": note, "commit": end}
    for name, listener in heard.items():
        event.listen(SqlEngine, name, listener)
    try:
        yield done
    finally:
        for name, listener in heard.items():
            event.remove(SqlEngine, name, listener)


def test_a_slip_tells_that_a_case_is_open_and_nothing_of_the_other_capture(stand: Stand) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    desk = StatusDesk(stand.database, lambda: EVENING)
    stand.centre.bring(late)
    stand.centre.bring(early)
    told = {packet: desk.of_receipt(receipt_code(packet.packet_hash)) for packet in (late, early)}
    assert told[late].stage is stage_of_packet(PacketState.DOUBTFUL)
    assert told[early].stage is stage_of(DossierState.VALIDATED)


def test_an_officer_ends_the_case_and_nothing_is_lost_meanwhile(stand: Stand) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    stand.centre.bring(early)
    assert stand.state(late) == ("doubtful", CAPTURED_EARLIER)
    told = stand.centre.intake.kits.numbers(SUPERVISOR, "kit-001")
    assert [(each.packet, each.code) for each in told.doubtful] == [(late.packet_hash, CAPTURED_EARLIER)]
    decided = stand.centre.intake.kits.decide(SUPERVISOR, late.packet_hash, ACCEPT)
    assert decided.code == "DOSSIER_ALREADY_OPEN", "the other one stands"
    assert stand.standing() == [early.packet_hash]
    with_officer = stand.dossier(early)
    stand.desk.approve_locally(MINH, with_officer)
    stand.centre.intake.kits.decide(SUPERVISOR, late.packet_hash, REFUSE)
    assert stand.state(late)[0] == "refused"


def test_what_gave_way_is_a_dossier_after_all_where_the_other_ended_without_a_card(stand: Stand) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    stand.centre.bring(early)
    stand.desk.office.captures.withdraw(LAN, stand.dossier(early))
    stand.centre.intake.kits.decide(SUPERVISOR, late.packet_hash, ACCEPT)
    assert stand.state(late) == ("opened", None)
    assert stand.standing() == [late.packet_hash]
    dossier = stand.dossier(late)
    view = stand.desk.view(dossier)
    assert (view.state, view.prints) == ("validated", len(cheap_prints()))
    assert stand.desk.office.portrait(THU, dossier) == picture(1)


def test_prints_that_the_law_let_nobody_keep_hold_up_no_packet_that_gave_way(stand: Stand) -> None:
    child = replace(citizens()[0], date_of_birth=NOW.date().replace(year=NOW.year - 5))
    stand.desk.registry.people[child.citizen_number] = child
    late, early = (
        stand.kits[kit].seal(
            child,
            {"portrait": picture(kit + 1), **cheap_prints()},
            happened_at=NOW + timedelta(hours=hours),
        )
        for kit, hours in ((0, 2), (1, 1))
    )
    stand.centre.bring(late)
    stand.centre.bring(early)
    stand.desk.office.captures.withdraw(LAN, stand.dossier(early))
    stand.centre.intake.kits.decide(SUPERVISOR, late.packet_hash, ACCEPT)
    assert stand.state(late) == ("opened", None)
    view = stand.desk.view(stand.dossier(late))
    assert (view.state, view.prints) == ("validated", 0)


def test_what_an_officer_approved_is_not_taken_from_under_them(stand: Stand) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    stand.desk.approve_locally(MINH, stand.dossier(late))
    stand.centre.bring(early)
    assert stand.standing() == [late.packet_hash]
    assert stand.state(early) == ("doubtful", "DOSSIER_ALREADY_OPEN")


def test_a_capture_older_than_the_card_makes_no_second_card(stand: Stand) -> None:
    late, early = stand.sealed(0, 2), stand.sealed(1, 1)
    stand.centre.bring(late)
    dossier = stand.dossier(late)
    with stand.database.writing() as connection:
        done = {"state": "completed", "updated_at": rfc3339(NOW + timedelta(hours=5))}
        connection.execute(DOSSIERS.update().where(DOSSIERS.c.id == dossier).values(done))
        connection.execute(CREDENTIALS.insert().values(card_of(dossier)))
    stand.centre.bring(early)
    assert stand.state(early) == ("doubtful", "PACKET_CARD_SINCE")
    stand.centre.intake.kits.decide(SUPERVISOR, early.packet_hash, ACCEPT)
    assert stand.state(early) == ("doubtful", "PACKET_CARD_SINCE")
    assert stand.standing() == []
    assert stand.state(stand.brought(0, 7))[0] == "opened", "captured since: another card"


def card_of(dossier: str) -> dict[str, object]:
    """A card that somebody holds."""
    return {
        "id": "c" * 16, "dossier": dossier, "citizen_number": citizens()[0].citizen_number, "attempt": 1,
        "state": "active", "version": 1, "chip_id": "d" * 16, "issued_on": NOW.date(), "findings": "[]",
        "since": rfc3339(NOW),
    }  # fmt: skip
