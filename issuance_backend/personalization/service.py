"""The card line: workers take orders of batches and make one card after the other.

The recorded events of a card are its journal. BEGIN is committed before the chip is touched, with the
blank that was taken for it; PASS after the card was read back. Whoever finds a card between the two
spoils it: a blank is never written twice, and a card that nobody read back is never good.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import Connection

from issuance_backend import recorded_events, work_claims
from issuance_backend.credentials import orders
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import GONE, CardEvent, CardState
from issuance_backend.credentials.orders import Order
from issuance_backend.credentials.repository import Card
from issuance_backend.dossiers import repository as dossiers
from issuance_backend.dossiers.acts import subject
from issuance_backend.dossiers.domain import DossierEvent
from issuance_backend.dossiers.print_quality import PLAIN, told_quality
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.personalization.batches import repository as batches
from issuance_backend.personalization.batches.domain import (
    BLANKS_BEFORE_HELD,
    TaskEvent,
    TaskState,
    advance,
)
from issuance_backend.personalization.batches.repository import WORK, Task
from issuance_backend.personalization.batches.service import task_step
from issuance_backend.personalization.blank_stock import repository as blanks
from issuance_backend.personalization.blank_stock import service as blank_stock
from issuance_backend.personalization.card_faces.printed_faces import PrintJob
from issuance_backend.personalization.card_printer import CardWriter
from issuance_backend.personalization.chip_fingers import chip_fingers
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.personalization.data_preparation import CardOrder, SodSigner, person_record, prepare
from issuance_backend.personalization.finger_access import FingerAccess
from issuance_backend.personalization.quality_control import ExpectedCard, QualityControl, passed
from issuance_backend.refusals import BlankStockEmpty, BlobUnknown, LeaseLost, ProductionInterrupted
from issuance_backend.steps import SYSTEM
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from issuance_backend.work_claims import Lease
from monitoring import metrics
from monitoring.database import Database
from verification.errors import TransitionRefused, Unavailable, VerificationError
from verification.iso7816.transport import CardTransport
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.messages.enrollment import QualityFinding

WRITING_TIME = timedelta(minutes=2)
"""A card that is being written longer than this was left by a machine that stopped."""

_IN_WORK = frozenset({CardState.PERSONALISING, CardState.PERSONALISED, CardState.QA_FAILED})
_MADE = frozenset(CardState) - _IN_WORK - GONE - {CardState.ORDERED}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """The machines of the office."""

    sign: SodSigner
    writer: CardWriter
    control: QualityControl
    captured_picture: Callable[[str], bytes]
    chip_portrait: Callable[[bytes], bytes]
    draw_faces: Callable[[CardOrder], PrintJob]
    keys: ChipKeyPool
    finger_access: Callable[[], FingerAccess]
    """Raises ProductionUnavailable as below."""
    require_ready: Callable[[], object]
    """Raises ProductionUnavailable while quality control could not judge: then no blank is used up."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One order that is this worker's until its lease ends."""

    lease: Lease
    task: Task
    operator: str
    dossier: Dossier
    card: Card

    @property
    def order(self) -> Order:
        """The order of the next card of the same dossier."""
        return Order(
            dossier=self.dossier.id,
            citizen_number=self.dossier.citizen_number,
            date_of_birth=date.fromisoformat(self.dossier.person.date_of_birth),
            attempt=self.card.attempt + 1,
            unit=self.card.unit,
        )


