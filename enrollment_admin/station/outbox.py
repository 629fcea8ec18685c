"""The packets of a kit on their way: by the network or on a stick, in any mixture, until the receipt is here.

What was interrupted goes on where the centre says that something is missing; the same packet again has the
same receipt. A packet's file is removed when its receipt is kept, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from enrollment_admin.station.capture_steps import DraftEvent
from enrollment_admin.station.centre_client import CentreClient
from enrollment_admin.station.durable_files import disk, write_whole
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import PacketRow
from enrollment_admin.station.refusals import (
    CentreRefused,
    CentreUnavailable,
    KitStorageUnavailable,
    ReceiptOfAnother,
)
from verification.errors import VerificationError
from verification.messages.enrollment_packet import CHUNK_BYTES, PacketReceipt, from_file, read_packet_receipt

NETWORK, STICK = "network", "stick"
RECEIPT_FILE = ".receipt"
_LONGEST_RECEIPT = 16 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet without a receipt; ``refused`` is the code of what last stood in its way."""

    draft: int
    sequence: int
    packet: str
    size: int
    sealed_at: str
    carriers: tuple[str, ...]
    refused: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a packet the centre has."""

    sequence: int
    sent: int
    size: int


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one round came to: receipts by number, refusals by number, and what ended it early."""

    receipted: tuple[int, ...]
    chunks: int
    refused: tuple[tuple[int, str], ...]
    stopped: str | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a stick brought: how many receipts were new, and the files that hold none of ours."""

    receipted: tuple[int, ...]
    refused: tuple[tuple[str, str], ...]


Told = Callable[[Progress], None]


class Outbox:
    """What a kit has sealed and the centre has not acknowledged."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def waiting(self) -> tuple[Waiting, ...]:
        """The packets without a receipt, in the order of their numbers."""
        with self._kit.database.reading() as connection:
            rows = self._kit.store.waiting(connection)
            carriers = self._kit.store.carriers(connection)
        return tuple(
            Waiting(
                draft=row.draft,
                sequence=row.sequence,
                packet=row.packet,
                size=row.size,
                sealed_at=row.sealed_at,
                carriers=tuple(carriers.get(row.draft, ())),
                refused=row.refused,
            )
            for row in rows
        )

    def send(self, centre: CentreClient, told: Told = lambda _: None) -> SendReport:
        """Send what waits. A packet that cannot be sent holds up no other; a centre that is away ends it."""
        receipted, refused, chunks = [], [], 0
        stopped = None
        for row in self._rows():
            try:
                for progress in self._bring(centre, row):
                    chunks += 1
                    told(progress)
                receipted.append(row.sequence)
            except CentreUnavailable as fault:
                stopped = fault.code
                break
            except VerificationError as fault:
                code = fault.answered_code if isinstance(fault, CentreRefused) else fault.code
                self._note(row, code)
                refused.append((row.sequence, code))
        return SendReport(tuple(receipted), chunks, tuple(refused), stopped)

    def export(self, folder: Path) -> tuple[int, ...]:
        """Write every waiting packet to a stick, for the centre's command that imports them; their numbers.

        Raises KitStorageUnavailable where the stick cannot be written; what was written is on it.
        """
        numbers = []
        for row in self._rows():
            name = f"{self._kit.profile.name}-{row.sequence:06}-{row.packet[:12]}.packet"
            try:
                content = self._kit.packets.read(row.packet)
            except KitStorageUnavailable as fault:
                self._note(row, fault.code)
                continue
            with disk():
                is_there = (folder / name).exists() and (folder / name).read_bytes() == content
            if not is_there:
                write_whole(folder / name, content)
            self._carried(row, STICK)
            numbers.append(row.sequence)
        return tuple(numbers)

    def take_receipts(self, folder: Path) -> ImportReport:
        """Keep the receipts that a stick brings; a receipt of another kit is no fault and stays there."""
        receipted, refused = [], []
        with disk():
            files = sorted(folder.glob(f"*{RECEIPT_FILE}"))
        for file in files:
            try:
                receipt, is_new = self._kept(_text(file))
            except VerificationError as fault:
                refused.append((file.name, fault.code))
            else:
                if is_new:
                    receipted.append(receipt.sequence)
        return ImportReport(tuple(receipted), tuple(refused))

    def receipt(self, packet: str) -> str | None:
        """The centre's receipt for a packet, as it was signed."""
        with self._kit.database.reading() as connection:
            row = self._kit.store.packet(connection, packet)
        return row.receipt if row else None

    def _rows(self) -> list[PacketRow]:
        with self._kit.database.reading() as connection:
            return self._kit.store.waiting(connection)

    def _bring(self, centre: CentreClient, row: PacketRow) -> Iterator[Progress]:
        """Bring one packet to its receipt, told of after each chunk."""
        metadata, content = from_file(self._kit.packets.read(row.packet))
        self._carried(row, NETWORK)
        status = centre.announce(metadata)
        left = len(status.missing)
        for offset in status.missing:
            centre.put_chunk(row.packet, offset, content[offset : offset + CHUNK_BYTES])
            left -= 1
            yield Progress(row.sequence, max(0, row.size - left * CHUNK_BYTES), row.size)
        self._kept(status.receipt or centre.complete(row.packet))

    def _carried(self, row: PacketRow, carrier: str) -> None:
        """Record who carries a packet, once each."""
        store = self._kit.store
        with self._kit.database.writing() as connection:
            if carrier not in {by for _, by in store.steps(connection, row.draft)}:
                draft = store.draft(connection, row.draft)
                store.take_step(connection, draft, DraftEvent.CARRY, self._kit.now(), carrier)

    def _kept(self, token: str) -> tuple[PacketReceipt, bool]:
        """Check and keep a receipt, then remove the packet's file; False for one that is here already.

        Raises PacketSignatureInvalid and ReceiptOfAnother.
        """
        receipt = read_packet_receipt(token, self._kit.receipt_keys())
        store = self._kit.store
        with self._kit.database.writing() as connection:
            row = store.packet(connection, receipt.packet)
            if row is None or (receipt.kit, receipt.sequence) != (self._kit.profile.name, row.sequence):
                raise ReceiptOfAnother("for a packet that this kit did not seal")
            is_new = row.receipt is None
            if is_new:
                draft = store.draft(connection, row.draft)
                store.note(connection, row.packet, receipt=token, refused=None)
                store.take_step(connection, draft, DraftEvent.RECEIPT, self._kit.now())
                self._kit.claims.release(connection, row.draft)
        self._kit.packets.remove(receipt.packet)
        return receipt, is_new

    def _note(self, row: PacketRow, code: str) -> None:
        with self._kit.database.writing() as connection:
            self._kit.store.note(connection, row.packet, refused=code)


def _text(file: Path) -> str:
    with disk(), file.open("rb") as opened:
        return opened.read(_LONGEST_RECEIPT).decode("ascii", "replace").strip()
