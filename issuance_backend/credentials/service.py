"""The hand-over desk, and what relying parties are told of a card."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import domain, holds, older_cards, proof_repository, repository
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.credentials.handover_receipts import FRESH, ReceiptDesk
from issuance_backend.credentials.older_cards import Settled
from issuance_backend.credentials.orders import take_step, take_steps
from issuance_backend.credentials.proof_repository import MANUAL, RECEIPT, Proof
from issuance_backend.credentials.repository import Card
from issuance_backend.credentials.territory import require_area
from issuance_backend.credentials.visits import turn_away, visits
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.refusals import CredentialUnknown, HandOverProofMissing, HandOverProofRefused
from monitoring.database import Database
from verification.errors import FieldsRefused
from verification.messages.credential_status import (
    CredentialState,
    CredentialStatusAnswer,
    CredentialStatusQuery,
)
from verification.messages.delivery import HandOver, HolderConfirmation
from verification.messages.enrollment import CardSummary
from verification.messages.national_time import vietnam_date

Delivered = Callable[[Connection, str, str, datetime], None]
"""Told in the same transaction that a dossier's card was handed over: dossier, officer, moment."""

_COUNTERS = (Role.CAPTURE, Role.OFFICE)
"""Who hands cards over."""

_READERS = (
    *_COUNTERS,
    *(Role.PRODUCTION, Role.APPROVER, Role.SUPERVISOR, Role.STOCK_KEEPER, Role.QUALITY, Role.AUDITOR),
)


class DeliveryDesk:
    """Hands cards over against a proof of who stands there, and answers questions about cards."""

    def __init__(self, database: Database, clock: Clock, receipts: ReceiptDesk, delivered: Delivered) -> None:
        self._database = database
        self._clock = clock
        self._receipts = receipts
        self._delivered = delivered

    def confirm_holder(self, officer: Officer, card_id: str, said: HolderConfirmation) -> CardSummary:
        """Record that a supervisor has seen the holder of a card, for where no reader can prove it.

        Another officer hands over within ten minutes. Raises TransitionRefused unless the card is here.
        """
        officer.require(Role.SUPERVISOR)
        moment = self._clock()
        with self._database.writing() as connection:
            card = known(connection, card_id)
            domain.advance(card.state, CardEvent.HAND_OVER)
            require_area(officer, card.unit)
            proof = Proof(
                id=f"confirmation-{secrets.token_hex(8)}",
                kind=MANUAL,
                card=card.id,
                officer=officer.id,
                reason=said.reason.value,
                made_at=rfc3339(moment),
                used_at=None,
            )
            proof_repository.add(connection, proof)
            return card_summary(connection, card, vietnam_date(moment))

    def hand_over(self, officer: Officer, card_id: str, proof: HandOver) -> CardSummary:
        """Make a card ACTIVE and every older one of the number REPLACED, in one transaction.

        Raises TransitionRefused unless the card is at the office, HolderDeceased, and where the proof
        does not hold: HandOverProofMissing, HandOverProofRefused, HandOverProofUsed, ReceiptInvalid.
        Where the citizen kept the older card: OldCardNotTaken, FieldsRefused.
        """
        officer.require(*_COUNTERS)
        moment = self._clock()
        try:
            return self._hand_over(officer, card_id, proof, moment)
        except HandOverProofRefused as fault:
            with self._database.writing() as connection:
                repository.hold_number(connection, card_id)
                turn_away(connection, known(connection, card_id), fault.code, moment, officer.id)
            raise

    def _hand_over(self, officer: Officer, card_id: str, proof: HandOver, moment: datetime) -> CardSummary:
        with self._database.writing() as connection:
            repository.hold_dossier(connection, card_id)
            repository.hold_number(connection, card_id)
            card = known(connection, card_id)
            # Checked first, so that a refused hand-over never touches the older card.
            domain.advance(card.state, CardEvent.HAND_OVER)
            require_area(officer, card.unit)
            holds.require_none(connection, card.citizen_number)
            before = older_cards.settled(connection, card, proof, officer.id, moment)
            proven = self._prove(connection, officer, card, proof, moment)
            older = [
                each
                for each in repository.of_number(connection, card.citizen_number)
                if each.id != card.id and each.state in older_cards.IN_HAND
            ]
            _replace(connection, older, before, card, officer.id, moment)
            proven["visits"] = str(visits(connection, card, moment))
            card = take_step(
                connection, card, CardEvent.HAND_OVER, actor=officer.id, moment=moment, detail=proven
            )
            self._delivered(connection, card.dossier, officer.id, moment)
            return card_summary(connection, card, vietnam_date(moment))

    def _prove(
        self, connection: Connection, officer: Officer, card: Card, shown: HandOver, moment: datetime
    ) -> dict[str, str]:
        """Take the proof, which is good once, and say what is recorded of it."""
        if shown.receipt is None:
            proof = proof_repository.confirmation(connection, card.id, officer.id, moment - FRESH)
            if proof is None:
                raise HandOverProofMissing("no receipt, and no other officer confirmed the holder")
            proof_repository.use(connection, proof, moment)
            return {"proof": MANUAL, "confirmed_by": proof.officer, "reason": proof.reason or ""}
        session = self._receipts.session(shown.receipt, card.status_key, moment)
        proof = Proof(
            id=session,
            kind=RECEIPT,
            card=card.id,
            officer=officer.id,
            reason=None,
            made_at=rfc3339(moment),
            used_at=rfc3339(moment),
        )
        proof_repository.add(connection, proof)
        return {"proof": RECEIPT, "session": session}

    def work_list(self, officer: Officer, state: str, asked: PageAsked) -> Page[CardSummary]:
        """The cards in one state, or those given back, of the officer's unit; raises FieldsRefused."""
        officer.require(*_READERS)
        if state not in {*CardState, domain.WITHDRAWN}:
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            if state == domain.WITHDRAWN:
                found = repository.page_of_withdrawn(connection, officer.area, asked)
            else:
                found = repository.page_of_state(connection, CardState(state), officer.area, asked)
            entries = tuple(card_summary(connection, card, today) for card in found.entries)
        return Page(entries, found.cursor)

    def cards_of(self, officer: Officer, citizen_number: str, asked: PageAsked) -> Page[CardSummary]:
        """The cards ever made for a number, newest first."""
        officer.require(*_READERS)
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            found = repository.page_of_number(connection, citizen_number, asked)
            return Page(tuple(card_summary(connection, card, today) for card in found.entries), found.cursor)

    def status(self, query: CredentialStatusQuery) -> CredentialStatusAnswer:
        """What a relying party may know: the state and since when."""
        with self._database.reading() as connection:
            card = repository.by_status_key(connection, query.status_key)
        if card is None:
            return CredentialStatusAnswer(state=CredentialState.UNKNOWN)
        state = domain.meaning(card.state, card.reason, card.expires_on, vietnam_date(self._clock()))
        if state is CredentialState.EXPIRED and card.expires_on is not None:
            return CredentialStatusAnswer(state=state, since=card.expires_on.isoformat())
        return CredentialStatusAnswer(state=state, since=card.since)


