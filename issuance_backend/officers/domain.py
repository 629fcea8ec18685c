"""Who works here, in which role, and the rules of signing in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from issuance_backend.refusals import RoleMissing
from issuance_backend.unit_codes import is_province

SESSION_LENGTH = timedelta(hours=9)
"""One shift."""

FAILURES_BEFORE_BLOCK = 5
BLOCK_LENGTH = timedelta(minutes=5)
MIN_PASSWORD_LENGTH = 12


class Role(StrEnum):
    """What an officer may do; no set of roles lets one officer both capture and approve one dossier."""

    CAPTURE = "capture"
    PROCESSOR = "processor"
    APPROVER = "approver"
    TEAM_LEADER = "team_leader"
    DISTRICT_CHIEF = "district_chief"
    ARCHIVE_CLERK = "archive_clerk"
    CENTRAL_APPROVER = "central_approver"
    EXAMINER = "examiner"
    ADJUDICATION_LEAD = "adjudication_lead"
    INVESTIGATOR = "investigator"
    PRODUCTION = "production"
    QUALITY = "quality"
    STOCK_KEEPER = "stock_keeper"
    COURIER = "courier"
    OFFICE = "office"
    COMMUNE_OFFICER = "commune_officer"
    FORM_CLERK = "form_clerk"
    REGISTRAR = "registrar"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"


NATIONAL_ROLES = frozenset(
    {Role.ARCHIVE_CLERK, Role.CENTRAL_APPROVER, Role.PRODUCTION, Role.QUALITY, Role.AUDITOR}
)
"""Their work comes from every unit."""


def require_held_together(roles: Collection[Role]) -> None:
    """Raise ValueError for no role, and for an auditor with another: who judges work has no part in it."""
    if not roles:
        raise ValueError("an officer needs a role")
    if Role.AUDITOR in roles and len(set(roles)) > 1:
        raise ValueError("an auditor has no other role")


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer who is signed in; ``unit`` is where they work, none for somebody of no unit."""

    id: str
    name: str
    roles: frozenset[Role]
    unit: str | None = None

    @property
    def area(self) -> str | None:
        """The unit whose work this officer may see, with those below it; None for the whole nation."""
        return None if self.roles & NATIONAL_ROLES else self.unit

    @property
    def is_provincial(self) -> bool:
        """Whether they work at a province itself, above its districts and communes."""
        return self.unit is not None and is_province(self.unit)

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
