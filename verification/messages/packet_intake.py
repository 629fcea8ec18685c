"""What carriers of enrolment packets and the centre say to each other, and what an office asks about kits."""

from __future__ import annotations

import msgspec


class PacketKeyList(msgspec.Struct, frozen=True):
    """The centre's public keys (JWK): what kits encrypt to, and what receipts are checked with."""

    opening: dict[str, str]
    receipts: dict[str, str]


class PacketStatus(msgspec.Struct, frozen=True):
    """How a packet stands; ``missing`` are the offsets of chunks that are still to be sent."""

    packet: str
    kit: str
    sequence: int
    state: str
    size: int
    chunk_bytes: int
    missing: tuple[int, ...]
    receipt: str | None
    code: str | None


class PacketReceiptAnswer(msgspec.Struct, frozen=True):
    """The centre's receipt, a compact JWS."""

    receipt: str


class KitRegistration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new kit and its public key."""

    kit: str
    jwk: dict[str, str]
    unit: str | None = None
    valid_until: str | None = None


class SignerRegistration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A further public key of a kit, or of an officer who captures."""

    kind: str
    owner: str
    jwk: dict[str, str]
    valid_until: str | None = None


class SignerRevocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when nothing that a kit or an officer signed is accepted without a case."""

    kind: str
    owner: str
    revoked_at: str
    case_id: str
    cursor: str | None = None
    """Where an answer ended: asked with it, the answer goes on, and nothing is revoked anew."""


class RevocationAnswer(msgspec.Struct, frozen=True):
    """How many keys were revoked, and the dossiers from packets that came since that moment.

    ``held`` is how many the case holds, or held before, those that the officer captured at counters among
    them; ``others`` ended, or wait for another case. They come by hundreds: ``cursor`` says that there may
    be more.
    """

    keys: int
    dossiers: tuple[str, ...]
    held: int
    others: tuple[str, ...]
    cursor: str | None = None


class GapClosing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case in which a packet was given up."""

    case_id: str


class PacketRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case that decided on a doubtful packet, and whether it vouches for it."""

    case_id: str
    is_accepted: bool


class NumberRun(msgspec.Struct, frozen=True):
    """Numbers from first to last, both included."""

    first: int
    last: int


class KitSummary(msgspec.Struct, frozen=True):
    """One kit: up to ``settled`` all is decided; ``newest`` is the greatest number announced."""

    kit: str
    unit: str | None
    is_revoked: bool
    settled: int
    newest: int


class DoubtfulPacket(msgspec.Struct, frozen=True):
    """A packet that waits for a case, and the code of the reason."""

    packet: str
    kit: str
    sequence: int
    received_at: str | None
    code: str | None


class KitNumbers(msgspec.Struct, frozen=True):
    """Every running number of a kit beyond ``settled`` is in one of these; ``closed`` were given up.

    The doubtful ones come by hundreds: ``cursor`` says that there are more.
    """

    kit: str
    settled: int
    newest: int
    gaps: tuple[NumberRun, ...]
    pending: tuple[NumberRun, ...]
    received: tuple[NumberRun, ...]
    closed: tuple[NumberRun, ...]
    doubtful: tuple[DoubtfulPacket, ...]
    cursor: str | None = None
