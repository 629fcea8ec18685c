"""What the gateway answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DecisionOutcome(StrEnum):
    """``unavailable`` means that a needed service did not answer: nothing is said of the person."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class ChipAssurance(StrEnum):
    """How far the chip was proven, weakest first (GATEWAY: assurance levels)."""

    NONE = "none"
    PRINTED = "printed"
    SIGNED_DATA = "signed-data"
    CHIP_LIVE_AGENT = "chip-live-agent"
    CHIP_LIVE_TICKET = "chip-live-ticket"
    CHIP_LIVE_GATEWAY = "chip-live-gateway"

    def reaches(self, floor: ChipAssurance) -> bool:
        """Whether this level is at least ``floor``."""
        order = tuple(ChipAssurance)
        return order.index(self) >= order.index(floor)


def snapshot_age(seconds: int) -> str:
    """The status assurance of what was known so many seconds ago."""
    return f"snapshot({seconds}s)"


class Assurance(msgspec.Struct, frozen=True):
    """How strong each part of the answer is; never silently weaker.

    ``status`` is ``none``, ``online``, or ``snapshot(90s)`` for what was known of the card so long ago.
    """

    chip: ChipAssurance
    face: str = "none"
    status: str = "none"


class CheckOutcome(msgspec.Struct, frozen=True):
    """One line of the inspection, in TR-03135 words."""

    name: str
    outcome: str
    code: str | None = None


class Holder(msgspec.Struct, frozen=True):
    """The attributes that the purpose releases, as the issuer signed them."""

    full_name: str | None = None
    citizen_number: str | None = None
    date_of_birth: str | None = None
    sex: str | None = None


class Decision(msgspec.Struct, frozen=True):
    """The answer to one session."""

    session: str
    purpose: str
    outcome: DecisionOutcome
    code: str | None
    assurance: Assurance
    checks: tuple[CheckOutcome, ...]
    decided_at: str
    holder: Holder | None = None


class Answer(msgspec.Struct, frozen=True):
    """The decision with its signed receipt (compact JWS with inclusion proof)."""

    decision: Decision
    receipt: str
