"""The SQL of sealed contents."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import (
    Connection,
    RowMapping,
    String,
    bindparam,
    delete,
    func,
    select,
    text,
    union_all,
    update,
)

from issuance_backend.blob_store.domain import Blob
from issuance_backend.blob_store.tables import BLOBS, FORGOTTEN_OBJECTS

BATCH = 500

# Built once: building a statement costs more than executing it. Both engines know the sentence.
_FIND = select(BLOBS).where(BLOBS.c.address.in_(bindparam("which", expanding=True)))
_COLUMNS = tuple(column.name for column in BLOBS.c)
_ADD = text(
    "INSERT INTO blobs (address, object_name, media_type, size, key_id, wrapped_key, stored_at)"
    " VALUES (:address, :object_name, :media_type, :size, :key_id, :wrapped_key, :stored_at)"
    " ON CONFLICT (address) DO NOTHING"
)
_NOTE_FORGOTTEN = text(
    "INSERT INTO forgotten_objects (object_name, forgotten_at)"
    " SELECT object_name, :moment FROM blobs WHERE address IN :which"
    " ON CONFLICT (object_name) DO UPDATE SET forgotten_at = excluded.forgotten_at"
).bindparams(bindparam("which", type_=String, expanding=True))


def add_all(connection: Connection, blobs: Sequence[Blob]) -> None:
    """Write where contents lie; where somebody else stored the same, theirs stays."""
    # In one order everywhere: of two who store the same contents one waits, and neither locks the other out.
    if blobs:
        connection.execute(_ADD, [_values(blob) for blob in sorted(blobs, key=lambda blob: blob.address)])


def find(connection: Connection, address: str) -> Blob | None:
    """The content with this address."""
    return find_all(connection, {address}).get(address)


def find_all(connection: Connection, addresses: Collection[str]) -> dict[str, Blob]:
    """The contents with these addresses, by address."""
    rows = connection.execute(_FIND, {"which": list(addresses)}).mappings()
    return {row["address"]: _blob(row) for row in rows}


def after(connection: Connection, address: str) -> list[Blob]:
    """Some of the contents behind an address, by address; the first ones behind an empty text."""
    question = select(BLOBS).where(BLOBS.c.address > address).order_by(BLOBS.c.address).limit(BATCH)
    return [_blob(row) for row in connection.execute(question).mappings()]


def remove_all(connection: Connection, addresses: Collection[str], moment: str) -> None:
    """Remove contents' rows, and with them their keys; when each object was forgotten is noted."""
    connection.execute(_NOTE_FORGOTTEN, {"which": list(addresses), "moment": moment})
    connection.execute(delete(BLOBS).where(BLOBS.c.address.in_(addresses)))


def not_wrapped_with(connection: Connection, key_id: str) -> list[Blob]:
    """Some of the contents whose key is wrapped with another key than this."""
    question = select(BLOBS).where(BLOBS.c.key_id != key_id).limit(BATCH)
    return [_blob(row) for row in connection.execute(question).mappings()]


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


def is_object(connection: Connection, object_name: str, since: str) -> bool:
    """Whether a content lies in this object, or did at some moment since."""
    named = select(BLOBS.c.object_name).where(BLOBS.c.object_name == object_name)
    lately = select(FORGOTTEN_OBJECTS.c.object_name).where(
        FORGOTTEN_OBJECTS.c.object_name == object_name, FORGOTTEN_OBJECTS.c.forgotten_at >= since
    )
    return connection.execute(union_all(named, lately)).first() is not None


def remove_notes(connection: Connection, before: str) -> None:
    """Remove what was noted of objects that were forgotten before a moment."""
    connection.execute(delete(FORGOTTEN_OBJECTS).where(FORGOTTEN_OBJECTS.c.forgotten_at < before))


def _values(blob: Blob) -> dict[str, object]:
    return {name: getattr(blob, name) for name in _COLUMNS}


def _blob(row: RowMapping) -> Blob:
    return Blob(**{**row, "wrapped_key": bytes(row["wrapped_key"])})
