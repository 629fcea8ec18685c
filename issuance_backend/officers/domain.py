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
    failed_sign_ins: int
    blocked_until: datetime | None

    def is_blocked(self, moment: datetime) -> bool:
        """Whether even the right password is refused now."""
        return self.blocked_until is not None and moment < self.blocked_until

    def after_failure(self, moment: datetime) -> tuple[int, datetime | None]:
        """Failures so far and the end of a block that this one starts."""
        failures = self.failed_sign_ins + 1
        if failures < FAILURES_BEFORE_BLOCK:
            return failures, None
        return 0, moment + BLOCK_LENGTH
