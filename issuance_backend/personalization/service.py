"""The production office: one blank after the other, until quality control passes one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import Connection

from issuance_backend.credentials import orders
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardEvent, CardState
from issuance_backend.credentials.orders import Order, take_step
from issuance_backend.credentials.repository import Card
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, parse_moment
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.personalization.card_printer import CardWriter
from issuance_backend.personalization.data_preparation import CardOrder, SodSigner, person_record, prepare
from issuance_backend.personalization.quality_control import ExpectedCard, QualityControl, passed
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.refusals import DossierUnknown
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from monitoring import metrics
from monitoring.database import Database
from verification.errors import TransitionRefused, Unavailable, VerificationError
from verification.iso7816.transport import CardTransport
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key

WRITING_TIME = timedelta(minutes=2)
"""A card that is being written longer than this was left by a machine that stopped."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """The machines of the office."""

    sign: SodSigner
    writer: CardWriter
    control: QualityControl
    captured_portrait: Callable[[str], bytes]
    chip_portrait: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Job:
    card: Card
    dossier: Dossier
    captured: bytes


class ProductionOffice:
    """Makes the cards of approved dossiers."""

    def __init__(self, database: Database, workshop: Workshop, clock: Clock) -> None:
        self._database = database
        self._workshop = workshop
        self._clock = clock

    def produce_approved(self, dossier_id: str) -> None:
        """Make the card right after approval; what fails here waits for a production officer."""
        try:
            self._produce(dossier_id, SYSTEM)
        except VerificationError as fault:
            logger.warning("card not produced", extra={"dossier": dossier_id, "code": fault.code})

    def produce(self, officer: Officer, dossier_id: str) -> None:
        """Make the card, or the next blank after a spoiled one.

        Raises RoleMissing, ProductionUnavailable, and TransitionRefused when the card
        is good or being written.
        """
        officer.require(Role.PRODUCTION)
        self._produce(dossier_id, officer.id)

    def _produce(self, dossier_id: str, actor: str) -> None:
        job = self._next_job(dossier_id, actor)
        order = _card_order(job, self._workshop.chip_portrait(job.captured))
        image = prepare(order, self._workshop.sign)
        key = status_key(parse_security_object(image.files[LdsFile.SOD]).signature)
        card = self._record(replace(job.card, status_key=key), CardEvent.BEGIN, actor)
        card = self._write(card, image, actor)
        expected = ExpectedCard(order=order, captured=job.captured, status_key=key)
        self._judge(card, expected, actor)

    def _next_job(self, dossier_id: str, actor: str) -> _Job:
        with self._database.writing() as connection:
            dossier = dossiers.find(connection, dossier_id)
            if dossier is None:
                raise DossierUnknown("no dossier with this id")
            card = cards.of_dossier(connection, dossier_id)
            if card is None:
                raise TransitionRefused("no card is ordered")
            if card.state is not CardState.ORDERED:
                card = self._next_attempt(connection, card, dossier, actor)
        return _Job(card, dossier, self._workshop.captured_portrait(dossier.portrait))

    def _next_attempt(self, connection: Connection, card: Card, dossier: Dossier, actor: str) -> Card:
        moment = self._clock()
        in_work = card.state in {CardState.PERSONALISING, CardState.PERSONALISED}
        if in_work and moment - parse_moment(card.since) < WRITING_TIME:
            raise TransitionRefused("the card is being written")
        if card.state is not CardState.SPOILED:
            card = take_step(connection, card, CardEvent.SPOIL, actor=actor, moment=moment)
            self._workshop.writer.destroy(card.id)
        order = Order(
            dossier=dossier.id,
            citizen_number=dossier.citizen_number,
            date_of_birth=date.fromisoformat(dossier.person.date_of_birth),
            attempt=card.attempt + 1,
        )
        return orders.place(connection, order, actor, moment)

    def _write(self, card: Card, image: CardImage, actor: str) -> Card:
        try:
            self._workshop.writer.write(card.id, image)
        except Unavailable:
            self._record(card, CardEvent.SPOIL, actor)
            raise
        return self._record(card, CardEvent.WRITTEN, actor)

    def _judge(self, card: Card, expected: ExpectedCard, actor: str) -> None:
        written = self._workshop.writer.written(card.id)

        def insert() -> CardTransport:
            inserted = VirtualCard(written)
            inserted.power_on()
            return inserted

        findings = self._workshop.control.inspect(insert, expected, self._clock())
        good = passed(findings)
        faults = [f"{finding.name}:{finding.code}" for finding in findings if not finding.passed]
        self._record(
            replace(card, findings=findings),
            CardEvent.PASS if good else CardEvent.FAIL,
            actor,
            {"checks": str(len(findings)), **({"faults": ",".join(faults)} if faults else {})},
        )
        result = "passed" if good else "failed"
        metrics.CARDS_PRODUCED.labels(result).inc()
        logger.info(
            "card read back", extra={"credential": card.id, "outcome": result, "count": len(findings)}
        )

    def _record(self, card: Card, event: CardEvent, actor: str, detail: dict[str, str] | None = None) -> Card:
        with self._database.writing() as connection:
            return take_step(connection, card, event, actor=actor, moment=self._clock(), detail=detail)


def _card_order(job: _Job, portrait: bytes) -> CardOrder:
    return CardOrder(
        person=person_record(job.dossier.citizen_number, job.dossier.person),
        portrait=portrait,
        chip_id=job.card.chip_id,
        issued_on=job.card.issued_on,
        expires_on=job.card.expires_on,
    )
