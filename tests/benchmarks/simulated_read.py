"""How long a whole card of 20 kB takes over pcscd and vpcd, the card in a process of its own.

The floor is as many bare SCardTransmit round trips as the reading makes.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from smartcard import scard  # type: ignore[import-untyped]

from monitoring.virtual_reader import VirtualReader
from reader_agent.transports.pcsc import PcscReader, list_readers
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support.virtual_reader_bed import bed, card_process
from verification.chip.keys import Can
from verification.chip.reading import DocumentReader

GOAL_MS = 50.0
ROUND_TRIPS_GOAL = 15.0
GOAL_OCTETS = 20_000
ROUNDS = 11
# The picture comes out some per cent smaller; with the other files this is 20 kB and a little more.
PORTRAIT_BYTES = 19_000
# Nothing is selected: the chip answers 6986 at once, which leaves the way there and back.
EMPTY_COMMAND = bytes.fromhex("00B0000000")


def run() -> list[Figure]:
    """Return the figures, or none where the virtual reader cannot run."""
    if VirtualReader.available() is not None:
        return []
    with bed() as reader, tempfile.TemporaryDirectory() as folder:
        address = f"unix:{reader.door(0)}"
        with card_process(address, Path(folder), "cccd", "--portrait-bytes", str(PORTRAIT_BYTES)) as card:
            slot = PcscReader(list_readers()[0])
            if not slot.wait_for_card(10):
                raise RuntimeError("the card was not seen")
            _read(slot, card["can"])
            reads = [_read(slot, card["can"]) for _ in range(ROUNDS)]
            seconds, octets, apdus = (statistics.median(column) for column in zip(*reads, strict=True))
            floor = _floor(slot, int(apdus))
    milliseconds = seconds * 1000
    if octets < GOAL_OCTETS:
        raise RuntimeError("the card is smaller than the goal speaks of")
    return [
        # Wall time, the session's opening included.
        at_most("simulated_read_20kb", milliseconds, "ms", goal=GOAL_MS),
        against_floor(
            "simulated_read_20kb over round trips", milliseconds, "ms", floor=floor, goal=ROUND_TRIPS_GOAL
        ),
    ]


def _read(slot: PcscReader, can: str) -> tuple[float, int, int]:
    transport = slot.connect()
    try:
        document = DocumentReader(transport, os.urandom)
        begin = time.perf_counter()
        document.open(Can(can))
        files = document.read_files()
        seconds = time.perf_counter() - begin
    finally:
        transport.close()
    return seconds, sum(map(len, files.values())), document.channel.apdu_count


def _floor(slot: PcscReader, apdus: int) -> float:
    """Milliseconds of that many empty round trips, without our session thread."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, card, protocol = scard.SCardConnect(
        context, slot.name, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1
    )
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(apdus):
            scard.SCardTransmit(card, protocol, list(EMPTY_COMMAND))
        times.append(time.perf_counter() - begin)
    scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)
    scard.SCardReleaseContext(context)
    return statistics.median(times) * 1000
