"""How a received packet becomes a dossier: in its kit's order, once, and by a case where one is needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection

from issuance_backend.content_scanning.domain import ContentScanner
from issuance_backend.dossiers.intake import domain, kit_repository, repository
from issuance_backend.dossiers.intake.domain import MAX_AHEAD, Doubt, PacketEvent, PacketState
from issuance_backend.dossiers.intake.inbox import Inbox
from issuance_backend.dossiers.intake.kit_repository import Kit
from issuance_backend.dossiers.intake.refusals import PacketIncomplete
from issuance_backend.dossiers.intake.repository import FIRST_PLACE, Packet
from issuance_backend.dossiers.intake.steps import advance
from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.officers.certification import may_seal
from monitoring.database import Database
from verification.errors import TransitionRefused, Unavailable, VerificationError
from verification.messages.asked_prints import is_finger
from verification.messages.enrollment_packet import (
    OpenedPacket,
    PacketEnvelope,
    UnverifiedPacket,
    centre_key_of,
    open_items,
    parse_packet,
    reopen_packet,
    split_content,
)
from verification.messages.refusals import PacketAltered

AT_ONCE = 50
"""Whoever sends one packet does not wait until more of those behind it are opened."""

logger = logging.getLogger(__name__)


class Dossiers(Protocol):
    """Where dossiers are opened."""

    def prepare(self, packet: OpenedPacket) -> Any:
        """Rules, registry, pictures into the store: what needs no transaction. Raises VerificationError."""
        ...

    def receive(self, connection: Connection, prepared: Any, moment: datetime) -> str:
        """Open the dossier in this transaction, or capture a returned one again; its id.

        The packet's hash is the key: the same packet is the same dossier. Raises VerificationError.
        """
        ...

    def kept(self, packet: str) -> Mapping[str, bytes]:
        """The items of a packet that was opened before, as far as they are still kept apart."""
        ...


class Opening:
    """Opens what was received."""

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        keys: Mapping[str, ec.EllipticCurvePrivateKey],
        dossiers: Dossiers,
        clock: Clock,
        scanner: ContentScanner,
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._keys = keys
        self._dossiers = dossiers
        self._clock = clock
        self._scanner = scanner
        self._tried = FIRST_PLACE
        """Up to here this round tried what cases released."""

    def decrypt(self, packet: UnverifiedPacket, sealed: Mapping[str, memoryview]) -> OpenedPacket:
        """Decrypt a packet whose signatures were verified; raises PacketAltered or PacketMalformed."""
        return open_items(packet, sealed, self._key_of(packet))

    def _key_of(self, packet: UnverifiedPacket) -> ec.EllipticCurvePrivateKey:
        key = self._keys.get(centre_key_of(packet.envelope))
        if key is None:
            raise PacketAltered("sealed for a key that the centre does not have")
        return key

    def receive_in_turn(self, packet: Packet, unverified: UnverifiedPacket, opened: OpenedPacket) -> bool:
        """Receive and open a packet in one transaction; False when its turn has not come or a case is needed.

        Raises whatever stands in the way of a dossier; nothing was received then.
        """
        prepared = self._prepared(opened)
        moment = self._clock()
        with self._database.writing() as connection:
            kit = kit_repository.kit(connection, packet.kit, lock=True)
            is_closed = kit_repository.gap(connection, kit.id, packet.sequence) is not None
            is_next = kit.settled + 1 == packet.sequence and not is_closed
            if not (is_next and _doubt_of(connection, packet, unverified, kit, hold=True) is None):
                return False
            dossier = self._dossiers.receive(connection, prepared, moment)
            events = (PacketEvent.RECEIVE, PacketEvent.OPEN)
            advance(
                connection, replace(packet, dossier=dossier), events, rfc3339(moment), opened.envelope.officer
            )
            _settle(connection, kit, packet, opened.envelope)
        self._inbox.discard(packet.packet)
        if kit.newest > packet.sequence:
            self.open_what_can_be(packet.kit)
        return True

    def open_what_can_be(self, kit: str, at_hand: OpenedPacket | None = None) -> None:
        """As ``open_in_turn``, at most AT_ONCE; what is left is opened later by whoever runs the intake."""
        try:
            self.open_in_turn(kit, at_hand, AT_ONCE)
        except Unavailable as fault:
            logger.warning("packet not opened yet", extra={"code": fault.code})

    def open_in_turn(self, kit: str, at_hand: OpenedPacket | None = None, most: int = MAX_AHEAD) -> int:
        """Open a kit's packets up to the first that is not here; how many numbers that decided.

        ``at_hand`` is a packet that is decrypted already. Raises Unavailable where a desk cannot answer now.
        """
        decided = 0
        if at_hand is None or self._settled(kit) >= at_hand.envelope.sequence:
            decided = self._doubt_late_ones(kit)
        while decided < most and self._decide_next(kit, at_hand):
            decided += 1
        return decided

    def open_waiting(self) -> int:
        """Open some of what can be, of every kit and of what cases released; how many were decided.

        No kit waits for the backlog of another; what cannot be opened now holds up its own kit and no
        other. Released packets are tried some at a time from where the last turn ended: those that always
        fail neither keep later ones waiting, nor the kits.
        """
        while True:
            decided = self._open_kits() + self._open_some_released()
            if decided or self._tried == FIRST_PLACE:
                return decided

    def _open_kits(self) -> int:
        with self._database.reading() as connection:
            kits = repository.kits_with_received(connection)
        decided = 0
        for kit in kits:
            try:
                decided += self.open_in_turn(kit, most=AT_ONCE)
            except Unavailable:
                continue
        return decided

    def _open_some_released(self) -> int:
        with self._database.reading() as connection:
            released = repository.released(connection, self._tried, AT_ONCE)
        last = released[-1] if len(released) == AT_ONCE else None
        self._tried = (last.kit, last.sequence) if last else FIRST_PLACE
        return sum(self.open_released(packet.packet) for packet in released)

    def open_released(self, packet_hash: str) -> bool:
        """Open a packet that a case vouches for; False when it cannot be now, or was already."""
        with self._database.reading() as connection:
            packet = repository.found(connection, packet_hash)
        if packet.state is not PacketState.RELEASED:
            return False
        try:
            opened = self._read(packet)
            self._open(packet, opened, self._prepared(opened))
        except (Unavailable, TransitionRefused):
            return False
        except VerificationError as fault:
            self._doubt(packet, fault.code)
        return True

    def sweep(self) -> int:
        """Remove chunks of packets that are dossiers or refused; how many packets that was."""
        swept = 0
        for packet_hash in self._inbox.packets():
            with self._database.reading() as connection:
                packet = repository.find(connection, packet_hash)
            if packet is None or packet.state in {PacketState.OPENED, PacketState.REFUSED}:
                self._inbox.discard(packet_hash)
                swept += 1
        return swept

    def _settled(self, kit: str) -> int:
        with self._database.reading() as connection:
            return kit_repository.kit(connection, kit).settled

    def _decide_next(self, kit_id: str, at_hand: OpenedPacket | None) -> bool:
        with self._database.reading() as connection:
            kit = kit_repository.kit(connection, kit_id)
            packet = repository.at(connection, kit_id, kit.settled + 1)
            is_closed = kit_repository.gap(connection, kit_id, kit.settled + 1) is not None
            doubt = Doubt.GAP_CLOSED if is_closed else None
            if packet is not None and packet.state is PacketState.RECEIVED:
                doubt = _doubt_of(connection, packet, parse_packet(packet.metadata), kit) or doubt
        if packet is None or packet.state is PacketState.ANNOUNCED:
            return is_closed and self._pass_gap(kit, packet)
        if packet.state is not PacketState.RECEIVED:
            return self._pass(packet)
        return self._doubt(packet, doubt) if doubt else self._try_to_open(packet, at_hand)

    def _try_to_open(self, packet: Packet, at_hand: OpenedPacket | None) -> bool:
        try:
            is_at_hand = at_hand is not None and at_hand.packet_hash == packet.packet
            opened = at_hand if at_hand and is_at_hand else self._read(packet)
            return self._open(packet, opened, self._prepared(opened))
        except Unavailable:
            raise
        except TransitionRefused:
            # Somebody else changed the packet or its dossier meanwhile: look again.
            return True
        except PacketIncomplete:
            # Its chunks are gone: somebody else has just made a dossier of it. Look again, and not for ever.
            return self._state(packet) is not PacketState.RECEIVED
        except VerificationError as fault:
            return self._doubt(packet, fault.code)

    def _prepared(self, opened: OpenedPacket) -> object:
        """Nothing of a packet is read or stored before a scanner has seen all of it."""
        self._scanner.require_clean(opened.blobs.values())
        return self._dossiers.prepare(opened)

    def _state(self, packet: Packet) -> PacketState:
        with self._database.reading() as connection:
            return repository.found(connection, packet.packet).state

    def _read(self, packet: Packet) -> OpenedPacket:
        unverified = parse_packet(packet.metadata)
        try:
            content = self._inbox.read(packet.packet, unverified.envelope.content_size)
        except PacketIncomplete:
            return self._opened_before(unverified)
        return self.decrypt(unverified, split_content(unverified.envelope, content))

    def _opened_before(self, packet: UnverifiedPacket) -> OpenedPacket:
        """A packet that was a dossier once and gave way to another; raises PacketIncomplete for any other."""
        kept = self._dossiers.kept(packet.packet_hash)
        # Prints of whom the law takes none were not kept; the rules ask for any other that is gone.
        listed = {item.name for item in packet.envelope.items}
        if not kept or not all(is_finger(name) for name in listed ^ kept.keys()):
            raise PacketIncomplete("no chunk is here")
        return reopen_packet(packet, kept, self._key_of(packet))

    def _open(self, packet: Packet, opened: OpenedPacket, prepared: object) -> bool:
        """Open the dossier and say so in one transaction; False when somebody else was quicker."""
        moment = self._clock()
        with self._database.writing() as connection:
            kit = kit_repository.kit(connection, packet.kit, lock=True)
            standing = repository.found(connection, packet.packet)
            if standing.state is not packet.state:
                return True
            is_case, unverified = standing.state is PacketState.RELEASED, parse_packet(standing.metadata)
            # Revoked since we looked: the next look finds the doubt.
            if not is_case and _doubt_of_signers(connection, standing, unverified, hold=True):
                return True
            dossier = self._dossiers.receive(connection, prepared, moment)
            done = replace(standing, dossier=dossier, code=None)
            advance(connection, done, [PacketEvent.OPEN], rfc3339(moment), opened.envelope.officer)
            _settle(connection, kit, standing, opened.envelope)
        self._inbox.discard(packet.packet)
        return True

    def _doubt(self, packet: Packet, code: str) -> bool:
        with self._database.writing() as connection:
            kit = kit_repository.kit(connection, packet.kit, lock=True)
            standing = repository.found(connection, packet.packet)
            if standing.state is packet.state:
                doubted = replace(standing, code=str(code))
                advance(connection, doubted, [PacketEvent.DOUBT], rfc3339(self._clock()))
                _settle(connection, kit, standing, parse_packet(standing.metadata).envelope)
        return True

    def _pass(self, packet: Packet) -> bool:
        """What is decided otherwise holds nobody up."""
        with self._database.writing() as connection:
            kit = kit_repository.kit(connection, packet.kit, lock=True)
            _settle(connection, kit, packet, parse_packet(packet.metadata).envelope)
        return True

    def _pass_gap(self, kit: Kit, announced: Packet | None) -> bool:
        """A number that a case gave up holds nobody up."""
        with self._database.writing() as connection:
            standing = kit_repository.kit(connection, kit.id, lock=True)
            if standing.settled == kit.settled:
                head = announced.packet if announced else None
                kit_repository.settle(connection, kit.id, kit.settled + 1, head)
        return True

    def _doubt_late_ones(self, kit_id: str) -> int:
        """What came after a case had given its number up waits for a case of its own."""
        with self._database.reading() as connection:
            kit = kit_repository.kit(connection, kit_id)
            late = repository.received_up_to(connection, kit_id, kit.settled)
        return sum(self._doubt(packet, Doubt.GAP_CLOSED) for packet in late)


def _settle(connection: Connection, kit: Kit, packet: Packet, envelope: PacketEnvelope) -> None:
    """Move a kit's order past a packet, if it is the next."""
    if packet.sequence != kit.settled + 1:
        return
    if kit.head is None:
        kit_repository.name_gap(connection, kit.id, kit.settled, envelope.previous)
    kit_repository.settle(connection, kit.id, packet.sequence, packet.packet)


def _doubt_of(
    connection: Connection, packet: Packet, unverified: UnverifiedPacket, kit: Kit, *, hold: bool = False
) -> Doubt | None:
    """Why the next packet of a kit cannot be opened without a case."""
    doubt = _doubt_of_signers(connection, packet, unverified, hold=hold)
    return doubt or domain.doubt_of_order(unverified.envelope.previous, kit.head)


def _doubt_of_signers(
    connection: Connection, packet: Packet, unverified: UnverifiedPacket, *, hold: bool = False
) -> Doubt | None:
    keys, envelope = unverified.key_ids, unverified.envelope
    signers = kit_repository.signers(connection, keys, hold=hold)
    happened, announced = envelope.happened_at, packet.announced_at
    if not all(key in signers and signers[key].is_trusted(happened, announced) for key in keys):
        return Doubt.SIGNER_REVOKED
    sealed, known = parse_moment(happened), parse_moment(announced)
    is_certified = may_seal(connection, envelope.officer, sealed, known, hold=hold)
    return None if is_certified else Doubt.OFFICER_NOT_CERTIFIED
