"""What this gateway has heard of cards by following the issuer, and how old that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from verification.messages.credential_status import CredentialState

FRESH_SECONDS = 3.0
"""Heard no longer ago than this counts as said now. Beyond it the issuer is asked about each card again."""


CLOCKS_APART_SECONDS = 1.0
"""As far as the clocks of the machines of one gateway may differ."""


@dataclass(frozen=True, slots=True)
class FollowedCard:
    """The state that the issuer told last; ``expires_on`` is the card's last good day."""

    state: CredentialState
    expires_on: date | None

    def state_on(self, today: date) -> CredentialState:
        """The state on a day: a card is good through its last one."""
        past = self.expires_on is not None and today > self.expires_on
        return CredentialState.EXPIRED if past and self.state is CredentialState.ACTIVE else self.state


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a card, and when the issuer was last heard at all with nothing left to tell."""

    card: FollowedCard | None
    at: datetime | None

    def age(self, now: datetime) -> float | None:
        """Seconds since then; None for an issuer never heard out."""
        return None if self.at is None else max(0.0, (now - self.at).total_seconds())

    def is_fresh(self, now: datetime) -> bool:
        """Whether what was heard counts as said now; never what a clock puts into the future."""
        ahead = self.at is not None and (self.at - now).total_seconds() > CLOCKS_APART_SECONDS
        age = self.age(now)
        return age is not None and age <= FRESH_SECONDS and not ahead


@dataclass(frozen=True, slots=True)
class CardStanding:
    """A card's state; ``age_seconds`` is None where the issuer says so now."""

    state: CredentialState
    age_seconds: int | None = None