def summary(card: Card, full_name: str, today: date) -> CardSummary:
    """A card as an officer sees it; an active card past its last day reads as expired."""
    meaning = domain.meaning(card.state, card.reason, card.expires_on, today)
    return CardSummary(
        id=card.id,
        dossier=card.dossier,
        citizen_number=card.citizen_number,
        full_name=full_name,
        state=meaning.value if meaning is CredentialState.EXPIRED else card.state.value,
        attempt=card.attempt,
        issued_on=card.issued_on.isoformat(),
        expires_on=card.expires_on.isoformat() if card.expires_on else None,
        since=card.since,
        findings=card.findings,
        unit=card.unit,
        place=card.place,
        reason=card.reason.value if card.reason else None,
    )


def card_summary(connection: Connection, card: Card, today: date) -> CardSummary:
    """A card with its holder's name."""
    return summary(card, repository.holder_name(connection, card), today)


def known(connection: Connection, card_id: str) -> Card:
    """The card with this id; raises CredentialUnknown."""
    card = repository.find(connection, card_id)
    if card is None:
        raise CredentialUnknown("no card with this id")
    return card


def _replace(
    connection: Connection,
    older: Sequence[Card],
    before: Settled,
    card: Card,
    officer: str,
    moment: datetime,
) -> None:
    """Older cards die with the hand-over; one that was taken is with the office from then on."""
    place = before.place(card.unit)
    detail = {"by": card.id, **({"place": place} if place else {})}
    placed = [replace(each, place=place) if place else each for each in older]
    take_steps(connection, placed, CardEvent.REPLACE, actor=officer, moment=moment, detail=detail)
    if before.step is not None:
        recorded_events.append(connection, before.step)
