"""What a reader hands over; nothing in it is a verdict."""

from __future__ import annotations

import msgspec

from verification.lds.files import LdsFile
from verification.messages.verification_session import ChipProof

MAX_EVIDENCE_BYTES = 1_048_576
"""A larger body is refused before it is parsed."""


class ActiveAuthenticationProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chip's signature over the session's challenge."""

    signature: bytes


class CardEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files of the card under their names (``SOD``, ``DG1``); the gateway inspects them again."""

    files: dict[str, bytes]
    access: str
    downgraded: bool
    chip: ChipProof | None = None
    active_authentication: ActiveAuthenticationProof | None = None
    chip_fault: str | None = None

    def lds_files(self) -> dict[LdsFile, bytes]:
        """The files by LdsFile; raises KeyError for a name that is none."""
        return {LdsFile[name]: content for name, content in self.files.items()}


class FaceClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the counter says of the face: as good as the reader's key, no better.

    ``method`` is ``engine`` or ``manual``; ``score`` and ``threshold`` are in the engine's own
    measure, named by ``engine``; ``portrait_digest`` is the SHA-256 of the DG2 that was compared.
    ``code`` is the fault code when ``matched`` is false.
    """

    method: str
    matched: bool
    code: str | None
    portrait_digest: bytes
    engine: str = ""
    model_digests: tuple[str, ...] = ()
    score: float | None = None
    threshold: float | None = None
    frames: int = 0
    head_turn: str = "not required"
    manual_reason: str | None = None


class AttestedEvidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counter's own statements."""

    agent_version: str
    captured_at: str
    face: FaceClaim | None = None
    timings_ms: dict[str, int] = msgspec.field(default_factory=dict)


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tap: ``card`` is proven again by the gateway, ``attested`` rests on the device key."""

    session: str
    card: CardEvidence
    attested: AttestedEvidence
