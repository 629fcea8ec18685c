"""kill -9 while packets are taken in: what was acknowledged is there, and no packet is two dossiers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from issuance_backend import recorded_events
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import NOW
from tests.support.packet_centre import SUPERVISOR, Centre, PlainDossiers, prepared_database
from verification.messages.enrollment_packet import SealedPacket, from_file, parse_packet, to_file

ROOT = Path(__file__).parents[2]
PACKETS = 24
KILLS = ((5, 0.001), (9, 0.0), (12, 0.004), (15, 0.002), (18, 0.008))
"""After so many acknowledgements, and so many seconds more: far from the end on the quickest machine."""

# Brings every packet file of a folder, each chunk and each receipt said only when it was acknowledged.
PROGRAM = """
import hashlib, sys
from pathlib import Path
from monitoring.database import Database
from tests.support.packet_centre import Centre, PlainDossiers
from verification.messages.enrollment_packet import CHUNK_BYTES, from_file
url, folder = sys.argv[1:]
centre = Centre(Database(url), Path(folder), PlainDossiers())
desk = centre.intake.desk
for path in sorted(Path(folder).glob("*.packet")):
    metadata, content = from_file(path.read_bytes())
    status = desk.announce(metadata)
    for offset in status.missing:
        chunk = content[offset : offset + CHUNK_BYTES]
        desk.put_chunk(status.packet, offset, hashlib.sha256(chunk).digest(), chunk)
        print(f"chunk {status.packet} {offset}", flush=True)
    print(f"receipt {status.packet} {desk.complete(status.packet)}", flush=True)
print("done", flush=True)
"""


def bring_and_die(url: str, folder: Path, kill: tuple[int, float] | None) -> list[list[str]]:
    """What a program acknowledged before it was killed; None lets it finish."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert program.stdout is not None
    first = ""
    if kill is not None:
        acknowledged, seconds = kill
        first = "".join(program.stdout.readline() for _ in range(acknowledged))
        time.sleep(seconds)
        program.send_signal(signal.SIGKILL)
    rest = program.stdout.read()
    program.wait(120)
    lines = (first + rest).splitlines(keepends=True)
    return [line.split() for line in lines if line.endswith("\n")]


@pytest.mark.slow
def test_what_was_acknowledged_outlasts_every_kill(database_engine: Engine, tmp_path: Path) -> None:
    url = database_engine.new()
    centre = Centre(prepared_database(url), tmp_path, PlainDossiers())
    kit = centre.kit()
    packets: list[SealedPacket] = []
    for number in range(PACKETS):
        packet = kit.seal(blobs={"portrait": bytes([number]) * 170_000})
        packets.append(packet)
        (tmp_path / f"{number:03}.packet").write_bytes(to_file(packet.metadata, packet.content))
    receipts: dict[str, str] = {}
    for kill in KILLS:
        for what, packet_hash, said in bring_and_die(url, tmp_path, kill):
            if what == "receipt":
                assert receipts.setdefault(packet_hash, said) == said, "the same receipt, to the byte"
            else:
                assert int(said) not in centre.intake.desk.status(packet_hash).missing
        for packet_hash, receipt in receipts.items():
            assert centre.intake.desk.status(packet_hash).receipt == receipt
    assert receipts, "killed before they were in the middle of anything"
    *ended, last = bring_and_die(url, tmp_path, None)
    assert last == ["done"]
    assert all(receipts.get(line[1], line[2]) == line[2] for line in ended if line[0] == "receipt")
    centre.intake.opening.open_waiting()
    for packet in packets:
        assert centre.recorded(packet) == "opened"
    told = centre.intake.kits.numbers(SUPERVISOR, kit.name)
    assert (told.settled, told.gaps, told.pending, told.received) == (PACKETS, (), (), ())
    require_one_dossier_each(centre.database)
    centre.intake.opening.sweep()
    assert not [path for path in (tmp_path / "inbox").rglob("*") if path.is_file()]


def require_one_dossier_each(database: Database) -> None:
    with database.reading() as connection:
        recorded_events.verify(connection)
        rows = connection.exec_driver_sql("SELECT count(*) FROM dossiers").scalar_one()
    assert rows == PACKETS


def test_a_cut_packet_file_is_taken_in_when_it_is_whole(database_engine: Engine, tmp_path: Path) -> None:
    """A stick that was pulled out leaves half a file: told so, and the whole file goes on from there."""
    centre = Centre(prepared_database(database_engine.new()), tmp_path, PlainDossiers())
    packet = centre.kit().seal(blobs={"portrait": b"p" * 200_000})
    file = to_file(packet.metadata, packet.content)
    metadata, content = from_file(file[:-70_000])
    assert parse_packet(metadata).packet_hash == packet.packet_hash
    half = SealedPacket(packet.packet_hash, metadata, content)
    whole = len(content) // 65536 * 65536
    centre.send(half, tuple(range(0, whole, 65536) if centre.intake.desk.announce(metadata).missing else ()))
    assert min(centre.status(packet).missing) == whole
    centre.receipt(centre.bring(packet))
    assert centre.recorded(packet) == "opened"
    assert centre.now == [NOW]
