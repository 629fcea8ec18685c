"""Who works here, in which role, and the rules of signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from issuance_backend.refusals import RoleMissing

SESSION_LENGTH = timedelta(hours=9)
"""One shift."""

FAILURES_BEFORE_BLOCK = 5
BLOCK_LENGTH = timedelta(minutes=5)
MIN_PASSWORD_LENGTH = 12


class Role(StrEnum):
    """What an officer may do; no set of roles lets one officer both capture and approve one dossier."""

    CAPTURE = "capture"
    APPROVER = "approver"
    PRODUCTION = "production"
    EXAMINER = "examiner"
    ADJUDICATION_LEAD = "adjudication_lead"
    INVESTIGATOR = "investigator"


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer who is signed in."""

    id: str
    name: str
    roles: frozenset[Role]

    def require(self, *roles: Role) -> None:
        """Raise RoleMissing unless the officer has one of the roles."""
        if not self.roles.intersection(roles):
            raise RoleMissing(f"needs one of {sorted(roles)}")


@dataclass(frozen=True, slots=True)
class OfficerAccount:
    """An officer with what signing in needs."""

    officer: Officer
    password_hash: str
    blocked_until: datetime | None
    is_suspended: bool

    def is_blocked(self, moment: datetime) -> bool:
        """Whether even the right password is refused now."""
        return self.blocked_until is not None and moment < self.blocked_until
