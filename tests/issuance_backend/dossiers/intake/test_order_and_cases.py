"""A kit's packets are opened in its order; every number is somewhere; a revocation needs a case."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import domain, kit_repository, opening, repository, tables
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.intake.refusals import KitUnknown, PacketClockAhead, SignerTaken
from issuance_backend.dossiers.intake.tables import PACKETS
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import MAX_PAGE, PageAsked, page_asked
from issuance_backend.refusals import RoleMissing
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import NOW
from tests.support.packet_centre import LEADER, SUPERVISOR, VOUCHING, Centre
from tests.support.sealed_packets import Kit
from verification.errors import (
    DossierAlreadyOpen,
    FieldsRefused,
    Refused,
    RegistryUnavailable,
    TransitionRefused,
)
from verification.messages.approval_list import OFFICE
from verification.messages.enrollment_packet import OpenedPacket, SealedPacket
from verification.messages.packet_intake import (
    GapClosing,
    KitNumbers,
    KitRegistration,
    NumberRun,
    PacketRelease,
    SignerRegistration,
    SignerRevocation,
)
from verification.messages.signing_key import public_jwk

CASE = "VV/2026-0117"
ACCEPT, REFUSE = PacketRelease(CASE, is_accepted=True), PacketRelease(CASE, is_accepted=False)


def sealed(kit: Kit, count: int) -> list[SealedPacket]:
    return [kit.seal(blobs={"portrait": b"p"}) for _ in range(count)]


def copied(centre: Centre, kit: Kit, state: PacketState, count: int) -> list[int]:
    """So many more packets of a kit in one state; their numbers."""
    centre.bring(kit.seal())
    with centre.database.writing() as connection:
        (row,) = connection.execute(select(PACKETS).where(PACKETS.c.kit == kit.name)).mappings()
        numbers = list(range(2, count + 2))
        names = [hashlib.sha256(f"{kit.name} {number}".encode()).hexdigest() for number in numbers]
        changed = {**row, "state": state.value, "dossier": None}
        rows = [
            {**changed, "packet": name, "sequence": number, "receipt_code": name[:19]}
            for number, name in zip(numbers, names, strict=True)
        ]
        connection.execute(PACKETS.insert(), rows)
    return numbers


def numbers_of(runs: tuple[NumberRun, ...]) -> list[int]:
    return list(itertools.chain.from_iterable(range(run.first, run.last + 1) for run in runs))


def require_complete(told: KitNumbers) -> None:
    """Invariant I7: each number is settled, or in exactly one list."""
    here = [*numbers_of(told.gaps), *numbers_of(told.pending), *numbers_of(told.received)]
    closed = [number for number in numbers_of(told.closed) if number > told.settled]
    missing = [number for number in closed if number not in here]
    assert sorted([*here, *missing]) == list(range(told.settled + 1, told.newest + 1))


def test_packets_wait_for_the_one_before_them(centre: Centre, kit: Kit) -> None:
    one, two, three, four = sealed(kit, 4)
    centre.receipt(centre.bring(four))
    centre.receipt(centre.bring(two))
    centre.intake.desk.announce(three.metadata)
    assert centre.dossiers.opened == []
    told = centre.intake.kits.numbers(LEADER, kit.name)
    assert (told.settled, told.newest) == (0, 4)
    assert told.gaps == (NumberRun(1, 1),)
    assert told.pending == (NumberRun(3, 3),)
    assert told.received == (NumberRun(2, 2), NumberRun(4, 4))
    centre.bring(one)
    assert centre.dossiers.opened == [one.packet_hash, two.packet_hash]
    centre.bring(three)
    expected = [packet.packet_hash for packet in (one, two, three, four)]
    assert centre.dossiers.opened == expected
    told = centre.intake.kits.numbers(LEADER, kit.name)
    assert (told.settled, told.gaps, told.pending, told.received) == (4, (), (), ())


def test_a_number_that_was_announced_and_given_up_is_waited_for_no_more(centre: Centre, kit: Kit) -> None:
    _, two = sealed(kit, 2)
    centre.intake.desk.announce(two.metadata)
    assert centre.intake.kits.numbers(LEADER, kit.name).pending == (NumberRun(2, 2),)
    told = centre.intake.kits.close_gap(SUPERVISOR, kit.name, 2, GapClosing(CASE))
    assert (told.gaps, told.pending, told.closed) == ((NumberRun(1, 1),), (), (NumberRun(2, 2),))


def test_nobody_waits_until_everything_behind_their_packet_is_opened(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    packets = sealed(kit, 6)
    for packet in reversed(packets):
        centre.bring(packet)
    assert len(centre.dossiers.opened) == 3
    assert [centre.intake.opening.open_waiting() for _ in range(3)] == [2, 1, 0]
    assert centre.dossiers.opened == [packet.packet_hash for packet in packets]


def test_no_kit_waits_for_the_backlog_of_another(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    backlog, other = sealed(kit, 5), centre.kit("kit-99").seal()
    with monkeypatch.context() as away:
        away.setattr(centre.dossiers, "is_up", RegistryUnavailable("away"))
        for packet in (*backlog, other):
            centre.bring(packet)
    assert centre.intake.opening.open_waiting() == 3
    assert centre.dossiers.opened == [*(each.packet_hash for each in backlog[:2]), other.packet_hash]


@pytest.mark.parametrize("seed", range(2))
def test_any_order_and_any_repetition_end_alike(centre: Centre, kit: Kit, seed: int) -> None:
    packets = sealed(kit, 7)
    draw = random.Random(seed)  # noqa: S311 - an order, not a secret
    arrivals = [*packets, *draw.choices(packets, k=7)]
    draw.shuffle(arrivals)
    receipts: dict[str, str] = {}
    for packet in arrivals:
        if draw.random() < 0.5:
            centre.intake.desk.announce(packet.metadata)
        receipt = centre.bring(packet)
        assert receipts.setdefault(packet.packet_hash, receipt) == receipt
        require_complete(centre.intake.kits.numbers(LEADER, kit.name))
        assert centre.recorded(packet) in {"received", "opened"}
    assert centre.dossiers.opened == [packet.packet_hash for packet in packets]


def test_a_number_that_is_lost_is_given_up_by_a_case(centre: Centre, kit: Kit) -> None:
    one, two, three, four, five = sealed(kit, 5)
    for packet in (one, three, five):
        centre.bring(packet)
    centre.intake.desk.announce(four.metadata)
    office = centre.intake.kits
    assert centre.dossiers.opened == [one.packet_hash]
    for number in (1, 3, 6, 0):
        with pytest.raises(TransitionRefused):
            office.close_gap(SUPERVISOR, kit.name, number, GapClosing(CASE))
    assert office.close_gap(SUPERVISOR, kit.name, 2, GapClosing(CASE)).settled == 3
    assert office.close_gap(SUPERVISOR, kit.name, 4, GapClosing(CASE)).settled == 5
    assert centre.dossiers.opened == [one.packet_hash, three.packet_hash, five.packet_hash]
    for late in (two, four):
        centre.receipt(centre.bring(late))
        assert (centre.status(late).state, centre.status(late).code) == ("doubtful", "PACKET_GAP_CLOSED")
    told = office.numbers(LEADER, kit.name)
    assert [each.sequence for each in told.doubtful] == [2, 4]
    office.decide(SUPERVISOR, two.packet_hash, ACCEPT)
    office.decide(SUPERVISOR, four.packet_hash, REFUSE)
    assert (centre.recorded(two), centre.recorded(four)) == ("opened", "refused")
    with pytest.raises(TransitionRefused):
        office.decide(SUPERVISOR, four.packet_hash, ACCEPT)


def test_a_packet_that_follows_another_chain_is_doubtful(centre: Centre, kit: Kit) -> None:
    copy = replace(kit)
    one = kit.seal()
    elsewhere = copy.seal(manual_portrait_reason="sealed by a copy of the kit")
    assert one.packet_hash != elsewhere.packet_hash
    broken, after = copy.seal(), copy.seal()
    for packet in (one, broken, after):
        centre.receipt(centre.bring(packet))
    assert centre.status(broken).code == "PACKET_CHAIN_BROKEN"
    assert centre.dossiers.opened == [one.packet_hash, after.packet_hash], (
        "the chain goes on from what it named"
    )


@pytest.mark.parametrize("kind", ["kit", "officer"])
def test_nothing_signed_after_a_revocation_is_opened_without_a_case(
    centre: Centre, kit: Kit, kind: str
) -> None:
    before, announced, lying, after = (
        kit.seal(),
        kit.seal(),
        kit.seal(),
        kit.seal(happened_at=NOW + timedelta(hours=2)),
    )
    centre.bring(before)
    centre.intake.desk.announce(announced.metadata)
    centre.pass_time(3600)
    owner = kit.name if kind == "kit" else kit.officer
    revocation = SignerRevocation(kind, owner, rfc3339(centre.now[0]), CASE)
    answer = centre.intake.kits.revoke(SUPERVISOR, revocation)
    assert (answer.keys, answer.dossiers) == (1, ())
    centre.pass_time(7200)
    for packet in (announced, lying, after):
        centre.receipt(centre.bring(packet))
    assert centre.dossiers.opened == [before.packet_hash, announced.packet_hash], (
        "what was announced by then was signed by then; its own word alone proves nothing"
    )
    assert {centre.status(packet).code for packet in (lying, after)} == {"PACKET_SIGNER_REVOKED"}
    centre.intake.kits.decide(SUPERVISOR, lying.packet_hash, ACCEPT)
    assert centre.recorded(lying) == "opened"
    assert centre.recorded(after) == "doubtful"
    assert centre.intake.kits.kits(LEADER)[0].is_revoked is (kind == "kit")


def test_a_key_that_is_revoked_while_a_packet_is_looked_at_opens_nothing(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = sealed(kit, 2)
    centre.bring(two)
    looked_at = centre.dossiers.prepare

    def prepare(packet: OpenedPacket) -> OpenedPacket:
        if packet.packet_hash == two.packet_hash:
            revocation = SignerRevocation("kit", kit.name, rfc3339(NOW), CASE)
            centre.intake.kits.revoke(SUPERVISOR, revocation)
        return looked_at(packet)

    monkeypatch.setattr(centre.dossiers, "prepare", prepare)
    centre.bring(one)
    assert centre.dossiers.opened == [one.packet_hash]
    assert (centre.status(two).state, centre.status(two).code) == ("doubtful", "PACKET_SIGNER_REVOKED")


def test_a_supervisors_revocation_meets_the_packets_they_signed(centre: Centre, kit: Kit) -> None:
    centre.register_supervisor(kit)
    before, after, plain = (
        kit.seal(supervisor=VOUCHING),
        kit.seal(supervisor=VOUCHING),
        kit.seal(),
    )
    centre.bring(before)
    centre.pass_time(60)
    revocation = SignerRevocation("officer", VOUCHING, rfc3339(centre.now[0]), CASE)
    assert centre.intake.kits.revoke(SUPERVISOR, revocation).keys == 1
    for packet in (after, plain):
        centre.receipt(centre.bring(packet))
    assert centre.dossiers.opened == [before.packet_hash, plain.packet_hash]
    assert centre.status(after).code == "PACKET_SIGNER_REVOKED"
    earlier = SignerRevocation("officer", VOUCHING, rfc3339(NOW), CASE)
    assert centre.intake.kits.revoke(SUPERVISOR, earlier).dossiers == (before.packet_hash[:16],)


def test_a_revocation_of_the_past_names_what_was_opened_since(centre: Centre, kit: Kit) -> None:
    early, late = kit.seal(), kit.seal()
    other = centre.kit("kit-002", officer="mai.capture").seal()
    centre.bring(early)
    centre.pass_time(60)
    stolen_at = rfc3339(centre.now[0])
    for packet in (late, other):
        centre.bring(packet)
    answer = centre.intake.kits.revoke(SUPERVISOR, SignerRevocation("kit", kit.name, stolen_at, CASE))
    assert answer.dossiers == (late.packet_hash[:16],)
    again = centre.intake.kits.revoke(SUPERVISOR, SignerRevocation("kit", kit.name, rfc3339(NOW), CASE))
    assert len(again.dossiers) == 2, "earlier can be said later"
    weaker = SignerRevocation("kit", kit.name, rfc3339(NOW + timedelta(days=9)), CASE)
    assert centre.intake.kits.revoke(SUPERVISOR, weaker).keys == 0, "and never the other way round"


def test_what_a_revocation_names_is_told_by_hundreds(centre: Centre, kit: Kit) -> None:
    one = kit.seal()
    centre.bring(one)
    with centre.database.writing() as connection:
        row = connection.execute(select(PACKETS)).mappings().one()
        copies = [
            {**row, "packet": f"{number:064}", "sequence": number, "receipt_code": str(number)}
            for number in range(2, 2 * MAX_PAGE + 100)
        ]
        connection.execute(PACKETS.insert(), copies)
    for kind, owner in (("kit", kit.name), ("officer", kit.officer)):
        asked = SignerRevocation(kind, owner, rfc3339(NOW), CASE)
        told: list[str] = []
        while True:
            answer = centre.intake.kits.revoke(SUPERVISOR, asked)
            assert answer.keys == (asked.cursor is None)
            assert len(answer.dossiers) <= MAX_PAGE
            told += answer.dossiers
            if answer.cursor is None:
                break
            asked = msgspec.structs.replace(asked, cursor=answer.cursor)
        assert len(told) == len(copies) + 1
    with pytest.raises(FieldsRefused):
        centre.intake.kits.revoke(SUPERVISOR, msgspec.structs.replace(asked, cursor="x"))
    with centre.database.reading() as connection:
        recorded = [step.event for step in recorded_events.of_subject(connection, "kit")]
    assert recorded.count("revoke_signer") == 2, "once for each, however long the answer"


@pytest.mark.parametrize("kind", ["kit", "office"])
def test_a_revocation_looks_only_for_what_its_key_signed(
    centre: Centre, kit: Kit, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a year of the nation's packets or lists is much to read for nothing, while others wait."""

    def not_asked(*_: object) -> None:
        raise AssertionError("the key signed none of these")

    others = (repository, "opened_since") if kind == "office" else (kit_repository, "listed_since")
    monkeypatch.setattr(*others, not_asked)
    owner = OFFICE if kind == "office" else kit.name
    answer = centre.intake.kits.revoke(SUPERVISOR, SignerRevocation(kind, owner, rfc3339(NOW), CASE))
    assert answer.dossiers == ()