class CardLine:
    """One worker; any number of them may run. ``run_once`` is called from one thread at a time."""

    def __init__(self, database: Database, workshop: Workshop, clock: Clock) -> None:
        self._database = database
        self._workshop = workshop
        self._clock = clock
        self._without_blanks: set[str] = set()

    def run_once(self) -> bool:
        """Work on the next order; False when none waits.

        Raises Unavailable where blanks, the printer, the signer or the database are missing: the order waits.
        Orders of an operator for whom there are no blanks keep nobody else's from being made.
        """
        with self._database.writing() as connection:
            self._without_blanks = {
                each for each in self._without_blanks if not blanks.has_blank_for(connection, each)
            }
            work = batches.work_but_of(self._without_blanks)
            lease = work_claims.claim(connection, work, 1, self._clock(), WRITING_TIME)
        if not lease.keys:
            return False
        try:
            self._make(lease)
        except BlobUnknown as fault:
            # Looked for again when the lease has run out: until then the other orders have their turn.
            self._say_why(lease, fault.code)
        except Unavailable as fault:
            self._say_why(lease, fault.code)
            self._give_back(lease)
            raise
        except (LeaseLost, TransitionRefused):
            # Somebody else has the order by now, or its card.
            logger.warning("order left to another worker")
            self._give_back(lease)
        except VerificationError as fault:
            self._hold(lease, fault.code)
        return True

    def _make(self, lease: Lease) -> None:
        job = self._taken(lease)
        if job is None:
            return
        captured = self._workshop.captured_picture(job.dossier.portrait)
        order = _card_order(job, self._workshop.chip_portrait(captured), self._fingers(job.dossier))
        faces = self._workshop.draw_faces(order)
        access = self._workshop.finger_access()
        image = prepare(order, self._workshop.sign, self._workshop.keys.take(), access.trust_points)
        key = status_key(parse_security_object(image.files[LdsFile.SOD]).signature)
        self._workshop.require_ready()
        job = self._begun(job, key)
        try:
            job = self._written(job, image, faces)
            expected = ExpectedCard(order=order, captured=captured, status_key=key, terminal=access.terminal)
            findings = self._read_back(job, expected)
        except (LeaseLost, TransitionRefused):
            raise
        except VerificationError as fault:
            self._spoil(job, CardEvent.SPOIL, fault.code)
            if isinstance(fault, Unavailable):
                raise
            return
        self._judge(job, findings)

    def _taken(self, lease: Lease) -> _Job | None:
        """The order with a card to begin; None when nothing is to be made."""
        job = self._recovered(lease)
        if job.task.state is not TaskState.WAITING:
            return None
        with self._writing(lease) as connection:
            if job.card.state in _MADE:
                self._settle(connection, job.task, TaskEvent.MAKE)
                return None
            if not blanks.has_blank_for(connection, job.operator):
                self._without_blanks.add(job.operator)
                raise BlankStockEmpty("no blank for this operator")
            if job.card.state is CardState.ORDERED:
                return job
            return replace(job, card=orders.place(connection, job.order, SYSTEM, self._clock()))

    def _fingers(self, dossier: Dossier) -> bytes:
        """DG3 of what was captured, by the scores of the last search."""
        with self._database.reading() as connection:
            prints = dossiers.prints(connection, dossier.id)
            steps = recorded_events.of_subject(connection, subject(dossier.id))
        searches = [step.detail for step in steps if step.event == DossierEvent.SEARCH]
        last = searches[-1] if searches else {}
        plain = told_quality(last, PLAIN)
        return chip_fingers(prints, told_quality(last), self._workshop.captured_picture, plain)

    def _recovered(self, lease: Lease) -> _Job:
        """The order as it stands; a card that an interrupted worker left is spoiled."""
        with self._writing(lease) as connection:
            job = _found(connection, lease, *lease.keys)
            if job.card.state in _IN_WORK:
                return self._spoiled(connection, job, CardEvent.SPOIL, ProductionInterrupted.code)
            return job

    def _begun(self, job: _Job, key: str) -> _Job:
        """The journal before the chip is written: from here on the blank is used up."""
        with self._writing(job.lease) as connection:
            serial = blank_stock.issue(connection, job.card.id, job.operator, self._clock())
            # The programs act; who answers for the card is the operator of its batch.
            detail = {"batch": job.task.batch, "blank": serial, "operator": job.operator}
            card = self._step(connection, replace(job.card, status_key=key), CardEvent.BEGIN, detail)
        return replace(job, card=card)

    def _written(self, job: _Job, image: CardImage, faces: PrintJob) -> _Job:
        writer = self._workshop.writer
        writer.write(job.card.id, image)
        writer.print_faces(job.card.id, faces)
        try:
            with self._writing(job.lease) as connection:
                card = self._step(connection, job.card, CardEvent.WRITTEN)
        except (LeaseLost, TransitionRefused):
            # Too slow: another worker spoiled this card meanwhile, and what was written is worth nothing.
            writer.destroy(job.card.id)
            raise
        return replace(job, card=card)

    def _read_back(self, job: _Job, expected: ExpectedCard) -> tuple[QualityFinding, ...]:
        writer = self._workshop.writer
        written, printed = writer.written(job.card.id), writer.printed(job.card.id)

        def insert() -> CardTransport:
            inserted = VirtualCard(written)
            inserted.power_on()
            return inserted

        return self._workshop.control.inspect(insert, expected, printed, self._clock())

    def _judge(self, job: _Job, findings: tuple[QualityFinding, ...]) -> None:
        """The journal after the card was read back: good, or spoiled at once."""
        good, job = passed(findings), replace(job, card=replace(job.card, findings=findings))
        if good:
            with self._writing(job.lease) as connection:
                self._step(connection, job.card, CardEvent.PASS, {"checks": str(len(findings))})
                self._settle(connection, job.task, TaskEvent.MAKE)
                work_claims.give_back(connection, WORK, job.lease)
        else:
            self._spoil(job, CardEvent.FAIL, *_faults(findings))
        outcome = "passed" if good else "failed"
        metrics.CARDS_PRODUCED.labels(outcome).inc()
        extra = {"credential": job.card.id, "outcome": outcome, "count": len(findings)}
        logger.info("card read back", extra=extra)

    def _spoil(self, job: _Job, event: CardEvent, *faults: str) -> None:
        with self._writing(job.lease) as connection:
            self._spoiled(connection, job, event, *faults)
            work_claims.give_back(connection, WORK, job.lease)

    def _spoiled(self, connection: Connection, job: _Job, event: CardEvent, *faults: str) -> _Job:
        """Spoil the card with its blank; one spoiled blank too many holds the order."""
        # Made unusable first: a card that is recorded as spoiled lies nowhere as a good one.
        self._workshop.writer.destroy(job.card.id)
        blank_stock.spoil(connection, job.card.id, SYSTEM, self._clock())
        card = self._step(connection, job.card, event, {"faults": ",".join(faults)})
        if event is CardEvent.FAIL:
            card = self._step(connection, card, CardEvent.SPOIL)
        code = faults[0].rpartition(":")[2]
        task = replace(job.task, spoiled=job.task.spoiled + 1, code=code)
        if task.spoiled >= BLANKS_BEFORE_HELD:
            task = self._settle(connection, task, TaskEvent.HOLD, code)
        else:
            batches.save_task(connection, task)
        return replace(job, card=card, task=task)

    def _settle(self, connection: Connection, task: Task, event: TaskEvent, code: str | None = None) -> Task:
        settled = replace(task, state=advance(task.state, event), code=code)
        batches.save_task(connection, settled)
        recorded_events.append(connection, task_step(settled, event, SYSTEM, rfc3339(self._clock())))
        return settled

    def _step(
        self, connection: Connection, card: Card, event: CardEvent, detail: dict[str, str] | None = None
    ) -> Card:
        return orders.take_step(connection, card, event, actor=SYSTEM, moment=self._clock(), detail=detail)

    def _say_why(self, lease: Lease, code: str) -> None:
        """Whoever looks at the order sees why it waits."""
        with suppress(LeaseLost), self._writing(lease) as connection:
            job = _found(connection, lease, *lease.keys)
            batches.save_task(connection, replace(job.task, code=code))

    def _give_back(self, lease: Lease) -> None:
        with self._database.writing() as connection:
            work_claims.give_back(connection, WORK, lease)

    def _hold(self, lease: Lease, code: str) -> None:
        """What is wrong with the order itself, and used no blank, is for an officer."""
        with suppress(LeaseLost), self._writing(lease) as connection:
            job = _found(connection, lease, *lease.keys)
            self._settle(connection, job.task, TaskEvent.HOLD, code)
            work_claims.give_back(connection, WORK, lease)

    @contextmanager
    def _writing(self, lease: Lease) -> Iterator[Connection]:
        """A transaction that stands only while the order is ours; raises LeaseLost."""
        with self._database.writing() as connection:
            # The books come first in every transaction: nobody waits for somebody who waits for him.
            blanks.hold_books(connection)
            (dossier_id,) = lease.keys
            work_claims.require_held(connection, WORK, lease, dossier_id, self._clock())
            yield connection


def _found(connection: Connection, lease: Lease, dossier_id: str) -> _Job:
    task, dossier = batches.task(connection, dossier_id), dossiers.find(connection, dossier_id)
    card = cards.of_dossier(connection, dossier_id)
    batch = batches.batch(connection, task.batch) if task else None
    if task is None or dossier is None or card is None or batch is None:
        raise TransitionRefused("no card is ordered")
    return _Job(lease, task, batch.operator, dossier, card)


def _faults(findings: tuple[QualityFinding, ...]) -> list[str]:
    return [f"{finding.name}:{finding.code}" for finding in findings if not finding.passed]


def _card_order(job: _Job, portrait: bytes, dg3: bytes) -> CardOrder:
    return CardOrder(
        person=person_record(job.dossier.citizen_number, job.dossier.person),
        portrait=portrait,
        dg3=dg3,
        chip_id=job.card.chip_id,
        issued_on=job.card.issued_on,
        expires_on=job.card.expires_on,
    )
