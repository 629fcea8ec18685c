"""The counter where a citizen whom the gateway verified sees their own record, and who looked at it."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.application_status.service import StatusDesk
from issuance_backend.citizen_access import complaints, domain, repository
from issuance_backend.citizen_access.domain import Visit
from issuance_backend.citizen_access.refusals import (
    CitizenVisitEnded,
    OwnRecordProofRefused,
    OwnRecordTooOften,
)
from issuance_backend.citizen_access.registry_records import RegistryRecords
from issuance_backend.credentials import domain as card_life
from issuance_backend.credentials import holds
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardState
from issuance_backend.credentials.handover_receipts import ReceiptDesk
from issuance_backend.credentials.repository import Card
from issuance_backend.dossiers import candidate_desk
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import HandOverProofRefused
from monitoring.database import Database
from verification.messages.citizen_access import PURPOSE, Access, CitizenVisit, OwnCard, OwnDossier, OwnRecord
from verification.messages.national_time import vietnam_date
from verification.messages.registry_access import PersonRead, Purpose, ReadingFor
from verification.messages.registry_records import PersonHistory

COUNTERS = (Role.CAPTURE, Role.OFFICE)
"""At whose counters citizens ask."""

OFFICE = "issuance"
"""The agency of a look that this office recorded itself."""


class OwnRecordDesk:
    """Opens a visit against a receipt that is good once, and shows what is the citizen's own."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        receipts: ReceiptDesk,
        records: RegistryRecords,
        status: StatusDesk,
    ) -> None:
        self._database = database
        self._clock = clock
        self._receipts = receipts
        self._records = records
        self._status = status

    def open(self, officer: Officer, receipt: str) -> CitizenVisit:
        """Let whoever the receipt proves see their own record for a quarter of an hour.

        Raises OwnRecordProofRefused, OwnRecordProofUsed, OwnRecordTooOften, ReceiptInvalid, HolderDeceased.
        """
        officer.require(*COUNTERS)
        moment = self._clock()
        try:
            session, status_key = self._receipts.holder(receipt, PURPOSE, moment)
        except HandOverProofRefused as fault:
            raise OwnRecordProofRefused(str(fault)) from None
        with self._database.writing() as connection:
            card = _held_card(connection, status_key)
            if repository.visits_since(connection, card.citizen_number, moment - domain.DAY) >= (
                domain.VISITS_A_DAY
            ):
                raise OwnRecordTooOften("this citizen came often enough today")
            visit = _new_visit(session, card, officer, moment)
            repository.add_visit(connection, visit)
            recorded_events.append(connection, _step(visit, "open", "opened", moment))
        return CitizenVisit(visit.id, visit.ends_at)

    def record(self, officer: Officer, visit_id: str) -> OwnRecord:
        """All that is held of the citizen; the look is recorded. Raises CitizenVisitEnded."""
        visit = self.visit(officer, visit_id)
        history = self.history(officer, visit)
        numbers = (history.citizen_number, *history.aliases)
        moment = self._clock()
        today = vietnam_date(moment)
        with self._database.writing() as connection:
            recorded_events.append(connection, _step(visit, "look", "looked_at", moment))
        with self._database.reading() as connection:
            held = [card for number in numbers for card in cards.of_number(connection, number)]
            dossiers = repository.dossiers_of(connection, numbers)
            filed = repository.complaints_of(connection, numbers)
            return OwnRecord(
                citizen_number=history.citizen_number,
                as_of=rfc3339(moment),
                aliases=history.aliases,
                attributes=history.attributes,
                cards=tuple(_own_card(card, moment) for card in held),
                dossiers=tuple(
                    OwnDossier(
                        id=each.id,
                        captured_at=each.created_at,
                        status=self._status.of_dossier(connection, each.id),
                    )
                    for each in dossiers
                ),
                complaints=tuple(complaints.own(connection, each, today) for each in filed),
            )

    def accesses(self, officer: Officer, visit_id: str) -> tuple[Access, ...]:
        """Who looked at the citizen's data, the newest first; raises CitizenVisitEnded."""
        visit = self.visit(officer, visit_id)
        looks = self.looks(visit)
        with self._database.writing() as connection:
            recorded_events.append(connection, _step(visit, "look", "looked_at", self._clock()))
        return tuple(access_of(each) for each in looks)

    def visit(self, officer: Officer, visit_id: str) -> Visit:
        """The visit that goes on at this officer's counter; raises CitizenVisitEnded."""
        officer.require(*COUNTERS)
        with self._database.reading() as connection:
            visit = repository.visit(connection, visit_id)
        if visit is None or not visit.is_open(officer.id, self._clock()):
            raise CitizenVisitEnded("no visit of this id at this counter")
        return visit

    def history(self, officer: Officer, visit: Visit) -> PersonHistory:
        """The citizen's record, read in the officer's name for the citizen; raises RegistryUnavailable."""
        reading = ReadingFor(
            purpose=Purpose.OWN_RECORD,
            unit=officer.unit,
            roles=",".join(sorted(officer.roles)),
            officer=officer.id,
        )
        return self._records.history(visit.citizen_number, reading)

    def looks(self, visit: Visit) -> list[PersonRead]:
        """Who looked, with the officers whom a complaint would concern: never told to the citizen."""
        found = self._records.reads(visit.citizen_number)
        numbers = self._records.numbers(visit.citizen_number)
        with self._database.reading() as connection:
            for dossier in repository.dossiers_of(connection, numbers):
                found += _looks_at(connection, dossier.id)
        return sorted(found, key=lambda each: each.read_at, reverse=True)


