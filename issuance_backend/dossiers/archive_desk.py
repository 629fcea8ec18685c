"""Asking the archive: who applied for an approval, who may give it, and what the paper says."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts, domain, particulars
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.approval_desk import require_no_captor
from issuance_backend.dossiers.domain import DossierEvent, Part
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import SameOfficer
from issuance_backend.unit_codes import province_of
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dossier_decisions import ArchiveLookup, LookupAnswer, LookupRequest

REASONS = frozenset({"no_data", "contradicting_data", "paper_prints"})
RESULTS = frozenset({"agrees", "contradicts", "nothing"})
_MAX_NOTE = 500


class ArchiveDesk:
    """Lookups in the archive of paper (circular 60/2021/TT-BCA, article 6)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def ask(self, officer: Officer, dossier_id: str, request: LookupRequest) -> None:
        """Ask for what the archive holds; raises FieldsRefused, SameOfficer, TransitionRefused."""
        officer.require(Role.PROCESSOR, Role.APPROVER)
        if request.reason not in REASONS:
            raise FieldsRefused({"reason": "FIELD_CHARACTERS"})
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            lookup = ArchiveLookup(reason=request.reason, approver=approver_of(dossier).value)
            act = Act(connection, replace(dossier, lookup=lookup), self._clock())
            domain.advance(dossier.state, DossierEvent.ASK_ARCHIVE)
            require_no_captor(act, officer)
            detail = {"reason": request.reason, "approver": lookup.approver}
            take_step(act, DossierEvent.ASK_ARCHIVE, officer.id, detail)

    def approve(self, officer: Officer, dossier_id: str) -> None:
        """Let the archive be asked: the team leader inside the applicant's province, else the chief.

        Raises RoleMissing, SameOfficer (also for whoever asked), TransitionRefused when it was approved.
        """
        officer.require(Role.TEAM_LEADER, Role.DISTRICT_CHIEF)
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            domain.advance(dossier.state, DossierEvent.APPROVE_LOOKUP)
            officer.require(approver_of(dossier))
            asked_by, is_approved = _newest_request(connection, dossier)
            if is_approved:
                raise TransitionRefused("the lookup is approved already")
            if asked_by == officer.id:
                raise SameOfficer("whoever asked does not approve")
            taken = acts.parts_taken(connection, dossier)
            domain.require_only_part(officer.id, Part.LOOKUP_APPROVAL, taken)
            take_step(Act(connection, dossier, self._clock()), DossierEvent.APPROVE_LOOKUP, officer.id)

    def answer(self, officer: Officer, dossier_id: str, answer: LookupAnswer) -> None:
        """Say what the archive holds; raises FieldsRefused, SameOfficer, TransitionRefused if unapproved."""
        officer.require(Role.ARCHIVE_CLERK)
        _require_sound(answer)
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            domain.advance(dossier.state, DossierEvent.ANSWER_LOOKUP)
            _, is_approved = _newest_request(connection, dossier)
            if not is_approved or dossier.lookup is None:
                raise TransitionRefused("nobody has approved the lookup")
            taken = acts.parts_taken(connection, dossier)
            domain.require_only_part(officer.id, Part.LOOKUP_ANSWER, taken)
            lookup = msgspec.structs.replace(dossier.lookup, result=answer.result, note=answer.note.strip())
            act = Act(connection, replace(dossier, lookup=lookup), self._clock())
            take_step(act, DossierEvent.ANSWER_LOOKUP, officer.id, {"result": answer.result})


def approver_of(dossier: Dossier) -> Role:
    """Who approves a lookup: inside the applicant's province of residence the team leader.

    Where either province is not known the lookup counts as outside.
    """
    home = particulars.residence_province(dossier.person.place_of_residence)
    own = province_of(dossier.unit) if dossier.unit else None
    return Role.TEAM_LEADER if particulars.is_same_province(home, own) else Role.DISTRICT_CHIEF


def _newest_request(connection: Connection, dossier: Dossier) -> tuple[str, bool]:
    """Who asked the archive last, and whether that was approved since."""
    is_approved = False
    for step in reversed(recorded_events.of_subject(connection, acts.subject(dossier.id))):
        is_approved = is_approved or step.event == DossierEvent.APPROVE_LOOKUP.value
        if step.event == DossierEvent.ASK_ARCHIVE.value:
            return step.actor, is_approved
    raise TransitionRefused("nobody has asked the archive")


def _require_sound(answer: LookupAnswer) -> None:
    faults = {} if answer.result in RESULTS else {"result": "FIELD_CHARACTERS"}
    if len(answer.note) > _MAX_NOTE:
        faults["note"] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)
