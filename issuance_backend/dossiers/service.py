"""The application office: takes captures, lets another officer decide, shows what happened."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
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
from issuance_backend.dossiers.pictures import Pictures, StoredPicture
from issuance_backend.dossiers.repository import Capture, Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.outbox.domain import Notice, Topic
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import SYSTEM, Step
from issuance_backend.refusals import CaptureReplayed, DossierUnknown
from monitoring.database import Database
from verification.errors import DossierAlreadyOpen, FieldsRefused, LimitExceeded, TransitionRefused
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

_READERS = (Role.CAPTURE, Role.APPROVER, Role.PRODUCTION)
"""Who may see a dossier. Examiners may not: they judge two pictures without knowing whose they are."""

RETURN_ITEMS = frozenset({"portrait", "particulars", "identification", "place_of_residence"})
MAX_CAPTURES = 500
"""No transaction takes in more: others wait for its end."""

_MAX_COMMENT = 500
_CAPTURE_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class _Act:
    """One officer's act on one dossier."""

    connection: Connection
    dossier: Dossier
    moment: datetime


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A capture as it came, and what identifies its content."""

    capture: DossierCapture
    content_sha256: str

    @property
    def detail(self) -> dict[str, str]:
        return {"content_sha256": self.content_sha256}


@dataclass(frozen=True, slots=True)
class _New:
    """A capture that was checked, and its picture on the way into the store."""

    sealed: _Sealed
    checked: CheckedCapture
    picture: StoredPicture


class ApplicationOffice:
    """Everything that officers do to dossiers."""

    def __init__(
        self,
        database: Database,
        checks: CaptureChecks,
        pictures: Pictures,
        clock: Clock,
        approved: Approved,
    ) -> None:
        self._database = database
        self._pictures = pictures
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
        (dossier,) = self.capture_all(officer, (capture,))
        return self.view(officer, dossier)

    def capture_all(self, officer: Officer, captures: Sequence[DossierCapture]) -> list[str]:
        """Open dossiers in one transaction, all or none, and return their ids; raises as ``capture`` does.

        At most MAX_CAPTURES. One commit serves all: whoever takes in what was captured elsewhere
        acknowledges after it, and sends a batch that is refused again, one capture at a time.
        """
        if len(captures) > MAX_CAPTURES:
            raise LimitExceeded(f"{len(captures)} captures at once")
        sealed = [_Sealed(capture, domain.content_digest(capture)) for capture in captures]
        known = self._replayed(officer, sealed)
        new = [self._checked(each) for each in sealed if each.capture.capture_id not in known]
        if new:
            moment = self._clock()
            with self._database.writing() as connection:
                known |= _open(connection, new, officer, moment)
        return [known[capture.capture_id] for capture in captures]

    def recapture(self, officer: Officer, dossier_id: str, capture: DossierCapture) -> DossierView:
        """Capture a returned dossier again; raises as ``capture`` does."""
        sealed = _Sealed(capture, domain.content_digest(capture))
        known = self._replayed(officer, [sealed])
        if known:
            return self.view(officer, known[capture.capture_id])
        new = self._checked(sealed)
        moment = self._clock()
        with self._database.writing() as connection:
            _require_new(connection, [new])
            former = _found(connection, dossier_id)
            if former.citizen_number != capture.citizen_number:
                raise FieldsRefused({"citizen_number": "FIELD_NOT_AS_REGISTERED"})
            changed = replace(
                former,
                person=new.checked.person,
                portrait=Pictures.keep(connection, new.picture),
                portrait_check=new.checked.portrait_check,
                returned=None,
                captured_by=officer.id,
            )
            act = _Act(connection, changed, moment)
            dossier = _step(act, DossierEvent.CAPTURE, officer.id, new.sealed.detail)
            repository.add_captures(connection, [_accepted(new, dossier.id, officer)])
            detail = _validated(new.checked)
            _step(_Act(connection, dossier, moment), DossierEvent.VALIDATE, SYSTEM, detail)
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

    def work_list(self, officer: Officer, state: str, asked: PageAsked) -> Page[DossierSummary]:
        """Dossiers in one state, or all of them for an empty text; raises FieldsRefused."""
        officer.require(*_READERS)
        if state and state not in set(DossierState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            found = repository.listed(connection, DossierState(state) if state else None, asked)
            return Page(tuple(_summary(connection, each) for each in found.entries), found.cursor)

    def view(self, officer: Officer, dossier_id: str) -> DossierView:
        """A whole dossier; raises DossierUnknown."""
        officer.require(*_READERS)
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            return _view(connection, _found(connection, dossier_id), today)

    def portrait(self, officer: Officer, dossier_id: str) -> bytes:
        """The captured picture (JPEG)."""
        officer.require(*_READERS)
        return self.picture(dossier_id)

    def picture(self, dossier_id: str) -> bytes:
        """The captured picture, for a desk of ours that has decided who may see it."""
        with self._database.reading() as connection:
            name = _found(connection, dossier_id).portrait
        return self._pictures.read(name)

    def _replayed(self, officer: Officer, sealed: Sequence[_Sealed]) -> dict[str, str]:
        """The dossiers of captures that were accepted before."""
        officer.require(Role.CAPTURE)
        if not all(_CAPTURE_ID.fullmatch(each.capture.capture_id) for each in sealed):
            raise FieldsRefused({"capture_id": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            known = repository.captures(connection, [each.capture.capture_id for each in sealed])
        for each in sealed:
            accepted = known.get(each.capture.capture_id)
            if accepted and (accepted.officer, accepted.content_sha256) != (officer.id, each.content_sha256):
                raise CaptureReplayed("this capture id stands for something else")
        return {capture_id: accepted.dossier for capture_id, accepted in known.items()}

    def _checked(self, sealed: _Sealed) -> _New:
        checked = self._checks.check(sealed.capture)
        return _New(sealed, checked, self._pictures.put(checked.portrait))


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


def _open(
    connection: Connection, captures: Sequence[_New], officer: Officer, moment: datetime
) -> dict[str, str]:
    """Write the dossiers of new captures with their first two steps; ids by capture id."""
    _require_new(connection, captures)
    numbers = [new.checked.citizen_number for new in captures]
    if repository.open_dossiers(connection, numbers):
        raise DossierAlreadyOpen("one dossier at a time")
    names = {new.picture.name: new.picture for new in captures}
    kept = {name: Pictures.keep(connection, picture) for name, picture in names.items()}
    captured = [_new_dossier(new, kept[new.picture.name], officer, moment) for new in captures]
    state = domain.advance(DossierState.CAPTURED, DossierEvent.VALIDATE)
    validated = [replace(dossier, state=state, version=dossier.version + 1) for dossier in captured]
    repository.add(connection, validated)
    opened = list(zip(captures, captured, validated, strict=True))
    repository.add_captures(connection, [_accepted(new, dossier.id, officer) for new, dossier, _ in opened])
    steps: list[Step] = []
    for new, before, after in opened:
        steps.append(_recorded(before, DossierEvent.CAPTURE, officer.id, new.sealed.detail))
        steps.append(_recorded(after, DossierEvent.VALIDATE, SYSTEM, _validated(new.checked)))
    recorded_events.append(connection, *steps)
    return {new.sealed.capture.capture_id: dossier.id for new, dossier, _ in opened}


def _new_dossier(new: _New, portrait: str, officer: Officer, moment: datetime) -> Dossier:
    return Dossier(
        id=secrets.token_hex(8),
        citizen_number=new.checked.citizen_number,
        state=domain.advance(None, DossierEvent.CAPTURE),
        version=1,
        person=new.checked.person,
        portrait=portrait,
        portrait_check=new.checked.portrait_check,
        returned=None,
        captured_by=officer.id,
        approved_by=None,
        created_at=rfc3339(moment),
        updated_at=rfc3339(moment),
    )


def _require_new(connection: Connection, captures: Sequence[_New]) -> None:
    # The same button pressed twice at once: both looked before either wrote.
    if repository.captures(connection, [new.sealed.capture.capture_id for new in captures]):
        raise TransitionRefused("this capture was accepted meanwhile")


def _accepted(new: _New, dossier: str, officer: Officer) -> Capture:
    return Capture(new.sealed.capture.capture_id, dossier, new.sealed.content_sha256, officer.id)


def _validated(checked: CheckedCapture) -> dict[str, str]:
    check = checked.portrait_check
    return {"registry": "agrees", "portrait": check.method, "engine": check.engine or "none"}


def _step(act: _Act, event: DossierEvent, actor: str, detail: dict[str, str] | None = None) -> Dossier:
    state = domain.advance(act.dossier.state, event)
    stepped = replace(act.dossier, state=state, updated_at=rfc3339(act.moment))
    repository.save(act.connection, stepped)
    recorded_events.append(act.connection, _recorded(stepped, event, actor, detail or {}))
    return replace(stepped, version=stepped.version + 1)


def _recorded(dossier: Dossier, event: DossierEvent, actor: str, detail: dict[str, str]) -> Step:
    return Step(
        subject=f"dossier/{dossier.id}",
        event=event.value,
        state=dossier.state.value,
        actor=actor,
        at=dossier.updated_at,
        detail=detail,
        notice=Notice(topic=Topic.DOSSIER_STATE, key=dossier.id, data={"state": dossier.state.value}),
    )


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
