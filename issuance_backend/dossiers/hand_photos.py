"""The photographs of hands of a dossier: they stay with its packet or its counter, for who decides."""

from __future__ import annotations

from sqlalchemy import Connection, literal, select, union_all

from issuance_backend.dossiers.counter.domain import CounterState
from issuance_backend.dossiers.intake.tables import PACKET_ITEMS, PACKETS
from issuance_backend.dossiers.tables import COUNTER_CAPTURES, COUNTER_ITEMS
from verification.messages.hand_photos import HAND_PHOTOS


def hand_photos(connection: Connection, dossier: str) -> dict[str, str]:
    """The names of the newest pictures by item, as long as they are not erased."""
    packets, counters = PACKETS.c, COUNTER_CAPTURES.c
    of_kits = (
        select(PACKET_ITEMS.c.name, PACKET_ITEMS.c.picture, packets.received_at.label("at"), packets.sequence)
        .join(PACKETS, packets.packet == PACKET_ITEMS.c.packet)
        .where(packets.dossier == dossier, PACKET_ITEMS.c.name.in_(HAND_PHOTOS))
    )
    # One that is not sealed is no part of the dossier that it answers.
    of_counters = (
        select(COUNTER_ITEMS.c.item, COUNTER_ITEMS.c.picture, counters.updated_at, literal(0))
        .join(COUNTER_CAPTURES, counters.id == COUNTER_ITEMS.c.capture)
        .where(
            counters.dossier == dossier,
            counters.state == CounterState.SEALED.value,
            COUNTER_ITEMS.c.item.in_(HAND_PHOTOS),
        )
    )
    found = union_all(of_kits, of_counters).order_by("at", "sequence")
    return {row.name: row.picture for row in connection.execute(found)}