def test_a_kit_whose_clock_runs_a_day_ahead_is_told_and_loses_nothing(centre: Centre, kit: Kit) -> None:
    ahead = kit.seal(happened_at=NOW + timedelta(hours=25))
    with pytest.raises(PacketClockAhead):
        centre.intake.desk.announce(ahead.metadata)
    centre.pass_time(2 * 3600)
    centre.receipt(centre.bring(ahead))
    revocation = SignerRevocation("kit", kit.name, rfc3339(NOW + timedelta(hours=24)), CASE)
    answer = centre.intake.kits.revoke(SUPERVISOR, revocation)
    assert answer.dossiers == (ahead.packet_hash[:16],), "by its own word it was sealed after that"


def test_what_a_desk_refuses_waits_for_a_case_and_holds_up_nobody(centre: Centre, kit: Kit) -> None:
    one, two = sealed(kit, 2)
    centre.dossiers.faults[one.packet_hash] = DossierAlreadyOpen("one dossier at a time")
    centre.receipt(centre.bring(one))
    centre.bring(two)
    assert centre.dossiers.opened == [two.packet_hash]
    assert (centre.status(one).state, centre.status(one).code) == ("doubtful", "DOSSIER_ALREADY_OPEN")
    assert centre.intake.kits.decide(SUPERVISOR, one.packet_hash, ACCEPT).code == "DOSSIER_ALREADY_OPEN"
    assert centre.recorded(one) == "doubtful", "still open: it waits on"
    centre.dossiers.faults.clear()
    centre.intake.kits.decide(SUPERVISOR, one.packet_hash, ACCEPT)
    assert centre.recorded(one) == "opened"
    with centre.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM dossiers").scalar_one()
    assert rows == 2, "what was refused left nothing behind"


