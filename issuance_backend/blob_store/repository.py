"""The SQL of sealed contents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.blob_store.domain import Blob
from issuance_backend.blob_store.tables import BLOBS

BATCH = 500


def add(connection: Connection, blob: Blob) -> None:
    """Write where a content lies; where somebody else stored the same, theirs stays."""
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(BLOBS).values(**asdict(blob)))


def find(connection: Connection, address: str) -> Blob | None:
    """The content with this address."""
    row = connection.execute(select(BLOBS).where(BLOBS.c.address == address)).mappings().one_or_none()
    return Blob(**{**row, "wrapped_key": bytes(row["wrapped_key"])}) if row else None


def after(connection: Connection, address: str) -> list[Blob]:
    """Some of the contents behind an address, by address; the first ones behind an empty text."""
    question = select(BLOBS).where(BLOBS.c.address > address).order_by(BLOBS.c.address).limit(BATCH)
    rows = connection.execute(question).mappings()
    return [Blob(**{**row, "wrapped_key": bytes(row["wrapped_key"])}) for row in rows]


def not_wrapped_with(connection: Connection, key_id: str) -> list[Blob]:
    """Some of the contents whose key is wrapped with another key than this."""
    question = select(BLOBS).where(BLOBS.c.key_id != key_id).limit(BATCH)
    rows = connection.execute(question).mappings()
    return [Blob(**{**row, "wrapped_key": bytes(row["wrapped_key"])}) for row in rows]


def set_wrapped_key(connection: Connection, former: Blob, key_id: str, wrapped_key: bytes) -> None:
    """Replace a wrapped key, unless it was replaced meanwhile."""
    connection.execute(
        update(BLOBS)
        .where(BLOBS.c.address == former.address, BLOBS.c.key_id == former.key_id)
        .values(key_id=key_id, wrapped_key=wrapped_key)
    )


def count_wrapped_with(connection: Connection, key_id: str) -> int:
    """How many contents would be lost with this key."""
    return connection.execute(
        select(func.count()).select_from(BLOBS).where(BLOBS.c.key_id == key_id)
    ).scalar_one()


def is_object(connection: Connection, object_name: str) -> bool:
    """Whether a content lies in this object."""
    question = select(BLOBS.c.address).where(BLOBS.c.object_name == object_name)
    return connection.execute(question).one_or_none() is not None
