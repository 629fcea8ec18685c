"""The photographs of hands that a dossier's packets brought: they stay with the packet, for who decides."""

from __future__ import annotations

from sqlalchemy import Connection, select

from issuance_backend.dossiers.intake.tables import PACKET_ITEMS, PACKETS
from verification.messages.hand_photos import HAND_PHOTOS


def hand_photos(connection: Connection, dossier: str) -> dict[str, str]:
    """The names of the newest pictures by item, as long as they are not erased."""
    asked = (
        select(PACKET_ITEMS.c.name, PACKET_ITEMS.c.picture)
        .join(PACKETS, PACKETS.c.packet == PACKET_ITEMS.c.packet)
        .where(PACKETS.c.dossier == dossier, PACKET_ITEMS.c.name.in_(HAND_PHOTOS))
        .order_by(PACKETS.c.received_at, PACKETS.c.sequence)
    )
    return {row.name: row.picture for row in connection.execute(asked)}
