"""Where a province's processor checks a dossier before somebody else approves it (ISSUANCE 4.8)."""

from __future__ import annotations

from issuance_backend.dossiers import acts, domain
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.domain import DossierEvent, Part
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from monitoring.database import Database
from verification.errors import TransitionRefused

PLACE = "checked_at"
"""The detail that says where a check was made: at a province, or in a unit of it."""


class CheckDesk:
    """Checks stand until the dossier is captured, returned or looked up again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def check(self, officer: Officer, dossier_id: str) -> None:
        """Say that a dossier is right, as far as an officer can see.

        Raises RoleMissing, DossierUnknown, SameOfficer, TransitionRefused (also where it is checked already).
        """
        officer.require(Role.PROCESSOR)
        with self._database.writing() as connection:
            act = Act(connection, acts.found(connection, dossier_id, officer), self._clock())
            domain.advance(act.dossier.state, DossierEvent.CHECK)
            if act.dossier.checked_by is not None:
                raise TransitionRefused("the dossier is checked already")
            domain.require_only_part(officer.id, Part.CHECK, acts.parts_taken(connection, act.dossier))
            place = "province" if officer.is_provincial else "unit"
            take_step(act, DossierEvent.CHECK, officer.id, {PLACE: place})
