"""The hand-over desk, and what relying parties are told of a card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.credentials import domain, repository
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.credentials.orders import take_step
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.refusals import CredentialUnknown
from monitoring.database import Database
from verification.messages.credential_status import (
    CredentialState,
    CredentialStatusAnswer,
    CredentialStatusQuery,
)
from verification.messages.enrollment import CardSummary
from verification.messages.national_time import vietnam_date

Delivered = Callable[[Connection, str, str, datetime], None]
"""Told in the same transaction that a dossier's card was handed over: dossier, officer, moment."""


class DeliveryDesk:
    """Hands cards over, takes loss reports and answers questions about cards."""

    def __init__(self, database: Database, clock: Clock, delivered: Delivered) -> None:
        self._database = database
        self._clock = clock
        self._delivered = delivered

    def hand_over(self, officer: Officer, card_id: str) -> CardSummary:
        """Make a card ACTIVE and every older one of the number REPLACED, in one transaction.

        Raises TransitionRefused unless quality control passed the card.
        """
        officer.require(Role.CAPTURE, Role.PRODUCTION)
        moment = self._clock()
        with self._database.writing() as connection:
            repository.hold_number(connection, card_id)
            card = _known(connection, card_id)
            # Checked first, so that a refused hand-over never touches the older card.
            domain.advance(card.state, CardEvent.HAND_OVER)
            for older in repository.of_number(connection, card.citizen_number):
                if older.id != card.id and older.state in {CardState.ACTIVE, CardState.LOST}:
                    take_step(
                        connection,
                        older,
                        CardEvent.REPLACE,
                        actor=officer.id,
                        moment=moment,
                        detail={"by": card.id},
                    )
            card = take_step(connection, card, CardEvent.HAND_OVER, actor=officer.id, moment=moment)
            self._delivered(connection, card.dossier, officer.id, moment)
            return _summary(connection, card, vietnam_date(moment))

    def report_lost(self, officer: Officer, card_id: str) -> CardSummary:
        """Record that the citizen lost this card; raises TransitionRefused unless it is ACTIVE."""
        officer.require(Role.CAPTURE, Role.PRODUCTION)
        moment = self._clock()
        with self._database.writing() as connection:
            card = take_step(
                connection,
                _known(connection, card_id),
                CardEvent.REPORT_LOST,
                actor=officer.id,
                moment=moment,
            )
            return _summary(connection, card, vietnam_date(moment))

    def cards_of(self, officer: Officer, citizen_number: str, asked: PageAsked) -> Page[CardSummary]:
        """The cards ever made for a number, newest first."""
        officer.require(Role.CAPTURE, Role.PRODUCTION, Role.APPROVER)
        today = vietnam_date(self._clock())
        with self._database.reading() as connection:
            found = repository.page_of_number(connection, citizen_number, asked)
            return Page(tuple(_summary(connection, card, today) for card in found.entries), found.cursor)

    def status(self, query: CredentialStatusQuery) -> CredentialStatusAnswer:
        """What a relying party may know: the state and since when."""
        with self._database.reading() as connection:
            card = repository.by_status_key(connection, query.status_key)
        if card is None:
            return CredentialStatusAnswer(state=CredentialState.UNKNOWN)
        state = domain.meaning(card.state, card.expires_on, vietnam_date(self._clock()))
        if state is CredentialState.EXPIRED and card.expires_on is not None:
            return CredentialStatusAnswer(state=state, since=card.expires_on.isoformat())
        return CredentialStatusAnswer(state=state, since=card.since)


def summary(card: Card, full_name: str, today: date) -> CardSummary:
    """A card as an officer sees it; an active card past its last day reads as expired."""
    meaning = domain.meaning(card.state, card.expires_on, today)
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
    )


def _summary(connection: Connection, card: Card, today: date) -> CardSummary:
    return summary(card, repository.holder_name(connection, card), today)


def _known(connection: Connection, card_id: str) -> Card:
    card = repository.find(connection, card_id)
    if card is None:
        raise CredentialUnknown("no card with this id")
    return card
