"""Opening a verification session at the gateway, and proving the chip inside it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from verification.messages.decision import Assurance, DecisionOutcome

PartnerReference = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
"""A partner's own name for its transaction; it may name a person, so it is kept sealed."""


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the citizen agreed: the text by version and language, and the act.

    All three are kept with the session, so none has room for a name.
    """

    text_version: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,16}\Z")]
    language: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}\Z")]
    given_by: Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}\Z")] = "card_presented"


class SessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a counter or a partner asks for."""

    purpose: str
    consent: Consent
    agent_id: str | None = None
    partner_ref: PartnerReference | None = None
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
    """Where a session stands, and once it is decided, what was decided.

    ``code`` is the reason where the outcome is not ``verified``. It names no person: the holder's
    attributes are answered once, to the counter, and are not kept.
    """

    id: str
    status: str
    purpose: str
    expires_at: str
    partner_ref: str | None = None
    outcome: DecisionOutcome | None = None
    code: str | None = None
    assurance: Assurance | None = None
    decided_at: str | None = None


class SessionReceipt(msgspec.Struct, frozen=True):
    """The receipt of a decided session, for a counter that lost the answer on its way."""

    id: str
    receipt: str
