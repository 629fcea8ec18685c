"""The SQL of what ended applications hold of a body: which are due, what they name, what nobody names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, text, tuple_, union, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.blob_store.service import BlobStore
from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.intake.tables import PACKET_ITEMS, PACKETS
from issuance_backend.dossiers.repository import Dossier, read_dossier
from issuance_backend.dossiers.tables import (
    COUNTER_CAPTURES,
    COUNTER_ITEMS,
    DOSSIER_PRINTS,
    FORMER_PICTURES,
)
from issuance_backend.schema import DOSSIERS, HOLDS_ENDED_BODY, PORTRAITS
from verification.errors import TransitionRefused

_NAMES = (
    DOSSIERS.c.portrait,
    DOSSIER_PRINTS.c.picture,
    FORMER_PICTURES.c.picture,
    PACKET_ITEMS.c.picture,
    COUNTER_CAPTURES.c.portrait,
    COUNTER_CAPTURES.c.signature,
    COUNTER_ITEMS.c.picture,
)
"""Every column that names a picture."""


def ended_before(
    connection: Connection, state: DossierState, moment: str, after: tuple[str, str], limit: int
) -> list[Dossier]:
    """Applications that ended in a state before a moment and still hold something, behind a place."""
    place = (DOSSIERS.c.updated_at, DOSSIERS.c.id)
    question = select(DOSSIERS).where(
        text(HOLDS_ENDED_BODY),
        DOSSIERS.c.state == state.value,
        DOSSIERS.c.updated_at < moment,
        tuple_(*place) > after,
    )
    rows = connection.execute(question.order_by(*place).limit(limit)).mappings()
    return [read_dossier(row) for row in rows]


def take_pictures(connection: Connection, dossier: Dossier) -> set[str]:
    """Take every picture but the portrait from a dossier and its packets; the names, the portrait's too."""
    packets = select(PACKETS.c.packet).where(PACKETS.c.dossier == dossier.id)
    names = {dossier.portrait}
    for column, is_its in (
        (DOSSIER_PRINTS.c.picture, DOSSIER_PRINTS.c.dossier == dossier.id),
        (FORMER_PICTURES.c.picture, FORMER_PICTURES.c.dossier == dossier.id),
        (PACKET_ITEMS.c.picture, PACKET_ITEMS.c.packet.in_(packets)),
    ):
        names.update(connection.execute(select(column).where(is_its)).scalars())
        connection.execute(delete(column.table).where(is_its))
    return names | _taken_at_counters(connection, dossier)


def _taken_at_counters(connection: Connection, dossier: Dossier) -> set[str]:
    """Take the pictures of captures at counters: that they were signed stays recorded."""
    is_its = COUNTER_CAPTURES.c.dossier == dossier.id
    held = (COUNTER_CAPTURES.c.portrait, COUNTER_CAPTURES.c.signature)
    rows = connection.execute(select(*held).where(is_its)).all()
    connection.execute(update(COUNTER_CAPTURES).where(is_its).values(portrait=None, signature=None))
    of_them = COUNTER_ITEMS.c.capture.in_(select(COUNTER_CAPTURES.c.id).where(is_its))
    items = connection.execute(select(COUNTER_ITEMS.c.picture).where(of_them)).scalars().all()
    connection.execute(delete(COUNTER_ITEMS).where(of_them))
    return {name for row in rows for name in row if name is not None} | set(items)


def remove_unnamed(connection: Connection, names: Collection[str], moment: datetime) -> int:
    """Remove those of some pictures that nothing names any more, with their keys; how many.

    Raises TransitionRefused where somebody begins to name one of them at this moment.
    """
    named = union(*(select(column).where(column.in_(names)) for column in _NAMES))
    unnamed = set(names).difference(connection.execute(named).scalars())
    try:
        connection.execute(delete(PORTRAITS).where(PORTRAITS.c.name.in_(unnamed)))
    except IntegrityError:
        raise TransitionRefused("another dossier names the picture meanwhile") from None
    BlobStore.forget(connection, unnamed, moment)
    return len(unnamed)
