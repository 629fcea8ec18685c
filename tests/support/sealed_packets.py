"""A kit that seals packets: its keys, its running number, and the hash of the packet before."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from issuance_backend.population_registry.domain import RegistryPerson, extract
from tests.support.cheap_prints import PRINT_TYPE, cheap_prints
from tests.support.issuance_office import NOW, REASON, citizens, picture
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    FIRST,
    Consent,
    PacketDraft,
    PacketKeys,
    PacketParticulars,
    PrintedFormMark,
    SealedPacket,
    item_of,
    seal_packet,
)
from verification.messages.signing_key import SigningKey

MOMENT = NOW.astimezone(UTC).isoformat()
MEDIA_TYPES = {
    "portrait": "image/jpeg",
    CITIZEN_SIGNATURE: "image/png",
    **dict.fromkeys(FINGER_ITEMS, PRINT_TYPE),
}
PRINT = PrintedFormMark("CC01", "ab" * 32)
SIGNED = {CITIZEN_SIGNATURE: b"\x89PNG the citizen's hand"}


def stream(seed: str) -> Callable[[int], bytes]:
    """Randomness that a test can repeat."""
    counter = itertools.count()

    def draw(length: int) -> bytes:
        block = hashlib.shake_256(f"{seed}/{next(counter)}".encode())
        return block.digest(length)

    return draw


def particulars(citizen: RegistryPerson, blobs: Mapping[str, bytes], **changes: object) -> PacketParticulars:
    """What is sealed of a citizen, as the registry has them."""
    made = PacketParticulars(
        citizen_number=citizen.citizen_number,
        person=extract(citizen).person,
        consent=Consent("vi", MOMENT, PRINT.sha256),
        printed_form=PRINT,
        items=tuple(item_of(name, MEDIA_TYPES.get(name, "image/x-wsq"), blobs[name]) for name in blobs),
        manual_portrait_reason=REASON,
    )
    return msgspec.structs.replace(made, **changes)


@dataclass
class Kit:
    """One kit with one officer; every packet follows the one before."""

    centre: ec.EllipticCurvePublicKey
    name: str = "kit-001"
    officer: str = "lan.capture"
    officer_key: SigningKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    kit_key: SigningKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)
    supervisor_key: SigningKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sequence: int = 0
    previous: str = FIRST

    def draft(
        self,
        citizen: RegistryPerson | None = None,
        blobs: Mapping[str, bytes] | None = None,
        *,
        is_signed: bool = True,
        supervisor: str | None = None,
        **changes: object,
    ) -> PacketDraft:
        """The next capture with the citizen's signature: of a new application a portrait and ten prints."""
        prints = {} if changes.get("dossier") else cheap_prints()
        taken = {"portrait": picture(), **prints} if blobs is None else blobs
        held = {**taken, **(SIGNED if is_signed else {})}
        sealed_at = changes.pop("happened_at", MOMENT)
        moment = sealed_at.isoformat() if isinstance(sealed_at, datetime) else str(sealed_at)
        changes.setdefault("consent", Consent("vi", moment, PRINT.sha256))
        return PacketDraft(
            kit=self.name,
            sequence=self.sequence + 1,
            previous=self.previous,
            officer=self.officer,
            happened_at=moment,
            particulars=particulars(citizen or citizens()[0], held, **changes),
            blobs=held,
            supervisor=supervisor,
        )

    def seal(
        self,
        citizen: RegistryPerson | None = None,
        blobs: Mapping[str, bytes] | None = None,
        *,
        is_signed: bool = True,
        supervisor: str | None = None,
        **changes: object,
    ) -> SealedPacket:
        """Seal the next packet; a supervisor who is named signs it as well."""
        draft = self.draft(citizen, blobs, is_signed=is_signed, supervisor=supervisor, **changes)
        answering = self.supervisor_key if supervisor else None
        keys = PacketKeys(self.officer_key, self.kit_key, self.centre, answering)
        packet = seal_packet(draft, keys, stream(f"{self.name}/{draft.sequence}"))
        self.sequence, self.previous = draft.sequence, packet.packet_hash
        return packet
