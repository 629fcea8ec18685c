"""Packets on their way to the centre, over HTTP and on a stick: cut anywhere, they go on and come once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.outbox import NETWORK, STICK, Outbox, Progress
from enrollment_admin.station.refusals import CentreUnavailable, KitStorageUnavailable
from monitoring.database import Database
from tests.support.engines import Sqlite
from tests.support.kit_bench import PASSPHRASE, KitBench, captured, client, desk_of, register, served
from tests.support.packet_centre import SUPERVISOR, Centre, PlainDossiers, prepared_database
from verification.messages.enrollment_packet import (
    PacketReceipt,
    SealedPacket,
    from_file,
    parse_packet,
    sign_packet_receipt,
)
from verification.messages.packet_intake import SignerRevocation


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database that is only copied."""
    database = prepared_database(Sqlite(tmp_path_factory.mktemp("prepared")).new())
    database.close()
    return database.url


@pytest.fixture
def centre(tmp_path: Path, prepared: str) -> Centre:
    return Centre(Database(Sqlite(tmp_path).copy(prepared)), tmp_path / "centre", PlainDossiers())


@pytest.fixture
def bench(tmp_path: Path, centre: Centre) -> KitBench:
    return KitBench(tmp_path, centre.intake.desk.key_list())


@pytest.fixture
def kit(bench: KitBench, centre: Centre) -> Kit:
    kit = bench.make()
    register(centre, kit)
    return kit


@pytest.fixture
def url(centre: Centre) -> Iterator[str]:
    with served(centre.intake.desk) as url:
        yield url


def sealed(kit: Kit, index: int = 0) -> str:
    """The hash of a packet that waits."""
    desk = desk_of(kit)
    return desk.seal(captured(desk, index), PASSPHRASE, "vi").packet


def state(kit: Kit, number: int = 1) -> DraftState:
    return desk_of(kit).draft(f"{kit.profile.name}-{number}").state


class CutLine(CentreClient):
    """A line that is cut after so many chunks."""

    def __init__(self, url: str, chunks: int) -> None:
        super().__init__(url, "a token")
        self._left = chunks

    def put_chunk(self, packet: str, offset: int, chunk: bytes) -> None:
        if self._left == 0:
            raise CentreUnavailable("cut")
        self._left -= 1
        super().put_chunk(packet, offset, chunk)


def test_what_waits_is_sent_in_order_and_its_receipts_are_kept(kit: Kit, centre: Centre, url: str) -> None:
    packets = [sealed(kit, index) for index in range(3)]
    outbox, heard = Outbox(kit), []
    report = outbox.send(client(url), heard.append)
    assert (report.receipted, report.refused, report.stopped) == ((1, 2, 3), (), None)
    assert report.chunks == len(heard)
    assert heard[-1] == Progress(3, heard[-1].size, heard[-1].size)
    assert [centre.receipt(outbox.receipt(packet) or "").packet for packet in packets] == packets
    assert outbox.waiting() == ()
    assert state(kit) is DraftState.RECEIPTED
    assert not list((kit.folder / "outbox").iterdir())
    assert outbox.send(client(url)).receipted == ()


def test_a_line_that_is_cut_again_and_again_sends_each_chunk_once(kit: Kit, url: str) -> None:
    sealed(kit)
    outbox, rounds = Outbox(kit), []
    while not rounds or rounds[-1].stopped:
        rounds.append(outbox.send(CutLine(url, chunks=1)))
    assert [each.chunks for each in rounds] == [1, 1, 1]
    assert rounds[-1].receipted == (1,)


def test_without_a_centre_everything_waits(kit: Kit) -> None:
    sealed(kit)
    nobody = CentreClient("http://127.0.0.1:9", "a token", urllib3.PoolManager(timeout=0.5, retries=False))
    assert Outbox(kit).send(nobody).stopped == "KIT_CENTRE_UNAVAILABLE"
    (waiting,) = Outbox(kit).waiting()
    assert (waiting.sequence, waiting.carriers, waiting.refused) == (1, (NETWORK,), None)


def test_a_refused_packet_says_why_and_holds_up_no_other(kit: Kit, centre: Centre, url: str) -> None:
    packets = [sealed(kit, index) for index in range(2)]
    file = kit.folder / "outbox" / f"{packets[0]}.packet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    report = Outbox(kit).send(client(url))
    assert (report.receipted, report.refused) == ((2,), ((1, "PACKET_ALTERED"),))
    (waiting,) = Outbox(kit).waiting()
    assert waiting.refused == "PACKET_ALTERED"
    file.write_bytes(whole)
    assert Outbox(kit).send(client(url)).receipted == (1,)
    assert Outbox(kit).waiting() == ()
    assert centre.intake.kits.numbers(SUPERVISOR, kit.profile.name).settled == 2


def test_a_file_that_is_gone_or_broken_holds_up_no_other(kit: Kit, url: str, tmp_path: Path) -> None:
    packets = [sealed(kit, index) for index in range(3)]
    files = [kit.folder / "outbox" / f"{packet}.packet" for packet in packets]
    files[0].unlink()
    files[1].write_bytes(b"not a packet any more")
    outbox = Outbox(kit)
    assert outbox.export(tmp_path) == (2, 3)
    report = outbox.send(client(url))
    assert report.receipted == (3,)
    assert report.refused == ((1, "KIT_STORAGE_UNAVAILABLE"), (2, "PACKET_MALFORMED"))
    assert [each.refused for each in outbox.waiting()] == ["KIT_STORAGE_UNAVAILABLE", "PACKET_MALFORMED"]


