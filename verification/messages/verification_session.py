"""Opening a verification session at the gateway, and proving the chip inside it."""

from __future__ import annotations

import msgspec


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the citizen agreed: the text by version and language, and the act."""

    text_version: str
    language: str
    given_by: str = "card_presented"


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counter or a partner asks for."""

    purpose: str
    consent: Consent
    agent_id: str | None = None
    partner_ref: str | None = None
    language: str = "vi"


class SessionPolicy(msgspec.Struct, frozen=True):
    """What this purpose needs from the counter and what it may see."""

    data_groups: tuple[int, ...]
    face_required: bool
    head_turn_required: bool
    min_chip_assurance: str


class SessionOpened(msgspec.Struct, frozen=True):
    """The session, its one-time challenge for active authentication (8 bytes) and its policy."""

    id: str
    status: str
    expires_at: str
    challenge: bytes
    policy: SessionPolicy


class ChipSessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the gateway needs to prove the chip itself: its public key and where to look."""

    dg14: bytes
    sod_length: int


class ChipCommands(msgspec.Struct, frozen=True):
    """Commands for the agent to wrap in its own secure messaging, then protected ones to relay unchanged."""

    agent_wrapped: tuple[bytes, ...]
    relayed: tuple[bytes, ...]
    sealed_state: bytes


class ChipProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The relayed commands' answers, in order, with the gateway's own sealed state."""

    responses: tuple[bytes, ...]
    sealed_state: bytes


class SessionStatus(msgspec.Struct, frozen=True):
    """Where a session stands; the decision itself is in the receipt."""

    id: str
    status: str
    purpose: str
    expires_at: str


class SessionReceipt(msgspec.Struct, frozen=True):
    """The receipt of a decided session, for a counter that lost the answer on its way."""

    id: str
    receipt: str
