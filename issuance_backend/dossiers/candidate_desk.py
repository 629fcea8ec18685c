"""Who else in the registry an applicant may be: shown to approvers while they decide, recorded as seen."""

from __future__ import annotations

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts, domain
from issuance_backend.dossiers.acts import Act
from issuance_backend.dossiers.approval_desk import require_no_captor
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import Step
from monitoring.database import Database
from verification.errors import TransitionRefused
from verification.messages.enrollment import CANDIDATES, NOT_ALL_COMPARED
from verification.messages.person_match import MatchAnswer

LOOKED_AT = "looked_at"


class CandidateDesk:
    """Asks the registry anew each time: numbers of others are kept nowhere in the office."""

    def __init__(self, database: Database, checks: CaptureChecks, clock: Clock) -> None:
        self._database = database
        self._checks = checks
        self._clock = clock

    def look(self, officer: Officer, dossier_id: str) -> MatchAnswer:
        """The likely others of an open dossier; raises RoleMissing, DossierUnknown, SameOfficer for
        whoever captured it, TransitionRefused where it is closed, and RegistryUnavailable.
        """
        officer.require(Role.PROCESSOR, Role.APPROVER, Role.CENTRAL_APPROVER)
        with self._database.reading() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            require_no_captor(Act(connection, dossier, self._clock()), officer)
        if dossier.state in domain.CLOSED:
            raise TransitionRefused("nobody decides on this dossier any more")
        answer = self._checks.candidates(dossier.person, dossier.citizen_number)
        with self._database.writing() as connection:
            recorded_events.append(connection, self._step(dossier, officer, answer))
        return answer

    def _step(self, dossier: Dossier, officer: Officer, found: MatchAnswer) -> Step:
        incomplete = {} if found.complete else {NOT_ALL_COMPARED: "true"}
        unit = {"unit": dossier.unit} if dossier.unit else {}
        return Step(
            subject=subject(dossier.id),
            event="look",
            state=LOOKED_AT,
            actor=officer.id,
            at=rfc3339(self._clock()),
            detail={CANDIDATES: str(len(found.candidates)), **incomplete, **unit},
        )


def subject(dossier_id: str) -> str:
    """The name under which looks at a dossier's candidates are recorded; they change nothing of it."""
    return f"look/{dossier_id}"