def test_a_packet_of_a_kit_that_nobody_registered_waits(bench: KitBench, url: str) -> None:
    kit = bench.make()
    sealed(kit)
    assert Outbox(kit).send(client(url)).refused == ((1, "PACKET_SIGNER_UNKNOWN"),)
    assert state(kit) is DraftState.IN_TRANSIT


def test_a_stick_carries_packets_out_and_receipts_back(kit: Kit, centre: Centre, tmp_path: Path) -> None:
    packets = [sealed(kit, index) for index in range(2)]
    stick = tmp_path / "stick"
    stick.mkdir()
    outbox = Outbox(kit)
    assert outbox.export(stick) == (1, 2)
    assert {each.carriers for each in outbox.waiting()} == {(STICK,)}
    before = {path.name: path.stat().st_mtime_ns for path in stick.iterdir()}
    assert outbox.export(stick) == (1, 2)
    assert {path.name: path.stat().st_mtime_ns for path in stick.iterdir()} == before, "not written again"
    for path in sorted(stick.glob("*.packet")):
        metadata, content = from_file(path.read_bytes())
        packet = SealedPacket(parse_packet(metadata).packet_hash, metadata, content)
        path.with_suffix(".receipt").write_text(centre.bring(packet) + "\n")
    (stick / "photo.receipt").write_text("not one")
    report = outbox.take_receipts(stick)
    assert (report.receipted, report.refused) == ((1, 2), (("photo.receipt", "PACKET_SIGNATURE_INVALID"),))
    assert all(centre.receipt(outbox.receipt(packet) or "") for packet in packets)
    assert outbox.waiting() == ()
    assert outbox.take_receipts(stick).receipted == (), "brought twice is taken once"


def test_by_both_ways_a_packet_is_still_one(kit: Kit, centre: Centre, url: str, tmp_path: Path) -> None:
    packet = sealed(kit)
    outbox = Outbox(kit)
    outbox.send(CutLine(url, chunks=1))
    outbox.export(tmp_path)
    (waiting,) = outbox.waiting()
    assert waiting.carriers == (NETWORK, STICK)
    metadata, content = from_file(next(tmp_path.glob("kit-007-*.packet")).read_bytes())
    first = centre.bring(SealedPacket(packet, metadata, content))
    assert outbox.send(client(url)).receipted == (1,)
    assert outbox.receipt(packet) == first, "the same receipt, to the byte"


def test_a_stick_that_cannot_be_written_is_said_plainly(kit: Kit, tmp_path: Path) -> None:
    sealed(kit)
    with pytest.raises(KitStorageUnavailable):
        Outbox(kit).export(tmp_path / "pulled out")
    assert Outbox(kit).waiting()[0].carriers == ()


def test_only_the_centre_ends_the_waiting(kit: Kit, centre: Centre, tmp_path: Path) -> None:
    packet = sealed(kit)
    Outbox(kit).export(tmp_path)
    statement = PacketReceipt("issuance-intake", packet, kit.profile.name, 1, kit.now())
    forged = {
        "own key": sign_packet_receipt(statement, kit.key),
        "another kit": signed(centre, statement, kit="kit-008"),
        "another number": signed(centre, statement, sequence=2),
        "another packet": signed(centre, statement, packet="0" * 64),
        "cut": signed(centre, statement)[:-2],
    }
    for name, token in forged.items():
        (tmp_path / f"{name}.receipt").write_text(token)
    report = Outbox(kit).take_receipts(tmp_path)
    assert report.receipted == ()
    assert dict(report.refused) == {
        "another kit.receipt": "KIT_RECEIPT_OF_ANOTHER",
        "another number.receipt": "KIT_RECEIPT_OF_ANOTHER",
        "another packet.receipt": "KIT_RECEIPT_OF_ANOTHER",
        "cut.receipt": "PACKET_SIGNATURE_INVALID",
        "own key.receipt": "PACKET_SIGNATURE_INVALID",
    }
    assert len(Outbox(kit).waiting()) == 1
    (tmp_path / "true.receipt").write_text(signed(centre, statement))
    assert Outbox(kit).take_receipts(tmp_path).receipted == (1,)


def signed(centre: Centre, statement: PacketReceipt, **changes: object) -> str:
    """A receipt that the centre's key signed."""
    fields = {name: getattr(statement, name) for name in statement.__struct_fields__}
    return sign_packet_receipt(PacketReceipt(**{**fields, **changes}), centre.keys.receipts)


def test_a_receipt_outlasts_a_case_against_the_officer(kit: Kit, centre: Centre, url: str) -> None:
    sealed(kit)
    asked = SignerRevocation("officer", "lan.capture", centre.now[0].isoformat(), "CASE-2026/17")
    centre.pass_time(60)
    centre.intake.kits.revoke(SUPERVISOR, asked)
    assert Outbox(kit).send(client(url)).receipted == (1,)
    assert centre.intake.kits.numbers(SUPERVISOR, kit.profile.name).doubtful