def access_of(read: PersonRead) -> Access:
    """A look as the citizen is told of it."""
    return Access(
        id=read.id,
        at=read.read_at,
        agency=read.agency or read.reader,
        purpose=read.purpose,
        unit=read.unit,
        roles=read.roles,
        kit=read.kit,
        until=read.until,
        attributes=read.attributes,
    )


def _held_card(connection: Connection, status_key: str) -> Card:
    card = cards.by_status_key(connection, status_key)
    if card is None or card.state is not CardState.ACTIVE:
        raise OwnRecordProofRefused("no active card of ours")
    # Whoever opens two visits at once is served one after the other.
    cards.hold_number(connection, card.id)
    holds.require_none(connection, card.citizen_number)
    return card


def _new_visit(session: str, card: Card, officer: Officer, moment: datetime) -> Visit:
    return Visit(
        id=secrets.token_hex(8),
        session=session,
        citizen_number=card.citizen_number,
        officer=officer.id,
        unit=officer.unit,
        opened_at=rfc3339(moment),
        ends_at=rfc3339(moment + domain.VISIT_LENGTH),
    )


def _own_card(card: Card, moment: datetime) -> OwnCard:
    meaning = card_life.meaning(card.state, card.reason, card.expires_on, vietnam_date(moment))
    return OwnCard(
        state=meaning.value,
        since=card.since,
        issued_on=card.issued_on.isoformat(),
        expires_on=card.expires_on.isoformat() if card.expires_on else None,
    )


def _looks_at(connection: Connection, dossier: str) -> list[PersonRead]:
    steps = recorded_events.of_subject(connection, candidate_desk.subject(dossier))
    return [
        PersonRead(
            id=f"look-{dossier}-{place}",
            read_at=step.at,
            reader=OFFICE,
            purpose=Purpose.COMPARISON,
            unit=step.detail.get("unit"),
            officer=step.actor,
        )
        for place, step in enumerate(steps)
    ]


def _step(visit: Visit, event: str, state: str, moment: datetime) -> Step:
    return Step(
        subject=domain.visit_subject(visit.id),
        event=event,
        state=state,
        actor=visit.officer,
        at=rfc3339(moment),
        detail={"unit": visit.unit} if visit.unit else {},
    )
