"""Cards that are good no longer: suspended for a while, or revoked for good."""

from __future__ import annotations

from dataclasses import replace

from issuance_backend.case_ids import require_case, require_filed
from issuance_backend.credentials import domain, holds, repository
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.orders import Gone, take_step
from issuance_backend.credentials.repository import Card
from issuance_backend.credentials.service import card_summary, known
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.delivery import CardSuspension
from verification.messages.enrollment import CardSummary
from verification.messages.national_time import vietnam_date

_NEED_A_CASE = frozenset({Reason.INVESTIGATION, Reason.FRAUD})


class SuspensionDesk:
    """Suspends, resumes and revokes cards, each with its reason."""

    def __init__(self, database: Database, clock: Clock, revoked: Gone) -> None:
        self._database = database
        self._clock = clock
        self._revoked = revoked

    def report_lost(self, officer: Officer, card_id: str) -> CardSummary:
        """Record that the citizen lost this card; raises TransitionRefused unless it is ACTIVE."""
        officer.require(Role.CAPTURE, Role.OFFICE, Role.PRODUCTION, Role.SUPERVISOR)
        return self._step(officer, card_id, CardEvent.SUSPEND, CardSuspension(Reason.LOSS.value))

    def suspend(self, officer: Officer, card_id: str, why: CardSuspension) -> CardSummary:
        """Suspend an active card for a reason, an investigation's with its case; raises FieldsRefused."""
        officer.require(Role.SUPERVISOR)
        _require_reason(why, domain.SUSPENSION_REASONS)
        return self._step(officer, card_id, CardEvent.SUSPEND, why)

    def resume(self, officer: Officer, card_id: str) -> CardSummary:
        """Make a suspended card good again; raises HolderDeceased, TransitionRefused."""
        officer.require(Role.SUPERVISOR)
        return self._step(officer, card_id, CardEvent.RESUME, None)

    def revoke(self, officer: Officer, card_id: str, why: CardSuspension) -> CardSummary:
        """End a card for good; raises FieldsRefused, TransitionRefused.

        The order of one that was still on its way is held: only such a card may be missing.
        """
        officer.require(Role.SUPERVISOR)
        _require_reason(why, domain.REVOCATION_REASONS | {Reason.MISSING})
        return self._step(officer, card_id, CardEvent.REVOKE, why)

    def _step(
        self, officer: Officer, card_id: str, event: CardEvent, why: CardSuspension | None
    ) -> CardSummary:
        moment = self._clock()
        with self._database.writing() as connection:
            repository.hold_number(connection, card_id)
            card = known(connection, card_id)
            if why is not None and why.case is not None:
                require_filed(connection, why.case, "case")
            if why is None:
                holds.require_none(connection, card.citizen_number)
            stepped = replace(card, reason=Reason(why.reason) if why else None)
            if card.state is CardState.ORDERED:
                raise TransitionRefused("nothing is made yet: an order ends with its dossier")
            if card.state in domain.ON_THE_WAY:
                self._revoked(connection, stepped, officer.id, moment)
            if stepped.reason is Reason.MISSING:
                _require_on_the_way(card)
                stepped = replace(stepped, place=domain.MISSING)
            elif stepped.reason is Reason.HANDED_IN and card.state not in domain.ON_THE_WAY:
                stepped = replace(stepped, place=domain.withdrawn_at(officer.unit or card.unit))
            card = take_step(
                connection,
                stepped,
                event,
                actor=officer.id,
                moment=moment,
                detail=_detail(why),
            )
            return card_summary(connection, card, vietnam_date(moment))


def _require_on_the_way(card: Card) -> None:
    if card.state not in domain.ON_THE_WAY:
        raise FieldsRefused({"reason": "FIELD_CHARACTERS"})


def _detail(why: CardSuspension | None) -> dict[str, str]:
    if why is None:
        return {}
    return {"reason": why.reason} | ({"case": why.case} if why.case else {})


def _require_reason(why: CardSuspension, allowed: frozenset[Reason]) -> None:
    faults = {}
    if why.reason not in allowed:
        faults["reason"] = "FIELD_CHARACTERS"
    if why.case is None and why.reason in _NEED_A_CASE:
        faults["case"] = "FIELD_MISSING"
    try:
        if why.case is not None:
            require_case(why.case, "case")
    except FieldsRefused as refused:
        faults |= refused.fields
    if faults:
        raise FieldsRefused(faults)
