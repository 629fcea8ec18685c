"""The packet files of a kit. A file that was written has no name before its packet has a number for good."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from enrollment_admin.station.durable_files import disk, put_in_place, remove, write_draft
from verification.messages.enrollment_packet import SealedPacket, to_file

_WRITTEN, _NAMED = ".part", ".packet"


class PacketFolder:
    """One file a packet, by its hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, packet: SealedPacket) -> None:
        """Write a packet that is about to be given its number; ``settle`` names the file."""
        write_draft(self._path(packet.packet_hash, _WRITTEN), to_file(packet.metadata, packet.content))

    def read(self, packet: str) -> bytes:
        """The packet file."""
        with disk():
            return self._path(packet, _NAMED).read_bytes()

    def remove(self, packet: str) -> None:
        """Remove the file of a packet that the centre holds."""
        remove(self._path(packet, _NAMED))

    def settle(self, waiting: Set[str]) -> None:
        """Name the files of packets that have a number; remove those without one, and what the centre has.

        Nobody may be sealing meanwhile.
        """
        for path in sorted(self._folder.glob(f"*{_WRITTEN}")):
            if path.stem in waiting:
                put_in_place(path, self._path(path.stem, _NAMED))
            else:
                remove(path)
        for path in sorted(self._folder.glob(f"*{_NAMED}")):
            if path.stem not in waiting:
                remove(path)

    def _path(self, packet: str, kind: str) -> Path:
        return self._folder / f"{packet}{kind}"