def test_doubtful_packets_are_told_by_pages_and_none_is_left_out(centre: Centre, kit: Kit) -> None:
    copies = copied(centre, kit, PacketState.DOUBTFUL, 2 * MAX_PAGE + 101)
    copied(centre, centre.kit("kit-000", officer="mai.capture"), PacketState.DOUBTFUL, 3)
    told: list[int] = []
    asked: PageAsked | None = PageAsked()
    while asked is not None:
        numbers = centre.intake.kits.numbers(LEADER, kit.name, asked)
        assert len(numbers.doubtful) <= MAX_PAGE
        told += [each.sequence for each in numbers.doubtful]
        asked = page_asked(None, numbers.cursor, 1) if numbers.cursor else None
    assert told == copies
    for cursor in ("x", "-1", "9" * 11, "٣"):
        with pytest.raises(FieldsRefused) as refused:
            centre.intake.kits.numbers(LEADER, kit.name, PageAsked(after=(cursor,)))
        assert refused.value.fields == {"cursor": "FIELD_CHARACTERS"}


def released(centre: Centre, kit: Kit, count: int) -> list[str]:
    """Packets that a case let in while the desk could not answer for them, by hash."""
    packets = sealed(kit, count)
    for packet in packets:
        centre.dossiers.faults[packet.packet_hash] = DossierAlreadyOpen("one dossier at a time")
        centre.bring(packet)
        centre.dossiers.faults[packet.packet_hash] = RegistryUnavailable("away")
        centre.intake.kits.decide(SUPERVISOR, packet.packet_hash, ACCEPT)
        assert centre.recorded(packet) == "released"
    return [packet.packet_hash for packet in packets]


