"""The store of sealed contents: pictures, prints and scans, each under a name that tells nothing.

A content is written before the transaction that names it: what is committed is in the store, and what
was stored for a transaction that failed is swept up later.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from issuance_backend.blob_store import domain, repository
from issuance_backend.blob_store.domain import MAX_BLOB_BYTES, OVERHEAD, Blob
from issuance_backend.blob_store.keys import KEY_BYTES, KeyRing
from issuance_backend.blob_store.objects import Objects
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.refusals import BlobAltered, BlobTooLarge, BlobUnknown
from monitoring.database import Database

UNNAMED_FOR = timedelta(hours=1)
"""Far longer than any transaction lives: an object that nothing has named for so long belongs to none."""

_FOLDERS = 0x10000
_RANDOM_IN_NAME = 6


@dataclass(frozen=True, slots=True)
class CheckedStore:
    """What a check of the whole store found: addresses of contents that are lost or were altered."""

    whole: int
    missing: tuple[str, ...]
    altered: tuple[str, ...]


class BlobStore:
    """Contents by address; the same content is kept once."""

    def __init__(
        self,
        database: Database,
        objects: Objects,
        keys: KeyRing,
        clock: Clock,
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._objects = objects
        self._keys = keys
        self._clock = clock
        self._random_bytes = random_bytes

    def put(self, content: bytes, media_type: str) -> Blob:
        """Seal a content and write it; raises as ``put_all`` does."""
        (blob,) = self.put_all([(content, media_type)])
        return blob

    def put_all(self, contents: Sequence[tuple[bytes, str]]) -> list[Blob]:
        """Seal contents, each with its kind, and write them; ``keep`` names them in the caller's transaction.

        What belongs together is looked up and written at once. Raises BlobTooLarge and BlobStoreUnavailable.
        """
        for content, _ in contents:
            if len(content) > MAX_BLOB_BYTES:
                raise BlobTooLarge(f"{len(content)} bytes")
        addresses = [self._keys.address(content) for content, _ in contents]
        with self._database.reading() as connection:
            blobs = repository.find_all(connection, set(addresses))
        sealed: dict[str, bytes] = {}
        # Two who store the same content at once write two objects under two keys; one of them stays.
        put = _end_of_names(self._clock(), self._random_bytes(_RANDOM_IN_NAME))
        for address, (content, media_type) in zip(addresses, contents, strict=True):
            if address not in blobs:
                blobs[address], written = self._sealed(f"{address}.{put}", content, media_type)
                sealed[blobs[address].object_name] = written
        self._objects.put_all(sealed)
        return [blobs[address] for address in addresses]

    @staticmethod
    def keep(connection: Connection, *blobs: Blob) -> None:
        """Name contents that were put, in the caller's transaction."""
        repository.add_all(connection, blobs)

    @staticmethod
    def forget(connection: Connection, addresses: Collection[str], moment: datetime) -> None:
        """Destroy the keys of contents in the caller's transaction; ``sweep`` removes the objects in time."""
        repository.remove_all(connection, addresses, rfc3339(moment))

    def read(self, address: str) -> bytes:
        """A content; raises BlobUnknown, BlobAltered and BlobStoreUnavailable."""
        with self._database.reading() as connection:
            blob = repository.find(connection, address)
        if blob is None:
            raise BlobUnknown("no content has this address")
        return self._open(blob)

    def rewrap(self) -> int:
        """Wrap every key with the current one that is not; how many. Contents stay as they are."""
        done = 0
        while True:
            with self._database.writing() as connection:
                batch = repository.not_wrapped_with(connection, self._keys.current)
                for blob in batch:
                    key_id, wrapped = self._keys.wrap(self._keys.unwrap(blob.key_id, blob.wrapped_key))
                    repository.set_wrapped_key(connection, blob, key_id, wrapped)
            if not batch:
                return done
            done += len(batch)

    def count_wrapped_with(self, key_id: str) -> int:
        """How many contents would be lost with this key."""
        with self._database.reading() as connection:
            return repository.count_wrapped_with(connection, key_id)

    def check(self) -> CheckedStore:
        """Open every content there is."""
        whole, missing, altered = 0, [], []
        for blob in self._every():
            try:
                self._open(blob)
                whole += 1
            except BlobUnknown:
                missing.append(blob.address)
            except BlobAltered:
                altered.append(blob.address)
        return CheckedStore(whole, tuple(missing), tuple(altered))

    def sweep(self) -> int:
        """Remove objects that no committed transaction names, or has named of late; how many there were.

        Whoever stores a content at the moment in which it is forgotten names the object that it lay in.
        """
        too_young = self._clock() - UNNAMED_FOR
        swept = self._objects.remove_unfinished(too_young)
        for name, written in self._objects.listed():
            if written >= too_young:
                continue
            with self._database.reading() as connection:
                is_named = repository.is_object(connection, name, rfc3339(too_young))
            if not is_named:
                self._objects.delete(name)
                swept += 1
        with self._database.writing() as connection:
            repository.remove_notes(connection, rfc3339(too_young))
        return swept

    def _sealed(self, object_name: str, content: bytes, media_type: str) -> tuple[Blob, bytes]:
        data_key = self._random_bytes(KEY_BYTES)
        key_id, wrapped_key = self._keys.wrap(data_key)
        blob = Blob(
            address=object_name.partition(".")[0],
            object_name=object_name,
            media_type=media_type,
            size=len(content),
            key_id=key_id,
            wrapped_key=wrapped_key,
            stored_at=rfc3339(self._clock()),
        )
        return blob, domain.seal(content, _binding(blob), data_key, self._random_bytes(12))

    def _open(self, blob: Blob) -> bytes:
        data_key = self._keys.unwrap(blob.key_id, blob.wrapped_key)
        sealed = self._objects.get(blob.object_name, min(blob.size, MAX_BLOB_BYTES) + OVERHEAD)
        content = domain.unseal(sealed, _binding(blob), data_key)
        if self._keys.address(content) != blob.address:
            raise BlobAltered("the content has another address")
        return content

    def _every(self) -> Iterator[Blob]:
        last = ""
        while True:
            with self._database.reading() as connection:
                batch = repository.after(connection, last)
            if not batch:
                return
            yield from batch
            last = batch[-1].address


def _end_of_names(moment: datetime, random: bytes) -> str:
    """What the names of a put end with: objects of one minute lie in one folder, and each has its turn."""
    minute = int(moment.timestamp()) // 60 % _FOLDERS
    return f"{minute:04x}{random.hex()}"


def _binding(blob: Blob) -> bytes:
    return domain.bound_to(blob.address, blob.media_type, blob.size)
