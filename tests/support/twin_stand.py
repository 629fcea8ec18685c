"""Three kits that captured the same people while they had no network, and the centre with its real desks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake.composition import dossier_door
from issuance_backend.schema import DOSSIERS
from monitoring.database import Database
from tests.support.application_desk import Desk, desk_on
from tests.support.cheap_prints import cheap_prints
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.packet_centre import Centre
from tests.support.sealed_packets import Kit
from verification.messages.enrollment_packet import SealedPacket

EVENING = NOW + timedelta(hours=10)
"""When packets arrive that were sealed since NOW."""


@dataclass
class Stand:
    """A centre with its real desks, and three kits."""

    centre: Centre
    desk: Desk
    kits: tuple[Kit, ...]

    @property
    def database(self) -> Database:
        return self.centre.database

    def sealed(self, kit: int, hours: float, citizen: int = 0) -> SealedPacket:
        """A whole capture of a citizen, sealed so many hours after NOW."""
        moment = NOW + timedelta(hours=hours)
        blobs = {"portrait": picture(kit + 1), **cheap_prints()}
        return self.kits[kit].seal(citizens()[citizen], blobs, happened_at=moment)

    def brought(self, kit: int, hours: float) -> SealedPacket:
        """The same, at the centre."""
        packet = self.sealed(kit, hours)
        self.centre.bring(packet)
        return packet

    def state(self, packet: SealedPacket) -> tuple[str, str | None]:
        """Where a packet stands, as its recorded events say too, and why."""
        told = self.centre.status(packet)
        assert told.receipt is not None, "whoever sealed it has a receipt"
        assert self.centre.recorded(packet) == told.state
        return told.state, told.code

    def standing(self, citizen: int = 0) -> list[str]:
        """The packets that open dossiers of a citizen rest on."""
        number = citizens()[citizen].citizen_number
        asked = select(DOSSIERS.c.packet_sha256).where(DOSSIERS.c.citizen_number == number)
        with self.database.reading() as connection:
            recorded_events.verify(connection)
            asked = asked.where(DOSSIERS.c.state.not_in(("withdrawn", "rejected", "completed")))
            return list(connection.execute(asked).scalars())

    def dossier(self, packet: SealedPacket) -> str:
        """The dossier that a packet opened, and that did not give way."""
        asked = select(DOSSIERS.c.id).where(DOSSIERS.c.packet_sha256 == packet.packet_hash)
        with self.database.reading() as connection:
            return str(connection.execute(asked.where(DOSSIERS.c.state != "withdrawn")).scalar_one())


def centre_on(database: Database, folder: Path, kits: tuple[Kit, ...] = ()) -> Stand:
    """The centre in the evening, with what it knows of kits."""
    desk = desk_on(database)
    centre = Centre(database, folder, dossier_door(database, desk.office.packets))
    centre.now[0] = desk.now[0] = EVENING
    return Stand(centre, desk, kits)


def stand_on(database: Database, folder: Path) -> Stand:
    """The same with three kits, whose officers are two."""
    stand = centre_on(database, folder)
    stand.centre.now[0] = NOW
    officers = {"kit-001": "lan.capture", "kit-002": "mai.capture", "kit-003": "lan.capture"}
    kits = tuple(stand.centre.kit(name, officer=officer) for name, officer in officers.items())
    stand.centre.now[0] = EVENING
    return replace(stand, kits=kits)
