"""Where captured pictures lie: sealed in the store where there is one, else in their own table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection

from issuance_backend.blob_store.domain import Blob
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.dossiers import repository
from monitoring.database import Database

MEDIA_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture on its way into a dossier: it lies in the store already, or comes with the row."""

    name: str
    content: bytes
    blob: Blob | None


class Pictures:
    """Keeps pictures by name; a name is written into a dossier in the dossier's own transaction."""

    def __init__(self, database: Database, store: BlobStore | None) -> None:
        self._database = database
        self._store = store

    def put(self, content: bytes) -> StoredPicture:
        """Write a picture before the transaction that names it; raises BlobStoreUnavailable."""
        if self._store is None:
            return StoredPicture(hashlib.sha256(content).hexdigest(), content, None)
        blob = self._store.put(content, MEDIA_TYPE)
        return StoredPicture(blob.address, b"", blob)

    @staticmethod
    def keep(connection: Connection, picture: StoredPicture) -> str:
        """Name a picture that was put, in the caller's transaction; the same picture is kept once."""
        if picture.blob is not None:
            BlobStore.keep(connection, picture.blob)
        repository.add_portrait(connection, picture.name, picture.content)
        return picture.name

    def read(self, name: str) -> bytes:
        """A picture; raises BlobUnknown, BlobAltered and BlobStoreUnavailable."""
        with self._database.reading() as connection:
            content = repository.portrait(connection, name)
        return content if content or self._store is None else self._store.read(name)

    def move_to_store(self) -> int:
        """Move pictures that still lie in the table into the store, each with its dossiers; how many."""
        if self._store is None:
            return 0
        moved = 0
        while True:
            with self._database.reading() as connection:
                former = repository.portrait_in_table(connection)
            if former is None:
                return moved
            name, content = former
            picture = self.put(content)
            with self._database.writing() as connection:
                self.keep(connection, picture)
                repository.rename_portrait(connection, name, picture.name)
            moved += 1
