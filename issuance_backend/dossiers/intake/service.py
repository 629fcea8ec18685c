"""The intake: a packet is announced, its chunks come in any order, and whoever sent it gets a signed receipt.

A receipt is signed when the whole packet lies on disk, verified, and its row says so: what was acknowledged
outlasts the program. The same packet again gets the same receipt.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake import domain, kit_repository, repository
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from issuance_backend.dossiers.intake.domain import MAX_AHEAD, PacketEvent, PacketState, Signer, SignerKind
from issuance_backend.dossiers.intake.inbox import Inbox, chunk_length
from issuance_backend.dossiers.intake.opening import Opening
from issuance_backend.dossiers.intake.refusals import (
    PacketChunkRefused,
    PacketContentRefused,
    PacketIncomplete,
    PacketSignerUnknown,
    PacketTooFarAhead,
)
from issuance_backend.dossiers.intake.repository import Packet
from issuance_backend.dossiers.intake.steps import advance, step_of
from issuance_backend.moments import Clock, rfc3339
from monitoring.database import Database
from verification.errors import (
    MalformedDocument,
    TransitionRefused,
    Unavailable,
    UntrustedDocument,
    VerificationError,
)
from verification.messages.enrollment_packet import (
    CHUNK_BYTES,
    OpenedPacket,
    PacketEnvelope,
    PacketReceipt,
    UnverifiedPacket,
    chunk_offsets,
    parse_packet,
    require_signed,
    sign_packet_receipt,
    split_content,
)
from verification.messages.packet_intake import PacketKeyList, PacketStatus
from verification.messages.receipt_code import receipt_code
from verification.messages.refusals import PacketAltered

ISSUER = "issuance-intake"
"""Who signs receipts."""

_REMEMBERED = 1000

logger = logging.getLogger(__name__)


class IntakeDesk:
    """Takes packets from whoever carries them."""

    def __init__(
        self, database: Database, inbox: Inbox, keys: CentreKeys, opening: Opening, clock: Clock
    ) -> None:
        self._database = database
        self._inbox = inbox
        self._keys = keys
        self._opening = opening
        self._clock = clock
        self._sizes: dict[str, int] = {}

    def key_list(self) -> PacketKeyList:
        """What a kit needs to know of the centre."""
        return PacketKeyList(opening=self._keys.opening_jwk(), receipts=self._keys.receipts_jwk())

    def announce(self, metadata: bytes) -> PacketStatus:
        """Take a packet's metadata; the same packet again is told how it stands.

        Raises LimitExceeded, PacketMalformed, PacketSignerUnknown, PacketSignatureInvalid,
        PacketSequenceTaken, PacketTooFarAhead and PacketClockAhead.
        """
        packet = parse_packet(metadata)
        with self._database.reading() as connection:
            known = repository.known(connection, packet)
            signers = () if known else _signers(connection, packet)
        if known is None:
            require_signed(packet, *(signer.key for signer in signers))
            domain.require_sealed_by(packet.envelope.happened_at, self._clock())
            known = self._add(packet, metadata)
        if known.state is PacketState.ANNOUNCED:
            self._remember(packet)
        return self._told(known, packet.envelope)

    def status(self, packet_hash: str) -> PacketStatus:
        """How a packet stands and where chunks are missing; raises PacketUnknown."""
        with self._database.reading() as connection:
            packet = repository.found(connection, packet_hash)
        return self._told(packet, parse_packet(packet.metadata).envelope)

    def _told(self, packet: Packet, envelope: PacketEnvelope) -> PacketStatus:
        is_waited_for = packet.state is PacketState.ANNOUNCED
        return PacketStatus(
            packet=packet.packet,
            kit=packet.kit,
            sequence=packet.sequence,
            state=packet.state.value,
            size=envelope.content_size,
            chunk_bytes=CHUNK_BYTES,
            missing=self._inbox.missing(packet.packet, envelope.content_size) if is_waited_for else (),
            receipt=packet.receipt,
            code=packet.code,
        )

    def put_chunk(self, packet_hash: str, offset: int, digest: bytes, content: bytes) -> None:
        """Keep a chunk; the same one again changes nothing.

        Raises PacketUnknown, PacketChunkRefused and IntakeStorageUnavailable.
        """
        size = self._sizes.get(packet_hash)
        is_waited_for = True
        if size is None:
            size, is_waited_for = self._looked_up(packet_hash)
        is_in_place = offset in chunk_offsets(size) and len(content) == chunk_length(offset, size)
        if not is_in_place or hashlib.sha256(content).digest() != digest:
            raise PacketChunkRefused("the chunk is another than its digest or its place say")
        if is_waited_for:
            self._inbox.put(packet_hash, offset, digest, content)

    def complete(self, packet_hash: str) -> str:
        """The receipt for a packet that is here whole; opens it if its turn has come.

        Raises PacketUnknown, PacketIncomplete, PacketAltered (send it again) and PacketContentRefused.
        """
        with self._database.reading() as connection:
            packet = repository.found(connection, packet_hash)
            is_next = kit_repository.kit(connection, packet.kit).settled + 1 == packet.sequence
        self._sizes.pop(packet_hash, None)
        if packet.state is not PacketState.ANNOUNCED:
            return _receipt_of(packet)
        unverified = parse_packet(packet.metadata)
        opened = self._verified(packet, unverified)
        moment = rfc3339(self._clock())
        received = replace(packet, received_at=moment, receipt=self._receipt(packet, moment))
        try:
            if is_next and self._opening.receive_in_turn(received, unverified, opened):
                return _receipt_of(received)
        except Unavailable as fault:
            # It is received all the same; whoever runs the intake opens it later.
            logger.warning("packet not opened yet", extra={"code": fault.code})
            return self._acknowledge(received, opened)
        except VerificationError as fault:
            logger.info("packet not opened at once", extra={"code": fault.code})
        receipt = self._acknowledge(received, opened)
        self._opening.open_what_can_be(packet.kit, opened)
        return receipt

    def _looked_up(self, packet_hash: str) -> tuple[int, bool]:
        """A packet's size, and whether its chunks are waited for; remembered: they come in a row."""
        with self._database.reading() as connection:
            packet = repository.found(connection, packet_hash)
        unverified = parse_packet(packet.metadata)
        is_waited_for = packet.state is PacketState.ANNOUNCED
        if is_waited_for:
            self._remember(unverified)
        return unverified.envelope.content_size, is_waited_for

    def _remember(self, packet: UnverifiedPacket) -> None:
        if len(self._sizes) >= _REMEMBERED:
            self._sizes.clear()
        self._sizes[packet.packet_hash] = packet.envelope.content_size

    def _add(self, packet: UnverifiedPacket, metadata: bytes) -> Packet:
        envelope, moment = packet.envelope, rfc3339(self._clock())
        row = Packet(
            packet=packet.packet_hash,
            kit=envelope.kit,
            sequence=envelope.sequence,
            state=PacketState.ANNOUNCED,
            version=1,
            metadata=metadata,
            announced_at=moment,
            receipt_code=receipt_code(packet.packet_hash),
        )
        with self._database.writing() as connection:
            kit = kit_repository.kit(connection, envelope.kit, lock=True)
            if envelope.sequence > kit.settled + MAX_AHEAD:
                raise PacketTooFarAhead("a number far beyond the last")
            known = repository.known(connection, packet)
            if known is not None:
                return known
            repository.add(connection, row)
            kit_repository.note_number(connection, kit.id, row.sequence)
            recorded_events.append(connection, step_of(row, PacketEvent.ANNOUNCE, moment, unit=kit.unit))
        return row

    def _verified(self, packet: Packet, unverified: UnverifiedPacket) -> OpenedPacket:
        sealed = self._as_signed(packet.packet, unverified.envelope)
        try:
            return self._opening.decrypt(unverified, sealed)
        except (MalformedDocument, UntrustedDocument) as fault:
            # Every byte is as it was signed: sent again it would be the same.
            refused = replace(packet, code=fault.code)
            with self._database.writing() as connection:
                advance(connection, refused, [PacketEvent.REFUSE], rfc3339(self._clock()))
            self._inbox.discard(packet.packet)
            raise PacketContentRefused("nothing in the packet can be opened") from None

    def _as_signed(self, packet_hash: str, envelope: PacketEnvelope) -> dict[str, memoryview]:
        content = self._inbox.read(packet_hash, envelope.content_size)
        try:
            return split_content(envelope, content)
        except PacketAltered:
            if self._inbox.missing(packet_hash, envelope.content_size):
                raise PacketIncomplete("chunks are missing") from None
            # Each chunk came as its sender had it, and yet it is not what was signed: all of it again.
            self._inbox.discard(packet_hash)
            raise

    def _receipt(self, packet: Packet, moment: str) -> str:
        statement = PacketReceipt(
            iss=ISSUER,
            packet=packet.packet,
            kit=packet.kit,
            sequence=packet.sequence,
            received_at=moment,
        )
        return sign_packet_receipt(statement, self._keys.receipts)

    def _acknowledge(self, received: Packet, opened: OpenedPacket) -> str:
        try:
            with self._database.writing() as connection:
                moment, officer = rfc3339(self._clock()), opened.envelope.officer
                advance(connection, received, [PacketEvent.RECEIVE], moment, officer)
        except TransitionRefused:
            # Completed twice at once: the receipt that stands is the one.
            with self._database.reading() as connection:
                return _receipt_of(repository.found(connection, received.packet))
        return _receipt_of(received)


def _signers(connection: Connection, packet: UnverifiedPacket) -> tuple[Signer, ...]:
    """The registered keys of all who sign; raises PacketSignerUnknown. Revocation is looked at later."""
    envelope = packet.envelope
    known = kit_repository.signers(connection, packet.key_ids)
    wanted = [(SignerKind.OFFICER, envelope.officer), (SignerKind.KIT, envelope.kit)]
    if envelope.supervisor is not None:
        wanted.append((SignerKind.OFFICER, envelope.supervisor))
    found = []
    for thumbprint, (kind, owner) in zip(packet.key_ids, wanted, strict=True):
        signer = known.get(thumbprint)
        if signer is None or (signer.kind, signer.owner) != (kind, owner):
            raise PacketSignerUnknown(f"no such key of this {kind.value}")
        if not signer.is_valid_at(envelope.happened_at):
            raise PacketSignerUnknown(f"the key of this {kind.value} was not valid then")
        found.append(signer)
    return tuple(found)


def _receipt_of(packet: Packet) -> str:
    if packet.receipt is None:
        raise PacketContentRefused("nothing in the packet can be opened")
    return packet.receipt
