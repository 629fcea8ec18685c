"""Chunks of packets on disk until they are a dossier: a file a packet, with a place in it for each chunk.

A place holds the chunk's SHA-256 and the chunk. What was half written when the power went does not fit its
digest and is missing; what was acknowledged was synced before.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from issuance_backend.dossiers.intake.refusals import (
    IntakeStorageUnavailable,
    PacketChunkRefused,
    PacketIncomplete,
)
from monitoring.folder_sync import sync_folder
from verification.messages.enrollment_packet import CHUNK_BYTES, chunk_offsets

_PACKET = re.compile(r"[0-9a-f]{64}")
_DIGEST_BYTES = 32
_PLACE_BYTES = _DIGEST_BYTES + CHUNK_BYTES
_REMEMBERED = 1000


class Inbox:
    """A folder that every machine of the intake sees."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._synced: dict[str, int] = {}
        """Inodes of the files whose names this program has synced: a file that is made anew has another."""

    def put(self, packet: str, offset: int, digest: bytes, content: bytes) -> None:
        """Write a chunk with its SHA-256 so that it outlasts a power cut.

        A whole chunk that is there stays. Raises PacketChunkRefused for another one in its place, and
        IntakeStorageUnavailable.
        """
        place = _place(offset)
        with _storage(), self._opened(packet) as file:
            known = os.pread(file, _DIGEST_BYTES + len(content), place)
            if not _is_whole(known):
                if os.pwritev(file, [digest, content], place) != _DIGEST_BYTES + len(content):
                    raise IntakeStorageUnavailable("a chunk was cut")
            elif known[:_DIGEST_BYTES] != digest:
                raise PacketChunkRefused("another chunk is in this place")
            os.fdatasync(file)

    def missing(self, packet: str, size: int) -> tuple[int, ...]:
        """Where chunks of a packet of this size are still to be put."""
        try:
            whole = memoryview(self._content(packet))
        except PacketIncomplete:
            return tuple(chunk_offsets(size))
        return tuple(
            offset
            for offset in chunk_offsets(size)
            if not _is_whole(_placed(whole, offset, size), chunk_length(offset, size))
        )

    def read(self, packet: str, size: int) -> bytes:
        """The content as it lies here; raises PacketIncomplete and IntakeStorageUnavailable.

        Its chunks are not held against their digests: whoever reads it knows the hashes of the items.
        """
        whole = memoryview(self._content(packet))
        content = b"".join([_placed(whole, offset, size)[_DIGEST_BYTES:] for offset in chunk_offsets(size)])
        if len(content) != size:
            raise PacketIncomplete("chunks are missing")
        return content

    def discard(self, packet: str) -> None:
        """Remove every chunk of a packet; what is not there, or cannot be removed, is left to the sweep."""
        self._synced.pop(packet, None)
        try:
            self._path(packet).unlink(missing_ok=True)
        except OSError:
            return

    def packets(self) -> Iterator[str]:
        """The packets of which something lies here."""
        for path in sorted(self._root.glob("*")):
            if _PACKET.fullmatch(path.name):
                yield path.name

    def _content(self, packet: str) -> bytes:
        with _storage():
            try:
                return self._path(packet).read_bytes()
            except FileNotFoundError:
                raise PacketIncomplete("no chunk is here") from None

    @contextmanager
    def _opened(self, packet: str) -> Iterator[int]:
        """The packet's file, whose name outlasts a power cut."""
        path = self._path(packet)
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            self._make_folder()
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            inode = os.fstat(file).st_ino
            if self._synced.get(packet) != inode:
                sync_folder(self._root)
                if len(self._synced) >= _REMEMBERED:
                    self._synced.clear()
                self._synced[packet] = inode
            yield file
        finally:
            os.close(file)

    def _path(self, packet: str) -> Path:
        if not _PACKET.fullmatch(packet):
            raise PacketIncomplete("not the hash of a packet")
        return self._root / packet

    def _make_folder(self) -> None:
        if not self._root.is_dir():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A folder that is not synced into its own parent is lost with everything in it.
            sync_folder(self._root.parent)


def chunk_length(offset: int, size: int) -> int:
    """How long the chunk at an offset is; only the last may be short."""
    return min(CHUNK_BYTES, size - offset)


def _place(offset: int) -> int:
    return offset // CHUNK_BYTES * _PLACE_BYTES


def _placed(whole: memoryview, offset: int, size: int) -> memoryview:
    place = _place(offset)
    return whole[place : place + _DIGEST_BYTES + chunk_length(offset, size)]


def _is_whole(placed: bytes | memoryview, length: int | None = None) -> bool:
    """Whether a digest and the content behind it fit; a place that was never written holds zeros."""
    digest, content = placed[:_DIGEST_BYTES], placed[_DIGEST_BYTES:]
    if not any(digest) or length not in {None, len(content)}:
        return False
    return hashlib.sha256(content).digest() == digest


@contextmanager
def _storage() -> Iterator[None]:
    """Say plainly that the disk cannot be used."""
    try:
        yield
    except OSError as fault:
        raise IntakeStorageUnavailable(type(fault).__name__) from None
