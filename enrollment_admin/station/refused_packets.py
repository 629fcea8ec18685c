"""Packets of this kit that the centre refused for good, until an officer has seen to each.

What a refused packet claimed here is free again: its person may be captured anew, and the return that it
answered is to be answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select, update

from enrollment_admin.station.durable_files import disk
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import PACKETS, REFUSED_PACKETS
from enrollment_admin.station.refusals import RefusalsInvalid, RefusalUnknown
from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages.kit_refusals import MAX_LIST, RefusedPacket, read_refusals, refusals_file

OTHER_STANDS = frozenset({"DOSSIER_ALREADY_OPEN", "PACKET_CAPTURED_EARLIER", "PACKET_CARD_SINCE"})
"""Refused because the same person has another application, or a card since: nothing is captured again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused packet as its officer looks for it; ``draft`` is the number on the printed form."""

    packet: str
    sequence: int
    draft: int
    sealed_at: str
    refused_at: str
    code: str | None

    @property
    def is_captured_again(self) -> bool:
        """Whether the citizen is asked to come once more."""
        return self.code not in OTHER_STANDS


class RefusedPackets:
    """What the centre said, kept for good; of packets that this kit does not know nothing is."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def take(self, folder: Path) -> bool:
        """Keep the list that a stick brings; False where it brings none, or nothing new."""
        brought = folder / refusals_file(self._kit.profile.name)
        with disk():
            if not brought.exists():
                return False
            with brought.open("rb") as opened:
                token = opened.read(MAX_LIST + 1).decode("ascii", "replace")
        return self.keep(token)

    def keep(self, token: str | None) -> bool:
        """Note what a list names; whether any of it is new. A centre from before there were lists sends none.

        Raises RefusalsInvalid.
        """
        if token is None:
            return False
        try:
            told = read_refusals(token, self._kit.receipt_keys(), self._kit.profile.name)
        except (LimitExceeded, SignatureInvalid):
            raise RefusalsInvalid("not signed by this centre for this kit") from None
        return self._note({each.packet: each for each in told.refused})

    def standing(self) -> tuple[Refusal, ...]:
        """What no officer has seen to, in the order of the numbers."""
        asked = (
            select(PACKETS, REFUSED_PACKETS.c.refused_at, REFUSED_PACKETS.c.code)
            .join(REFUSED_PACKETS, REFUSED_PACKETS.c.packet == PACKETS.c.packet)
            .where(REFUSED_PACKETS.c.seen_to_at.is_(None))
            .order_by(PACKETS.c.sequence)
        )
        with self._kit.database.reading() as connection:
            return tuple(
                Refusal(row.packet, row.sequence, row.draft, row.sealed_at, row.refused_at, row.code)
                for row in connection.execute(asked)
            )

    def see_to(self, packet: str, officer: str) -> None:
        """An officer told the citizen; raises RefusalUnknown."""
        said = {"seen_to_at": self._kit.now(), "seen_to_by": officer}
        which = (REFUSED_PACKETS.c.packet == packet, REFUSED_PACKETS.c.seen_to_at.is_(None))
        with self._kit.database.writing() as connection:
            if connection.execute(update(REFUSED_PACKETS).where(*which).values(said)).rowcount != 1:
                raise RefusalUnknown("no refusal of this packet waits")

    def _note(self, told: dict[str, RefusedPacket]) -> bool:
        with self._kit.database.writing() as connection:
            known = set(connection.execute(select(REFUSED_PACKETS.c.packet)).scalars())
            new = [
                (told[row.packet], row.draft)
                for row in connection.execute(select(PACKETS.c.packet, PACKETS.c.draft))
                if row.packet in told and row.packet not in known
            ]
            for each, draft in new:
                values = {"packet": each.packet, "refused_at": each.refused_at, "code": each.code}
                connection.execute(insert(REFUSED_PACKETS).values(values))
                self._kit.claims.take_back(connection, draft)
        return bool(new)
