"""Sealed packets of 0.4 MB taken in durably: announced, sent in chunks, completed, opened to a dossier.

A packet holds a portrait, three slaps (4-4-2), ten prints and the citizen's signature. Four kits send at a
time to one process. The figure is the processor's time for a packet, the system's share included: while one
packet waits for a disk, the core takes in another. Every chunk and every picture is synced and every step is
committed (SQLite, FULL) before it is acknowledged. Sealing is the kit's work and is not counted.
Dossiers are made by the office's own desk from an invented registry; pictures lie sealed in a folder.

``python -m tests.benchmarks.packet_intake --packets 500`` takes in more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

from issuance_backend.blob_store.keys import add_key
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.intake.composition import dossier_door
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from tests.benchmarks.figure import Figure, at_most
from tests.benchmarks.folders import new_folder
from tests.support.application_desk import OfficerJudges
from tests.support.issuance_office import NOW, InventedRegistry, picture
from tests.support.packet_centre import Centre, PlainDossiers, prepared_database
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment_packet import SealedPacket

PACKETS = 150
QUICK_PACKETS = 30
SLAPS = ("slap_right", "slap_left", "slap_thumbs")
KITS = 4
PACKET_BYTES = 400_000
MILLISECONDS_GOAL = 1000 / 30
"""Thirty packets a second by one core."""


def run(packets: int = PACKETS) -> list[Figure]:
    """Milliseconds of the processor for a packet."""
    milliseconds = _taken_in(new_folder(), packets) * 1000
    name = f"packet_intake_400kb_durable_{packets}_packets"
    return [at_most(name, milliseconds, "ms", goal=MILLISECONDS_GOAL)]


def quick() -> list[Figure]:
    """The same with fewer packets."""
    return run(QUICK_PACKETS)


def _taken_in(folder: Path, packets: int) -> float:
    """Seconds of the processor for a packet."""
    plan = NationPlan(people=2 * packets + 50, seed=4, today=date(2026, 11, 21))
    people = [person.entry for person in make_nation(plan)]
    living = [entry for entry in people if entry.life_status == "alive"][:packets]
    registry = InventedRegistry({entry.citizen_number: entry for entry in living})
    database = prepared_database(f"sqlite:///{folder / 'office.db'}")
    add_key(folder / "blob_keys.json", "bench")
    place = StorePlace(keys_file=folder / "blob_keys.json", dir=folder / "blobs")
    pictures = Pictures(database, open_store(place, database, lambda: NOW))
    desk = PacketDesk(CaptureChecks(registry, OfficerJudges()), pictures)
    centre = Centre(database, folder, PlainDossiers())
    kits = [centre.kit(f"kit-{number}") for number in range(KITS)]
    centre.intake = centre.again(dossier_door(database, desk))
    queues: list[list[SealedPacket]] = [[] for _ in kits]
    for number, entry in enumerate(living):
        queues[number % KITS].append(kits[number % KITS].seal(entry, _blobs(number)))

    def send(queue: list[SealedPacket]) -> None:
        for packet in queue:
            centre.bring(packet)

    seconds = _at_a_time(send, queues)
    states = {centre.status(packet).state for queue in queues for packet in queue}
    if states != {"opened"}:
        raise RuntimeError(f"packets are not dossiers: {states}")
    database.close()
    return seconds / len(living)


def _at_a_time(work: Callable[[Any], None], portions: Sequence[object]) -> float:
    """Seconds of the processor in which as many threads as portions do them all."""
    began = time.process_time()
    with ThreadPoolExecutor(len(portions)) as threads:
        list(threads.map(work, portions))
    return time.process_time() - began


def _blobs(number: int) -> dict[str, bytes]:
    """A portrait, three slaps and ten prints, 0.4 MB together; no two people's are the same."""
    portrait = picture() + number.to_bytes(4, "big")
    names = (*SLAPS, *FINGER_ITEMS)
    each = (PACKET_BYTES - len(portrait)) // len(names)
    prints = {name: hashlib.shake_256(f"{number}/{name}".encode()).digest(each) for name in names}
    return {"portrait": portrait, **prints}


def main() -> int:
    """Take in as many as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.packet_intake")
    parser.add_argument("--packets", type=int, default=PACKETS)
    figures = run(parser.parse_args().packets)
    for figure in figures:
        print(json.dumps(figure))
    return 0 if all(figure["met"] for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
