"""A centre that takes packets in: real database, keys and folder, and a scripted desk for dossiers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import repository
from issuance_backend.dossiers.intake.centre_keys import CentreKeys, load_keys, make_keys
from issuance_backend.dossiers.intake.composition import Intake, IntakePlace, intake
from issuance_backend.dossiers.intake.domain import PacketEvent, PacketState, fold
from issuance_backend.dossiers.intake.opening import Dossiers
from issuance_backend.dossiers.intake.steps import subject
from issuance_backend.moments import rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.schema import DOSSIERS, PORTRAITS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.certified import certify
from tests.support.issuance_office import NOW, PASSWORD
from tests.support.sealed_packets import Kit
from verification.errors import VerificationError
from verification.messages.enrollment_packet import (
    CHUNK_BYTES,
    OpenedPacket,
    PacketReceipt,
    SealedPacket,
    read_packet_receipt,
)
from verification.messages.packet_intake import KitRegistration, PacketStatus, SignerRegistration
from verification.messages.signing_key import public_jwk, thumbprint

SUPERVISOR = Officer("thanh.chief", "Thanh", frozenset({Role.SUPERVISOR}))
VOUCHING = "thu.supervisor"
"""A supervisor with an account, who answers for what was not captured."""
LEADER = Officer("ha.leader", "Hà", frozenset({Role.TEAM_LEADER}), unit="001")


_PARTICULARS = (
    *("full_name", "date_of_birth", "sex", "nationality", "ethnicity", "religion", "place_of_origin"),
    *("place_of_residence", "identification", "father", "mother"),
)
NOBODY = msgspec.json.encode(dict.fromkeys(_PARTICULARS, "-")).decode()
"""Particulars that nobody looks at."""


@dataclass
class PlainDossiers:
    """Opens dossiers as bare rows; ``faults`` are raised for a packet's hash, first when it is received."""

    opened: list[str] = field(default_factory=list)
    faults: dict[str, VerificationError] = field(default_factory=dict)
    is_up: VerificationError | None = None

    def prepare(self, packet: OpenedPacket) -> OpenedPacket:
        if self.is_up is not None:
            raise self.is_up
        return packet

    def receive(self, connection: Connection, prepared: Any, moment: datetime) -> str:
        dossier = str(prepared.packet_hash[:16])
        self._add(connection, dossier, prepared, rfc3339(moment))
        if prepared.packet_hash in self.faults:
            raise self.faults[prepared.packet_hash]
        self.opened.append(prepared.packet_hash)
        return dossier

    def kept(self, packet: str) -> dict[str, bytes]:
        return {}

    def _add(self, connection: Connection, dossier: str, packet: OpenedPacket, at: str) -> None:
        connection.execute(insert(PORTRAITS).values(name=packet.packet_hash, content=b"x"))
        connection.execute(
            insert(DOSSIERS).values(
                id=dossier, citizen_number=dossier[:12], state="validated", version=1, person=NOBODY,
                portrait=packet.packet_hash, portrait_check='{"method":"manual"}',
                captured_by=packet.envelope.officer,
                packet_sha256=packet.packet_hash, enrolment_due=False, created_at=at, updated_at=at,
            )
        )  # fmt: skip


@dataclass
class Centre:
    """The intake, and kits whose keys are registered there."""

    database: Database
    folder: Path
    dossiers: Any
    now: list[datetime] = field(default_factory=lambda: [NOW])

    def __post_init__(self) -> None:
        if not (self.folder / "keys").exists():
            make_keys(self.folder / "keys", "2026-11")
        self.keys: CentreKeys = load_keys(self.folder / "keys")
        self.intake: Intake = self.again(self.dossiers)

    def again(self, dossiers: Dossiers) -> Intake:
        """Another program over the same database and folder."""
        place = IntakePlace(self.folder / "inbox", self.folder / "keys")
        return intake(self.database, place, dossiers, lambda: self.now[0])

    def kit(self, name: str = "kit-001", *, officer: str = "lan.capture", by: Officer = SUPERVISOR) -> Kit:
        """A registered kit with a registered officer."""
        kit = Kit(self.keys.opening[self.keys.newest].public_key(), name=name, officer=officer)
        asked = KitRegistration(kit=name, jwk=dict(public_jwk(kit.kit_key.public_key())), unit="001.02.00013")
        self.intake.kits.register_kit(by, asked)
        jwk = dict(public_jwk(kit.officer_key.public_key()))
        self.intake.kits.register_signer(by, SignerRegistration("officer", officer, jwk))
        return kit

    def register_supervisor(self, kit: Kit, name: str = VOUCHING) -> None:
        """Register the key of a supervisor who answers for exceptions of a kit."""
        jwk = dict(public_jwk(kit.supervisor_key.public_key()))
        self.intake.kits.register_signer(SUPERVISOR, SignerRegistration("officer", name, jwk))

    def bring(self, packet: SealedPacket) -> str:
        """The receipt for a packet that comes whole."""
        self.send(packet, self.intake.desk.announce(packet.metadata).missing)
        return self.intake.desk.complete(packet.packet_hash)

    def send(self, packet: SealedPacket, offsets: tuple[int, ...]) -> None:
        """Put chunks."""
        for offset in offsets:
            chunk = packet.content[offset : offset + CHUNK_BYTES]
            digest = hashlib.sha256(chunk).digest()
            self.intake.desk.put_chunk(packet.packet_hash, offset, digest, chunk)

    def status(self, packet: SealedPacket) -> PacketStatus:
        """How a packet stands."""
        return self.intake.desk.status(packet.packet_hash)

    def receipt(self, token: str) -> PacketReceipt:
        """A receipt that is the centre's."""
        key = self.keys.receipts.public_key()
        return read_packet_receipt(token, {thumbprint(key): key})

    def recorded(self, packet: SealedPacket) -> PacketState | None:
        """The fold of a packet's recorded events, which is what its row says."""
        with self.database.reading() as connection:
            steps = recorded_events.of_subject(connection, subject(packet.packet_hash))
            row = repository.find(connection, packet.packet_hash)
        state = fold(PacketEvent(step.event) for step in steps)
        assert row is None or row.state is state
        return state

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.now[0] += timedelta(seconds=seconds)


def prepared_database(url: str) -> Database:
    """A database with the schema, two capture officers and a supervisor."""
    database = Database(url)
    database.migrate(ISSUANCE_MIGRATIONS)
    door = OfficerDoor(database, lambda: NOW)
    capturing = ("lan.capture", "mai.capture")
    for officer in capturing:
        door.enrol(officer, officer.title(), (Role.CAPTURE,), PASSWORD)
    certify(database, *capturing)
    door.enrol(VOUCHING, "Thu", (Role.SUPERVISOR,), PASSWORD)
    return database
