"""Where captured pictures lie: sealed in the store where there is one, else in their own table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from issuance_backend.blob_store.domain import Blob
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.dossiers import repository
from issuance_backend.refusals import PictureErased
from issuance_backend.schema import ERASED_PICTURE
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

    def put(self, content: bytes, media_type: str = MEDIA_TYPE) -> StoredPicture:
        """Write a picture before the transaction that names it; raises BlobStoreUnavailable."""
        (picture,) = self.put_all([(content, media_type)])
        return picture

    def put_all(self, contents: Sequence[tuple[bytes, str]]) -> list[StoredPicture]:
        """Write pictures, each with its kind, before the transaction that names them; raises as ``put``."""
        if self._store is None:
            return [
                StoredPicture(hashlib.sha256(content).hexdigest(), content, None) for content, _ in contents
            ]
        return [StoredPicture(blob.address, b"", blob) for blob in self._store.put_all(contents)]

    @staticmethod
    def keep(connection: Connection, *pictures: StoredPicture) -> None:
        """Name pictures that were put, in the caller's transaction; the same picture is kept once."""
        # In the order in which they are erased: who keeps a picture that is going waits until it is gone.
        repository.add_portraits(connection, {picture.name: picture.content for picture in pictures})
        BlobStore.keep(connection, *(picture.blob for picture in pictures if picture.blob is not None))

    def read(self, name: str) -> bytes:
        """A picture; raises PictureErased, BlobUnknown, BlobAltered and BlobStoreUnavailable."""
        if name == ERASED_PICTURE:
            raise PictureErased("its time was over")
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
