"""What an officer is certified for, and on which days (REQUIREMENTS F09)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from issuance_backend.moments import parse_moment
from verification.messages.national_time import vietnam_date


class Level(StrEnum):
    """What an officer has learned: a trainee sits beside, and seals nothing."""

    TRAINEE = "trainee"
    CAPTURE = "capture"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Somebody's word is trusted no more since a moment, by a case; ``by`` is the supervisor who says so."""

    officer: str
    since: str
    case_id: str
    by: str


class Held(NamedTuple):
    """How many dossiers were held for a case, and which it should hold and cannot."""

    number: int
    others: tuple[str, ...]


Hold = Callable[[Withdrawal], Held]
"""Holds what an officer captured or approved since their certificates were withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Somebody's word that an officer has learned it; its days are days here, both of them included."""

    id: str
    officer: str
    level: Level
    valid_from: str
    valid_until: str
    issuer: str
    certified_by: str
    certified_at: str
    withdrawn_from: str | None = None
    withdrawn_by: str | None = None

    def lets(self, level: Level, happened: datetime, known: datetime) -> bool:
        """Whether its officer might do what the level says at a moment, of which we learned at another.

        The moment in a packet is the officer's own word: what we did not know before a withdrawal is not
        taken for older than it (I15).
        """
        day = vietnam_date(happened).isoformat()
        if self.level is not level or not self.valid_from <= day <= self.valid_until:
            return False
        if self.withdrawn_from is None:
            return True
        return max(happened, known) < parse_moment(self.withdrawn_from)
