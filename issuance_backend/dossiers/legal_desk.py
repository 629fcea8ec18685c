"""What the law stops: rejection by two officers, and holds of a case until it lets go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.case_ids import require_case, require_filed
from issuance_backend.credentials import older_cards
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import GONE, CardState
from issuance_backend.credentials.older_cards import Ended
from issuance_backend.dossiers import acts, domain
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.approval_desk import CENTRAL_STATES, require_no_captor
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Search
from issuance_backend.dossiers.notices import domain as notices
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import SameOfficer
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.dossier_decisions import CaseHold, Rejection, RejectionReason

CARD_UNPRINTABLE = "card_unprintable"
"""Of an order alone: what no card can carry is sent back as long as nothing is approved."""

REASONS = frozenset(
    {"duplicate_person", "fraud", "not_entitled", "not_a_citizen", "false_documents", CARD_UNPRINTABLE}
)
_MAX_BASIS = 200
_MAX_COMMENT = 500

OrderEnded = Callable[[Connection, str, str, datetime], None]
"""Told in the same transaction that no card will be made for a dossier: dossier, officer, moment."""


class LegalDesk:
    """Rejections, and suspension by warrant, complaint or proceeding."""

    def __init__(self, database: Database, clock: Clock, order_ended: OrderEnded) -> None:
        self._database = database
        self._clock = clock
        self._order_ended = order_ended

    def propose_rejection(self, officer: Officer, dossier_id: str, reason: RejectionReason) -> None:
        """The first officer's word; a second one confirms it, any other step takes it back.

        Raises FieldsRefused, RoleMissing, SameOfficer for a captor, HitStillOpen, TransitionRefused.
        """
        _require_deciding(officer)
        _require_reason(reason)
        proposed = Rejection(
            reason=reason.reason,
            legal_basis=reason.legal_basis.strip(),
            comment=reason.comment.strip(),
            proposed_by=officer.id,
        )
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            act = Act(connection, replace(dossier, rejection=proposed), self._clock())
            _require_may_reject(act, officer, DossierEvent.PROPOSE_REJECTION)
            if reason.reason == CARD_UNPRINTABLE and dossier.state is not DossierState.CENTRAL_APPROVED:
                raise TransitionRefused("no card of it was ordered")
            take_step(act, DossierEvent.PROPOSE_REJECTION, officer.id, {"reason": reason.reason})

    def confirm_rejection(self, officer: Officer, dossier_id: str) -> None:
        """The second officer's word: final. Raises SameOfficer for the first one, and as proposing does."""
        _require_deciding(officer)
        with self._database.writing() as connection:
            act = Act(connection, acts.found(connection, dossier_id, officer), self._clock())
            _require_may_reject(act, officer, DossierEvent.REJECT)
            proposed = act.dossier.rejection
            if proposed is None:
                raise TransitionRefused("nobody has proposed a rejection")
            if proposed.proposed_by == officer.id:
                raise SameOfficer("a rejection needs two officers")
            if act.dossier.state is DossierState.CENTRAL_APPROVED:
                self._order_ended(connection, act.dossier.id, officer.id, act.moment)
                act = replace(act, dossier=_to_be_forgotten(act.dossier))
            number, detail = act.dossier.citizen_number, {"reason": proposed.reason}
            detail["proposed_by"] = proposed.proposed_by
            # Before anything is recorded, as by whoever changes a card.
            cards.hold_cards(connection, number)
            rejected = take_step(act, DossierEvent.REJECT, officer.id, detail)
            recorded_events.append(connection, notices.owed(rejected.id, rejected.unit, rejected.updated_at))
            ended = Ended(rejected.id, number, rejected.unit)
            older_cards.end(connection, ended, officer.id, act.moment, is_here=False)

    def suspend(self, officer: Officer, dossier_id: str, hold: CaseHold) -> None:
        """Stop a dossier for a case.

        Raises FieldsRefused, also for a complaint that nobody filed here, RoleMissing, TransitionRefused.
        """
        self._hold(officer, dossier_id, hold, DossierEvent.SUSPEND)

    def resume(self, officer: Officer, dossier_id: str, hold: CaseHold) -> None:
        """Let a dossier go on where it stood, by the case that stopped it; raises as ``suspend`` does."""
        self._hold(officer, dossier_id, hold, DossierEvent.RESUME)

    def _hold(self, officer: Officer, dossier_id: str, hold: CaseHold, event: DossierEvent) -> None:
        officer.require(Role.DISTRICT_CHIEF, Role.CENTRAL_APPROVER, Role.SUPERVISOR)
        require_case(hold.case_id)
        with self._database.writing() as connection:
            act = Act(connection, acts.found(connection, dossier_id, officer), self._clock())
            domain.advance(act.dossier.state, event, act.dossier.held_in)
            _require_its_case(act, hold.case_id, event)
            take_step(act, event, officer.id, {"case": hold.case_id})


def _require_deciding(officer: Officer) -> None:
    officer.require(Role.APPROVER, Role.DISTRICT_CHIEF, Role.CENTRAL_APPROVER)


def _require_may_reject(act: Act, officer: Officer, event: DossierEvent) -> None:
    domain.advance(act.dossier.state, event)
    if act.dossier.state in CENTRAL_STATES | {DossierState.CENTRAL_APPROVED}:
        officer.require(Role.CENTRAL_APPROVER)
    if act.dossier.state is DossierState.CENTRAL_APPROVED:
        _require_no_card(act)
    domain.require_examined(act.dossier.state, act.dossier.search)
    require_no_captor(act, officer)


def _require_no_card(act: Act) -> None:
    """What is approved is rejected only when its card was spoiled, destroyed or revoked on its way, or was
    never begun: whether nobody is about to make it, production says.
    """
    card = cards.of_dossier(act.connection, act.dossier.id)
    if card is not None and card.state not in GONE | {CardState.ORDERED}:
        raise TransitionRefused("a card is made, or on its way")


def _to_be_forgotten(dossier: Dossier) -> Dossier:
    """Whoever was not enrolled yet is a pending member still; whoever was stands there under the number."""
    if dossier.enrolment_due or dossier.search is Search.NO_GALLERY:
        return dossier
    return replace(dossier, pending_member=dossier.citizen_number)


def _require_its_case(act: Act, case: str, event: DossierEvent) -> None:
    if event is DossierEvent.SUSPEND:
        require_filed(act.connection, case)
    elif case != _holding_case(act):
        raise FieldsRefused({"case_id": "FIELD_NOT_AS_RECORDED"})


def _holding_case(act: Act) -> str | None:
    steps = recorded_events.of_subject(act.connection, acts.subject(act.dossier.id))
    held = (step for step in reversed(steps) if step.event == DossierEvent.SUSPEND.value)
    return next((step.detail.get("case") for step in held), None)


def _require_reason(reason: RejectionReason) -> None:
    faults = {} if reason.reason in REASONS else {"reason": "FIELD_CHARACTERS"}
    for field, text, most in (
        ("legal_basis", reason.legal_basis, _MAX_BASIS),
        ("comment", reason.comment, _MAX_COMMENT),
    ):
        if not text.strip():
            faults[field] = "FIELD_MISSING"
        elif len(text) > most:
            faults[field] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)
