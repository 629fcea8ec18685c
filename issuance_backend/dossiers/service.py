"""The application office: takes captures, lets another officer decide, shows what happened."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import orders
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.orders import Order
from issuance_backend.credentials.service import summary
from issuance_backend.dossiers import domain, repository
from issuance_backend.dossiers.capture_checks import CaptureChecks, CheckedCapture
from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.dossiers.repository import Capture, Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import SYSTEM, Step
from issuance_backend.refusals import CaptureReplayed, DossierUnknown
from monitoring.database import Database
from verification.errors import DossierAlreadyOpen, FieldsRefused, TransitionRefused
from verification.messages.enrollment import (
    DossierCapture,
    DossierReturn,
    DossierSummary,
    DossierView,
    PersonExtract,
)
from verification.messages.national_time import vietnam_date

Approved = Callable[[str], None]
"""Told after an approval is recorded: the dossier whose card is to be made."""

RETURN_ITEMS = frozenset({"portrait", "particulars", "identification", "place_of_residence"})
_MAX_COMMENT = 500
_CAPTURE_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class _Act:
    """One officer's act on one dossier."""

    connection: Connection
    dossier: Dossier
    moment: datetime


class ApplicationOffice:
    """Everything that officers do to dossiers."""

    def __init__(self, database: Database, checks: CaptureChecks, clock: Clock, approved: Approved) -> None:
        self._database = database
        self._checks = checks
        self._clock = clock
        self._approved = approved

    @property
    def portrait_engine(self) -> str | None:
        """Which face engine judges portraits here, if any."""
        return self._checks.portrait_engine

    def prefill(self, officer: Officer, citizen_number: str) -> PersonExtract:
        """The registry's entry, with the dossier in progress; raises FieldsRefused on the number."""
        officer.require(Role.CAPTURE)
        extract = self._checks.extract(citizen_number)
        with self._database.reading() as connection:
            open_dossier = repository.open_dossier(connection, extract.citizen_number)
        return msgspec.structs.replace(extract, open_dossier=open_dossier)

    def capture(self, officer: Officer, capture: DossierCapture) -> DossierView:
        """Open a dossier; the same capture again answers with the same dossier.

        Raises FieldsRefused, CaptureReplayed, DossierAlreadyOpen or RegistryUnavailable.
        """
        known = self._replayed(officer, capture)
        if known is not None:
            return self.view(officer, known)
        checked = self._checks.check(capture)
        moment = self._clock()
        with self._database.writing() as connection:
            _require_new(connection, capture)
            if repository.open_dossier(connection, capture.citizen_number):
                raise DossierAlreadyOpen("one dossier at a time")
            dossier = _new_dossier(connection, checked, officer, moment)
            repository.add(connection, dossier)
            _seal(connection, dossier, capture, officer)
            self._validate(_Act(connection, dossier, moment), checked)
        return self.view(officer, dossier.id)

    def recapture(self, officer: Officer, dossier_id: str, capture: DossierCapture) -> DossierView:
        """Capture a returned dossier again; raises as ``capture`` does."""
        known = self._replayed(officer, capture)
        if known is not None:
            return self.view(officer, known)
        checked = self._checks.check(capture)
        moment = self._clock()
        with self._database.writing() as connection:
            _require_new(connection, capture)
            former = _found(connection, dossier_id)
            if former.citizen_number != capture.citizen_number:
                raise FieldsRefused({"citizen_number": "FIELD_NOT_AS_REGISTERED"})
            changed = replace(
                former,
                person=checked.person,
                portrait=repository.store_portrait(connection, capture.portrait),
                portrait_check=checked.portrait_check,
                returned=None,
                captured_by=officer.id,
            )
            act = _Act(connection, changed, moment)
            dossier = _step(act, DossierEvent.CAPTURE, officer.id, _sealed(capture))
            _remember(connection, dossier, capture, officer)
            self._validate(_Act(connection, dossier, moment), checked)
        return self.view(officer, dossier_id)

    def approve(self, officer: Officer, dossier_id: str) -> DossierView:
        """Approve a dossier and order its card; raises SameOfficer, RoleMissing, TransitionRefused."""
        officer.require(Role.APPROVER)
        moment = self._clock()
        with self._database.writing() as connection:
            dossier = _found(connection, dossier_id)
            domain.advance(dossier.state, DossierEvent.APPROVE)
            domain.require_other_officer(officer.id, _captors(connection, dossier))
            approved = replace(dossier, approved_by=officer.id)
            dossier = _step(_Act(connection, approved, moment), DossierEvent.APPROVE, officer.id)
            order = Order(
                dossier=dossier.id,
                citizen_number=dossier.citizen_number,
                date_of_birth=date.fromisoformat(dossier.person.date_of_birth),
            )
            orders.place(connection, order, officer.id, moment)
        self._approved(dossier_id)
        return self.view(officer, dossier_id)

    def send_back(self, officer: Officer, dossier_id: str, reasons: DossierReturn) -> DossierView:
        """Return a dossier with the items to redo; raises SameOfficer, FieldsRefused, TransitionRefused."""
        officer.require(Role.APPROVER)
        _require_reasons(reasons)
        moment = self._clock()
        with self._database.writing() as connection:
            dossier = _found(connection, dossier_id)
            domain.advance(dossier.state, DossierEvent.RETURN)
            domain.require_other_officer(officer.id, _captors(connection, dossier))
            act = _Act(connection, replace(dossier, returned=reasons), moment)
            _step(act, DossierEvent.RETURN, officer.id, {"items": ",".join(reasons.items)})
        return self.view(officer, dossier_id)

    def withdraw(self, officer: Officer, dossier_id: str) -> DossierView:
        """Close a dossier that the citizen no longer wants; raises TransitionRefused once approved."""
        officer.require(Role.CAPTURE)
        with self._database.writing() as connection:
            dossier = _found(connection, dossier_id)
            _step(_Act(connection, dossier, self._clock()), DossierEvent.WITHDRAW, officer.id)
        return self.view(officer, dossier_id)

    def complete(self, connection: Connection, dossier_id: str, officer: str, moment: datetime) -> None:
        """Close the dossier whose card was handed over, in the hand-over's own transaction."""
        _step(_Act(connection, _found(connection, dossier_id), moment), DossierEvent.COMPLETE, officer)

    def work_list(self, officer: Officer, state: str) -> list[DossierSummary]:
        """Dossiers in one state, or all of them for an empty text; raises FieldsRefused."""
        officer.require(*Role)
        if state and state not in set(DossierState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            found = repository.listed(connection, DossierState(state) if state else None)
            return [_summary(connection, dossier) for dossier in found]

    def view(self, officer: Officer, dossier_id: str) -> DossierView:
        """A whole dossier; raises DossierUnknown."""
        officer.require(*Role)
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            return _view(connection, _found(connection, dossier_id), today)

    def portrait(self, officer: Officer, dossier_id: str) -> bytes:
        """The captured picture (JPEG)."""
        officer.require(*Role)
        with self._database.reading() as connection:
            return repository.portrait(connection, _found(connection, dossier_id).portrait)

    def _replayed(self, officer: Officer, capture: DossierCapture) -> str | None:
        officer.require(Role.CAPTURE)
        if not _CAPTURE_ID.fullmatch(capture.capture_id):
            raise FieldsRefused({"capture_id": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            known = repository.capture(connection, capture.capture_id)
        if known is None:
            return None
        if (known.officer, known.content_sha256) != (officer.id, domain.content_digest(capture)):
            raise CaptureReplayed("this capture id stands for something else")
        return known.dossier

    @staticmethod
    def _validate(act: _Act, checked: CheckedCapture) -> None:
        check = checked.portrait_check
        detail = {"registry": "agrees", "portrait": check.method, "engine": check.engine or "none"}
        _step(act, DossierEvent.VALIDATE, SYSTEM, detail)


def _require_reasons(reasons: DossierReturn) -> None:
    faults = {}
    if not reasons.items or not RETURN_ITEMS.issuperset(reasons.items):
        faults["items"] = "FIELD_MISSING"
    if not reasons.comment.strip():
        faults["comment"] = "FIELD_MISSING"
    elif len(reasons.comment) > _MAX_COMMENT:
        faults["comment"] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)


def _new_dossier(
    connection: Connection, checked: CheckedCapture, officer: Officer, moment: datetime
) -> Dossier:
    return Dossier(
        id=secrets.token_hex(8),
        citizen_number=checked.citizen_number,
        state=domain.advance(None, DossierEvent.CAPTURE),
        version=1,
        person=checked.person,
        portrait=repository.store_portrait(connection, checked.portrait),
        portrait_check=checked.portrait_check,
        returned=None,
        captured_by=officer.id,
        approved_by=None,
        created_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )


def _require_new(connection: Connection, capture: DossierCapture) -> None:
    # The same button pressed twice at once: both looked before either wrote.
    if repository.capture(connection, capture.capture_id) is not None:
        raise TransitionRefused("this capture was accepted meanwhile")


def _seal(connection: Connection, dossier: Dossier, capture: DossierCapture, officer: Officer) -> None:
    _remember(connection, dossier, capture, officer)
    _append(connection, dossier, DossierEvent.CAPTURE, officer.id, _sealed(capture))


def _remember(connection: Connection, dossier: Dossier, capture: DossierCapture, officer: Officer) -> None:
    accepted = Capture(capture.capture_id, dossier.id, domain.content_digest(capture), officer.id)
    repository.add_capture(connection, accepted)


def _sealed(capture: DossierCapture) -> dict[str, str]:
    return {"content_sha256": domain.content_digest(capture)}


def _step(act: _Act, event: DossierEvent, actor: str, detail: dict[str, str] | None = None) -> Dossier:
    state = domain.advance(act.dossier.state, event)
    stepped = replace(act.dossier, state=state, updated_at=rfc3339(act.moment))
    repository.save(act.connection, stepped)
    _append(act.connection, stepped, event, actor, detail or {})
    return replace(stepped, version=stepped.version + 1)


def _append(
    connection: Connection, dossier: Dossier, event: DossierEvent, actor: str, detail: dict[str, str]
) -> None:
    step = Step(
        subject=f"dossier/{dossier.id}",
        event=event.value,
        state=dossier.state.value,
        actor=actor,
        at=dossier.updated_at,
        detail=detail,
    )
    recorded_events.append(connection, step)


def _captors(connection: Connection, dossier: Dossier) -> set[str]:
    steps = recorded_events.of_subject(connection, f"dossier/{dossier.id}")
    return {step.actor for step in steps if step.event == DossierEvent.CAPTURE.value}


def _found(connection: Connection, dossier_id: str) -> Dossier:
    dossier = repository.find(connection, dossier_id)
    if dossier is None:
        raise DossierUnknown("no dossier with this id")
    return dossier


def _summary(connection: Connection, dossier: Dossier) -> DossierSummary:
    card = cards.of_dossier(connection, dossier.id)
    return DossierSummary(
        id=dossier.id,
        state=dossier.state.value,
        citizen_number=dossier.citizen_number,
        full_name=dossier.person.full_name,
        captured_by=dossier.captured_by,
        updated_at=dossier.updated_at,
        credential=card.id if card else None,
        credential_state=card.state.value if card else None,
    )


def _view(connection: Connection, dossier: Dossier, today: date) -> DossierView:
    card = cards.of_dossier(connection, dossier.id)
    return DossierView(
        id=dossier.id,
        state=dossier.state.value,
        citizen_number=dossier.citizen_number,
        person=dossier.person,
        captured_by=dossier.captured_by,
        approved_by=dossier.approved_by,
        created_at=dossier.created_at,
        updated_at=dossier.updated_at,
        portrait_check=dossier.portrait_check,
        steps=recorded_events.of_subject(connection, f"dossier/{dossier.id}"),
        card=summary(card, dossier.person.full_name, today) if card else None,
        card_steps=recorded_events.of_subject(connection, f"card/{card.id}") if card else (),
        returned=dossier.returned,
        credential=card.id if card else None,
        credential_state=card.state.value if card else None,
    )
