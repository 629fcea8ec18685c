"""kill -9 of a kit at every point of a citizen's way: nothing captured is lost, no number is used twice."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from enrollment_admin.station.capture_steps import AT_THE_DESK, ON_THE_WAY
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.outbox import Outbox
from issuance_backend.schema import DOSSIERS
from tests.support import dying_programs
from tests.support.engines import Engine, Sqlite
from tests.support.killing import Point, is_killed
from tests.support.kit_bench import (
    ITEMS,
    PASSPHRASE,
    SIGNED,
    KitBench,
    captured,
    client,
    desk_of,
    enrol_at,
    fold,
    register,
    served,
)
from tests.support.packet_centre import LEADER, Centre, PlainDossiers, prepared_database
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, SealedPacket, from_file, parse_packet

pytestmark = pytest.mark.slow

CONTENTS = {name: content for name, (_, content) in ITEMS.items()}


def test_a_kit_that_is_killed_anywhere_loses_nothing_and_uses_no_number_twice(
    tmp_path: Path, database_engine: Engine
) -> None:
    centre = Centre(prepared_database(database_engine.new()), tmp_path / "centre", PlainDossiers())
    seen, chunks_left = set(), set()
    with served(centre.intake.desk) as url:
        # The kit is the same before both engines of the centre, and most points are the kit's.
        for number in count(1, 1 if database_engine.name == "sqlite" else 3):
            bench = KitBench(tmp_path, centre.intake.desk.key_list(), name=f"kit-{number:03}")
            kit = bench.make()
            register(centre, kit)
            kit.database.close()
            said = tmp_path / f"{number}.said"
            if not is_killed(dying_programs.enrol, bench, url, said, Point(number, between_statements=False)):
                break
            kit = bench.open()
            seen |= {draft.state for draft in desk_of(kit).drafts()}
            chunks_left |= chunks_missing(centre, kit)
            require_acknowledged_is_there(kit, lines(said))
            enrol_at(bench, url, said)
            require_one_of_everything(centre, kit, lines(said))
            go_on(kit, url)
            require_no_gap(centre, kit)
            kit.database.close()
    assert number > 30, "commits, files and questions to the centre"
    assert set(ON_THE_WAY) <= seen <= {*AT_THE_DESK, *ON_THE_WAY}
    assert chunks_left & {1, 2}, "killed between chunks"


def test_a_stick_that_is_pulled_out_anywhere_carries_whole_packets_and_receipts(tmp_path: Path) -> None:
    centre = Centre(prepared_database(Sqlite(tmp_path).new()), tmp_path / "centre", PlainDossiers())
    killed_with = set()
    for number in count(1):
        bench = KitBench(tmp_path, centre.intake.desk.key_list(), name=f"kit-{number:03}")
        kit, stick = bench.make(), tmp_path / f"stick-{number}"
        stick.mkdir()
        register(centre, kit)
        desk = desk_of(kit)
        first, second = (desk.seal(captured(desk, index), PASSPHRASE, "vi") for index in range(2))
        Outbox(kit).export(stick)
        next(stick.glob("*-000002-*")).unlink()
        answer_packets(centre, stick)
        kit.database.close()
        if not is_killed(dying_programs.carry, bench, stick, Point(number, between_statements=False)):
            break
        outbox = Outbox(bench.open())
        killed_with.add((len(outbox.waiting()), len(list(stick.glob("*.packet")))))
        outbox.take_receipts(stick)
        outbox.export(stick)
        answer_packets(centre, stick)
        assert outbox.take_receipts(stick).refused == ()
        assert outbox.waiting() == ()
        assert outbox.receipt(first.packet) != outbox.receipt(second.packet)
        assert centre.intake.kits.numbers(LEADER, kit.profile.name).settled == 2
    assert {(2, 1), (1, 1), (1, 2)} <= killed_with


def answer_packets(centre: Centre, stick: Path) -> None:
    """What the centre does with every packet file of a stick."""
    for path in stick.glob("*.packet"):
        metadata, content = from_file(path.read_bytes())
        packet = SealedPacket(parse_packet(metadata).packet_hash, metadata, content)
        path.with_suffix(".receipt").write_text(centre.bring(packet))


def test_a_packet_file_that_was_half_written_is_no_packet(tmp_path: Path) -> None:
    centre = Centre(prepared_database(Sqlite(tmp_path).new()), tmp_path / "centre", PlainDossiers())
    bench = KitBench(tmp_path, centre.intake.desk.key_list())
    kit = bench.make()
    draft = captured(desk_of(kit))
    kit.database.close()
    left = kit.folder / "outbox" / f"{'ab' * 32}.part"
    left.write_bytes(b"enrollment packet 1\n half of it")
    again = desk_of(bench.open())
    assert not left.exists()
    assert again.seal(draft, PASSPHRASE, "vi").sequence == 1


def lines(said: Path) -> list[list[str]]:
    """What the kit acknowledged."""
    return [line.split() for line in said.read_text().splitlines()] if said.exists() else []


def chunks_missing(centre: Centre, kit: Kit) -> set[int]:
    """How many chunks the centre lacks of the kit's packets that it has heard of."""
    newest = centre.intake.kits.numbers(LEADER, kit.profile.name).newest
    packets = [each.packet for each in Outbox(kit).waiting() if each.sequence <= newest]
    return {len(centre.intake.desk.status(packet).missing) for packet in packets}