def test_released_packets_that_never_open_keep_nobody_waiting(
    centre: Centre, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    waiting = released(centre, kit, 7)
    tried: list[str] = []
    looked_at = centre.dossiers.prepare

    def prepare(packet: OpenedPacket) -> OpenedPacket:
        tried.append(packet.packet_hash)
        return looked_at(packet)

    monkeypatch.setattr(centre.dossiers, "prepare", prepare)
    assert centre.intake.opening.open_waiting() == 0
    assert tried == waiting, "a turn that opens nothing has tried every one"
    for each in (waiting[1], waiting[6]):
        del centre.dossiers.faults[each]
    tried.clear()
    assert centre.intake.opening.open_waiting() == 1
    assert (tried, centre.dossiers.opened) == (waiting[:2], [waiting[1]])
    behind = kit.seal()
    with monkeypatch.context() as away:
        away.setattr(centre.dossiers, "is_up", RegistryUnavailable("away"))
        centre.bring(behind)
    tried.clear()
    assert centre.intake.opening.open_waiting() == 1
    assert tried == [behind.packet_hash, *waiting[2:4]], "it walks on, and a kit does not wait for a round"
    tried.clear()
    assert centre.intake.opening.open_waiting() == 1
    assert (tried, centre.dossiers.opened[-1]) == (waiting[4:], waiting[6])
    tried.clear()
    assert centre.intake.opening.open_waiting() == 0
    assert tried == [waiting[0], *waiting[2:6]], "and begins anew"


def test_who_may_do_what(centre: Centre, kit: Kit) -> None:
    office, jwk = centre.intake.kits, dict(public_jwk(Kit(kit.centre).kit_key.public_key()))
    everybody_else = Officer("x", "X", frozenset(Role) - {Role.SUPERVISOR})
    acts = (
        lambda by: office.register_kit(by, KitRegistration("kit-9", jwk)),
        lambda by: office.register_signer(by, SignerRegistration("kit", kit.name, jwk)),
        lambda by: office.revoke(by, SignerRevocation("kit", kit.name, rfc3339(NOW), CASE)),
        lambda by: office.close_gap(by, kit.name, 1, GapClosing(CASE)),
        lambda by: office.decide(by, "ab" * 32, ACCEPT),
    )
    for act in acts:
        with pytest.raises(RoleMissing):
            act(everybody_else)
    with pytest.raises(RoleMissing):
        office.kits(Officer("x", "X", frozenset({Role.CAPTURE})))
    assert [each.kit for each in office.kits(LEADER)] == [kit.name]
    assert office.kits(replace(LEADER, unit="079")) == []


def test_what_cannot_be_registered(centre: Centre, kit: Kit) -> None:
    office = centre.intake.kits
    jwk = dict(public_jwk(Kit(kit.centre).kit_key.public_key()))
    with pytest.raises(SignerTaken):
        office.register_kit(SUPERVISOR, KitRegistration(kit.name, jwk))
    known = dict(public_jwk(kit.kit_key.public_key()))
    with pytest.raises(SignerTaken):
        office.register_signer(SUPERVISOR, SignerRegistration("kit", kit.name, known))
    with pytest.raises(KitUnknown):
        office.register_signer(SUPERVISOR, SignerRegistration("kit", "kit-404", jwk))
    for asked in (
        SignerRegistration("officer", "nobody", jwk),
        SignerRegistration("robot", kit.name, jwk),
        SignerRegistration("kit", kit.name, {**jwk, "d": "AA"}),
        SignerRegistration("kit", kit.name, {}),
        SignerRegistration("kit", kit.name, jwk, valid_until="tomorrow"),
        SignerRegistration("kit", kit.name, jwk, valid_until="2026-11-22T00:00:00"),
        SignerRegistration("kit", kit.name, jwk, valid_until="9999-12-31T23:59:59-14:00"),
    ):
        with pytest.raises(FieldsRefused):
            office.register_signer(SUPERVISOR, asked)
    for case in ("", "a b", "x" * 80):
        with pytest.raises(FieldsRefused):
            office.close_gap(SUPERVISOR, kit.name, 1, GapClosing(case))
    with pytest.raises(KitUnknown):
        office.numbers(SUPERVISOR, "kit-404")


def test_a_further_key_of_a_kit_signs_as_well(centre: Centre, kit: Kit) -> None:
    centre.bring(kit.seal())
    renewed = replace(kit, kit_key=Kit(kit.centre).kit_key)
    jwk = dict(public_jwk(renewed.kit_key.public_key()))
    until = rfc3339(NOW + timedelta(days=1))
    centre.intake.kits.register_signer(SUPERVISOR, SignerRegistration("kit", kit.name, jwk, until))
    packet = renewed.seal()
    centre.bring(packet)
    assert centre.status(packet).state == "opened"


@settings(max_examples=300, deadline=None)
@given(numbers=st.sets(st.integers(1, 60)), settled=st.integers(0, 20), newest=st.integers(0, 60))
def test_gaps_are_exactly_what_is_not_there(numbers: set[int], settled: int, newest: int) -> None:
    found = domain.gaps(settled, newest, numbers)
    assert set(found).isdisjoint(numbers)
    assert set(found) | (numbers & set(range(settled + 1, newest + 1))) == set(range(settled + 1, newest + 1))
    runs = domain.ranges(found)
    assert [each for first, last in runs for each in range(first, last + 1)] == list(found)
    assert all(second[0] > first[1] + 1 for first, second in itertools.pairwise(runs))


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_complete_under_random_events(centre: Centre, kit: Kit, seed: int) -> None:
    """Announced, completed, given up, decided in any order: I7 holds after each, nothing opens twice."""
    draw = random.Random(seed)  # noqa: S311 - an order, not a secret
    office = centre.intake.kits
    packets = sealed(kit, 12)
    for _ in range(50):
        packet, act = draw.choice(packets), draw.random()
        if act < 0.3:
            centre.intake.desk.announce(packet.metadata)
        elif act < 0.7:
            centre.bring(packet)
        elif act < 0.85:
            number = packets.index(packet) + 1
            _try(partial(office.close_gap, SUPERVISOR, kit.name, number, GapClosing(CASE)))
        else:
            decision = draw.choice([ACCEPT, REFUSE])
            _try(partial(office.decide, SUPERVISOR, packet.packet_hash, decision))
        require_complete(office.numbers(SUPERVISOR, kit.name))
    assert len(set(centre.dossiers.opened)) == len(centre.dossiers.opened)
    for packet in packets:
        centre.recorded(packet)


def _try(act: Callable[[], object]) -> None:
    with suppress(Refused):
        act()


def test_the_migration_makes_what_the_tables_say(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    made = (tables.KITS, tables.PACKET_SIGNERS, tables.PACKETS, tables.PACKET_ITEMS, tables.CLOSED_GAPS)
    with database.reading() as connection:
        for table in made:
            found = inspect(connection).get_columns(table.name)
            columns = {column["name"]: column["nullable"] for column in found}
            assert columns == {column.name: bool(column.nullable) for column in table.columns}
    database.close()
