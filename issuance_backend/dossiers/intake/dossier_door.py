"""An opened packet on its way to the desk that makes dossiers of packets; the rest of it is kept here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.dossiers import packet_desk
from issuance_backend.dossiers.intake import kit_repository, repository
from issuance_backend.dossiers.intake.domain import PacketEvent
from issuance_backend.dossiers.intake.steps import admitted_by, advance, released_by
from issuance_backend.dossiers.packet_desk import (
    PORTRAIT,
    CapturedItem,
    CapturedPrint,
    ExaminedPacket,
    PacketDesk,
)
from issuance_backend.dossiers.twin_captures import CAPTURED_EARLIER
from issuance_backend.moments import rfc3339
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import RoleMissing, SameOfficer
from monitoring.database import Database
from verification.messages.enrollment_packet import OpenedPacket, PacketEnvelope

_FINGER = re.compile(r"finger_(0[1-9]|1[0-5])")
"""A print by its position (ISO/IEC 19794-4, table 7)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A packet that the rules were applied to, with its items on their way into the store."""

    packet_hash: str
    examined: ExaminedPacket


class DossierDoor:
    """Opens dossiers from packets."""

    def __init__(self, database: Database, desk: PacketDesk) -> None:
        self._database = database
        self._desk = desk

    def prepare(self, packet: OpenedPacket) -> Prepared:
        """Apply the rules and store pictures; raises RoleMissing, SameOfficer and what the desk raises."""
        envelope, said = packet.envelope, packet.particulars
        media_types = {item.name: item.media_type for item in said.items}
        unit, admitted = self._origin(envelope, packet.packet_hash)
        prints = {name: int(name[-2:]) for name in packet.blobs if _FINGER.fullmatch(name)}
        others = packet.blobs.keys() - prints.keys() - {PORTRAIT}
        opened = packet_desk.OpenedPacket(
            packet_sha256=packet.packet_hash,
            kit=envelope.kit,
            officer=envelope.officer,
            unit=unit,
            admitted_by=admitted,
            happened_at=envelope.happened_at,
            begun_at=said.begun_at,
            citizen_number=said.citizen_number,
            person=said.person,
            portrait=packet.blobs.get(PORTRAIT, b""),
            manual_portrait_reason=said.manual_portrait_reason,
            prints=tuple(
                CapturedPrint(position, packet.blobs[name], media_types[name])
                for name, position in sorted(prints.items())
            ),
            items={name: CapturedItem(packet.blobs[name], media_types[name]) for name in sorted(others)},
            answers=said.dossier,
            exceptions=said.exceptions,
            consent_language=said.consent.language,
            printed_form=said.printed_form,
            sequence=envelope.sequence,
            supervisor=envelope.supervisor,
            terms=said.terms,
            attempts=said.prints or (),
        )
        return Prepared(packet.packet_hash, self._desk.examine(self._database, opened))

    def receive(self, connection: Connection, prepared: Prepared, moment: datetime) -> str:
        """Open the dossier in this transaction; raises what the desk raises.

        A packet of the same person that was sealed later and came earlier waits for a case from now on.
        """

        def give_way(packet: str, pictures: Mapping[str, str]) -> None:
            later = replace(repository.found(connection, packet), code=CAPTURED_EARLIER)
            advance(connection, later, [PacketEvent.DOUBT], rfc3339(moment))
            repository.add_items(connection, packet, pictures)

        dossier = self._desk.receive(connection, prepared.examined, moment, give_way)
        kept = {name: picture.name for name, picture in prepared.examined.items.items()}
        repository.remove_items(connection, prepared.packet_hash)
        repository.add_items(connection, prepared.packet_hash, kept)
        return dossier

    def kept(self, packet: str) -> Mapping[str, bytes]:
        """The items of a packet that was opened before and gave way, as far as they are still here."""
        with self._database.reading() as connection:
            names = repository.items(connection, packet)
        return {item: self._desk.picture(name) for item, name in names.items()}

    def _origin(self, envelope: PacketEnvelope, packet: str) -> tuple[str | None, tuple[str, ...]]:
        """Where it was captured, and whose word it rests on: who admitted its officer's keys, or it.

        Raises RoleMissing for an officer who does not capture, and for one who may not answer for exceptions;
        SameOfficer where who captured admitted the key that answers for them.
        """
        # Whoever was taken off capturing after sealing is not asked here: the key's revocation says that.
        with self._database.reading() as connection:
            unit = _acting(connection, envelope.officer, Role.CAPTURE).unit
            if envelope.supervisor is not None:
                _acting(connection, envelope.supervisor, Role.SUPERVISOR)
                if envelope.officer in admitted_by(connection, envelope.supervisor):
                    raise SameOfficer("nobody supervises their own capture")
            unit = unit or kit_repository.kit(connection, envelope.kit).unit
            vouching = {*admitted_by(connection, envelope.officer), *released_by(connection, packet)}
            return unit, tuple(sorted(vouching))


def _acting(connection: Connection, officer: str, role: Role) -> Officer:
    account = officers.account(connection, officer)
    if account is None or role not in account.officer.roles:
        raise RoleMissing(f"no {role.value} officer answers for the packet")
    return account.officer