def require_acknowledged_is_there(kit: Kit, said: list[list[str]]) -> None:
    """Everything that the officer was told to be kept is kept, in the state that its steps add up to."""
    for what, *rest in said:
        with kit.database.reading() as connection:
            row = kit.store.draft(connection, 1)
            assert fold(event for event, _ in kit.store.steps(connection, 1)) is row.state
            packet = kit.store.packet_of(connection, 1)
            kept = kit.store.contents(connection, 1)
        if packet is not None:
            assert packet.receipt or kit.packets.read(packet.packet)
            assert what not in {"sealed", "waits"} or rest == [packet.packet, str(packet.sequence)]
            assert what != "receipt" or packet.receipt
        elif what == "kept":
            assert kept[rest[0]] == {**CONTENTS, CITIZEN_SIGNATURE: SIGNED}[rest[0]]
        elif what == "excused":
            assert [each.item for each in row.particulars.exceptions] == rest
        else:
            assert what == "draft"


def require_one_of_everything(centre: Centre, kit: Kit, said: list[list[str]]) -> None:
    """One packet, one receipt, one dossier; nothing else is left in the kit."""
    numbered = {tuple(rest) for what, *rest in said if what in {"sealed", "waits"}}
    assert len(numbered) == 1
    ((packet, sequence),) = numbered
    assert sequence == "1"
    outbox = Outbox(kit)
    assert outbox.waiting() == ()
    receipt = centre.receipt(outbox.receipt(packet) or "")
    assert (receipt.packet, receipt.kit, receipt.sequence) == (packet, kit.profile.name, 1)
    with centre.database.reading() as connection:
        opened = select(DOSSIERS.c.id).where(DOSSIERS.c.packet_sha256 == packet)
        assert len(connection.execute(opened).all()) == 1
    assert not list((kit.folder / "outbox").iterdir())
    with kit.database.reading() as connection:
        assert kit.store.contents(connection, 1) == {}


def go_on(kit: Kit, url: str) -> None:
    """The next citizen's packet follows the first."""
    desk = desk_of(kit)
    assert desk.seal(captured(desk, 1), PASSPHRASE, "vi").sequence == 2
    report = Outbox(kit).send(client(url))
    assert (report.receipted, report.refused, report.stopped) == ((2,), (), None)


def require_no_gap(centre: Centre, kit: Kit) -> None:
    """Every number of the kit is decided at the centre."""
    told = centre.intake.kits.numbers(LEADER, kit.profile.name)
    assert (told.settled, told.newest, told.gaps, told.doubtful) == (2, 2, (), ())
