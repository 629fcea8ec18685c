"""Complaints: filed at the counter, answered by an officer whom they do not concern, read by a code."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.case_ids import COMPLAINT_PREFIX, complaint_subject
from issuance_backend.citizen_access import complaints, domain, repository
from issuance_backend.citizen_access.domain import COMPLAINTS, Complaint, ComplaintEvent, Visit
from issuance_backend.citizen_access.own_record_desk import OwnRecordDesk
from issuance_backend.citizen_access.refusals import ComplaintUnknown, OwnRecordTooOften
from issuance_backend.citizen_access.registry_records import RegistryRecords
from issuance_backend.dossiers import acts, candidate_desk
from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import IdempotencyConflict, ReceiptUnknown, SameOfficer
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.citizen_access import (
    MOST_TEXT,
    AttributeCorrection,
    ComplaintAbout,
    ComplaintAnswering,
    ComplaintFiling,
    ComplaintOutcome,
    ComplaintState,
    ComplaintStatus,
    ComplaintSummary,
    ComplaintView,
    OwnComplaint,
)
from verification.messages.life_event import CorrectionReport
from verification.messages.national_time import vietnam_date
from verification.messages.receipt_code import read_receipt_code, receipt_code

_ANSWERING = (Role.SUPERVISOR, Role.DISTRICT_CHIEF)
_READERS = (*_ANSWERING, Role.AUDITOR)
_NOBODYS = "-"


class ComplaintDesk:
    """Takes complaints of a citizen's visit, and has them answered."""

    def __init__(
        self, database: Database, clock: Clock, records: OwnRecordDesk, registry: RegistryRecords
    ) -> None:
        self._database = database
        self._clock = clock
        self._records = records
        self._registry = registry

    def file(self, officer: Officer, visit_id: str, filing: ComplaintFiling) -> OwnComplaint:
        """Take a complaint, with a code by which its answer is read; the same one twice in a visit is one.

        Raises CitizenVisitEnded, OwnRecordTooOften, and FieldsRefused for what is not the citizen's own.
        """
        visit = self._records.visit(officer, visit_id)
        _require_text("text", filing.text)
        concerned = self._concerned(officer, visit, filing)
        moment = self._clock()
        complaint = Complaint(
            id=f"{COMPLAINT_PREFIX}{secrets.token_hex(6)}",
            receipt_code=receipt_code(f"complaint|{secrets.token_hex(32)}"),
            visit=visit.id,
            citizen_number=visit.citizen_number,
            unit=visit.unit,
            subject=filing.about,
            reference=filing.reference,
            text=filing.text.strip(),
            concerned=concerned,
            state=COMPLAINTS.advance(None, ComplaintEvent.FILE),
            filed_by=officer.id,
            filed_at=rfc3339(moment),
        )
        with self._database.writing() as connection:
            repository.hold_visit(connection, visit.id)
            filed = repository.filed_in(connection, visit.id)
            same = next((each for each in filed if _is_same(each, complaint)), None)
            if same is not None:
                return complaints.own(connection, same, vietnam_date(moment))
            if len(filed) >= domain.COMPLAINTS_A_VISIT:
                raise OwnRecordTooOften("this visit has complained often enough")
            repository.add_complaint(connection, complaint)
            detail = {"about": complaint.subject.value}
            recorded_events.append(connection, _step(complaint, ComplaintEvent.FILE, officer, detail))
        with self._database.reading() as connection:
            return complaints.own(connection, complaint, vietnam_date(moment))

    def listed(self, officer: Officer, state: str, asked: PageAsked) -> Page[ComplaintSummary]:
        """The complaints in one state that were filed in the officer's area; raises FieldsRefused."""
        officer.require(*_READERS)
        if state not in set(ComplaintState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            found = repository.listed(connection, ComplaintState(state), officer.area, asked)
            entries = tuple(complaints.summary(connection, each, today) for each in found.entries)
        return Page(entries, found.cursor)

    def view(self, officer: Officer, complaint_id: str) -> ComplaintView:
        """A whole complaint; raises ComplaintUnknown, also outside the officer's area."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            found = _found(connection, complaint_id, officer)
            return complaints.view(connection, found, vietnam_date(self._clock()))

    def answer(self, officer: Officer, complaint_id: str, said: ComplaintAnswering) -> ComplaintView:
        """Answer for the office; raises SameOfficer for whom it concerns, ComplaintUnknown,
        FieldsRefused, TransitionRefused.

        A correction is in the registry before the answer says so: who was stopped between asks for it again,
        and it is one correction.
        """
        officer.require(*_ANSWERING)
        _require_text("answer", said.answer)
        moment = self._clock()
        if said.correction is not None:
            with self._database.reading() as connection:
                complaint = _answerable(connection, complaint_id, officer)
            self._correct(complaint, said.outcome, said.correction, officer)
        with self._database.writing() as connection:
            complaint = _answerable(connection, complaint_id, officer)
            answered = replace(
                complaint,
                state=COMPLAINTS.advance(complaint.state, ComplaintEvent.ANSWER),
                answered_by=officer.id,
                answered_at=rfc3339(moment),
                outcome=said.outcome,
                answer=said.answer.strip(),
            )
            repository.save_answer(connection, answered)
            detail = {"outcome": said.outcome.value} | ({"corrected": "yes"} if said.correction else {})
            recorded_events.append(connection, _step(answered, ComplaintEvent.ANSWER, officer, detail))
        return self.view(officer, complaint_id)

    def _correct(
        self, complaint: Complaint, outcome: ComplaintOutcome, said: AttributeCorrection, officer: Officer
    ) -> None:
        """Have the registry correct what was complained about; raises FieldsRefused, RegistryUnavailable.

        Whoever was stopped before the answer stood may have had it corrected in other words: those stand.
        """
        if complaint.subject is not ComplaintAbout.ATTRIBUTE or outcome is ComplaintOutcome.DISMISSED:
            raise FieldsRefused({"value": "FIELD_NOT_AS_RECORDED"})
        try:
            self._registry.correct(
                CorrectionReport(
                    report_id=f"complaint-{complaint.id}",
                    occurred_on=vietnam_date(parse_moment(complaint.filed_at)),
                    document=said.document.strip(),
                    officer=officer.id,
                    citizen_number=complaint.citizen_number,
                    attributes={complaint.reference: said.value.strip()},
                )
            )
        except FieldsRefused as fault:
            names = {complaint.reference: "value"}
            raise FieldsRefused(
                {names.get(name, name): code for name, code in fault.fields.items()}
            ) from None
        except IdempotencyConflict:
            raise FieldsRefused({"value": "FIELD_NOT_AS_RECORDED"}) from None

    def of_receipt(self, typed: str) -> ComplaintStatus:
        """Where the complaint of a slip stands; raises ReceiptUnknown, alike for what is no code at all."""
        code = read_receipt_code(typed) or _NOBODYS
        with self._database.reading() as connection:
            found = repository.of_code(connection, code)
            if found is None:
                raise ReceiptUnknown("no complaint with this code")
            return complaints.status(connection, found, vietnam_date(self._clock()))

    def _concerned(self, officer: Officer, visit: Visit, filing: ComplaintFiling) -> tuple[str, ...]:
        """Who may not answer, as far as that is known now; raises FieldsRefused on the reference."""
        if filing.about is ComplaintAbout.ACCESS:
            looks = [each for each in self._records.looks(visit) if each.id == filing.reference]
            _require_own(looks)
            return tuple(each.officer for each in looks if each.officer)
        history = self._records.history(officer, visit)
        if filing.about is ComplaintAbout.ATTRIBUTE:
            _require_own([each for each in history.attributes if each.name == filing.reference])
            return ()
        with self._database.reading() as connection:
            held = repository.dossiers_of(connection, (history.citizen_number, *history.aliases))
        _require_own([each for each in held if each.id == filing.reference])
        return ()


def _all_concerned(connection: Connection, complaint: Complaint) -> set[str]:
    concerned = {complaint.filed_by, *complaint.concerned}
    if complaint.subject is ComplaintAbout.DOSSIER:
        dossier = complaint.reference
        concerned |= acts.took_part(connection, acts.found(connection, dossier))
        for subject in (acts.subject(dossier), candidate_desk.subject(dossier)):
            concerned |= {step.actor for step in recorded_events.of_subject(connection, subject)}
    return concerned


def _answerable(connection: Connection, complaint_id: str, officer: Officer) -> Complaint:
    complaint = _found(connection, complaint_id, officer)
    COMPLAINTS.advance(complaint.state, ComplaintEvent.ANSWER)
    if officer.id in _all_concerned(connection, complaint):
        raise SameOfficer("who is concerned by a complaint does not answer it")
    return complaint


def _found(connection: Connection, complaint_id: str, officer: Officer) -> Complaint:
    complaint = repository.complaint(connection, complaint_id)
    if complaint is None or not _is_of_area(complaint, officer.area):
        raise ComplaintUnknown("no complaint with this id")
    return complaint


def _is_of_area(complaint: Complaint, area: str | None) -> bool:
    return area is None or (complaint.unit is not None and lies_in(complaint.unit, area))


def _require_own(found: Sequence[object]) -> None:
    if not found:
        raise FieldsRefused({"reference": "FIELD_NOT_AS_RECORDED"})


def _require_text(field: str, text: str) -> None:
    if not text.strip():
        raise FieldsRefused({field: "FIELD_MISSING"})
    if len(text) > MOST_TEXT:
        raise FieldsRefused({field: "FIELD_TOO_LONG"})


def _is_same(one: Complaint, other: Complaint) -> bool:
    """Whether a complaint was sent again: a page loaded anew, a button pressed twice."""
    return (one.subject, one.reference, one.text) == (other.subject, other.reference, other.text)


def _step(complaint: Complaint, event: ComplaintEvent, officer: Officer, detail: dict[str, str]) -> Step:
    return Step(
        subject=complaint_subject(complaint.id),
        event=event.value,
        state=complaint.state.value,
        actor=officer.id,
        at=complaint.answered_at or complaint.filed_at,
        detail={**detail, **({"unit": complaint.unit} if complaint.unit else {})},
    )
