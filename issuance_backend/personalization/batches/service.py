"""The desk of production: batches of orders, their progress, and cards that an officer's eye refuses."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import orders
from issuance_backend.credentials import repository as cards
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.personalization.batches import repository
from issuance_backend.personalization.batches.domain import (
    FAULT_CODES,
    MAX_BATCH,
    FaultSeen,
    TaskEvent,
    TaskState,
    advance,
)
from issuance_backend.personalization.batches.repository import Batch, Task
from issuance_backend.personalization.blank_stock import repository as blanks
from issuance_backend.personalization.blank_stock import service as blank_stock
from issuance_backend.refusals import (
    CardMissing,
    CardNotFetched,
    CardRevokedOnItsWay,
    CredentialUnknown,
    ProductionBatchUnknown,
    SameOfficer,
)
from issuance_backend.steps import Step
from issuance_backend.unit_codes import is_unit
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.production import (
    BatchOrder,
    BatchOrderState,
    BatchProgress,
    FaultReport,
    ProductionBatch,
)

_READERS = (Role.PRODUCTION, Role.QUALITY, Role.STOCK_KEEPER, Role.AUDITOR)


class ProductionDesk:
    """What officers decide about production; the cards themselves are made by workers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def make_batch(self, officer: Officer, asked: BatchOrder) -> ProductionBatch:
        """Put waiting orders into a batch; raises FieldsRefused, and TransitionRefused when none waits."""
        officer.require(Role.PRODUCTION)
        _require_askable(asked)
        with self._database.writing() as connection:
            found = repository.open_orders(connection, asked.unit, asked.limit)
            return self._batched(connection, officer, found, asked.unit)

    def queue(self, officer: Officer, dossier: str) -> None:
        """Have one dossier's card made: a batch of its own, or a held order that goes on.

        Raises RoleMissing, and TransitionRefused when its card is good or being made.
        """
        officer.require(Role.PRODUCTION)
        with self._database.writing() as connection:
            task = repository.task(connection, dossier)
            if task is not None:
                self._release(connection, officer, task)
                return
            card = cards.of_dossier(connection, dossier)
            if card is None or card.state is not CardState.ORDERED:
                raise TransitionRefused("no card waits to be made")
            self._batched(connection, officer, [dossier], None)

    def batches(self, officer: Officer, asked: PageAsked) -> Page[ProductionBatch]:
        """Every batch with its progress, the newest first."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            found = repository.batches(connection, asked)
            counted = repository.progress(connection, [each.id for each in found.entries])
        return Page(tuple(_told(each, counted.get(each.id, {})) for each in found.entries), found.cursor)

    def orders_of(self, officer: Officer, batch: str) -> list[BatchOrderState]:
        """The orders of a batch, each with its card; raises ProductionBatchUnknown."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            if repository.batch(connection, batch) is None:
                raise ProductionBatchUnknown("no batch with this id")
            found = repository.cards_of_batch(connection, batch)
        return [
            BatchOrderState(
                dossier=each.dossier,
                state=each.state.value,
                code=each.code,
                card=each.card,
                card_state=each.card_state.value,
                attempt=each.attempt,
                serial=each.serial,
            )
            for each in found
        ]

    def refuse_card(self, officer: Officer, card_id: str, report: FaultReport) -> None:
        """Spoil a card that passed and shows a fault to the eye; its order goes on with the next blank.

        Raises SameOfficer for the card's operator and stock keeper, TransitionRefused once it is packed.
        """
        officer.require(Role.QUALITY)
        if report.fault not in set(FaultSeen):
            raise FieldsRefused({"fault": "FIELD_CHARACTERS"})
        code, moment = FAULT_CODES[FaultSeen(report.fault)], self._clock()
        with self._database.writing() as connection:
            # The books come first in every transaction: nobody waits for somebody who waits for him.
            blanks.hold_books(connection)
            card = cards.find(connection, card_id)
            task = repository.task(connection, card.dossier) if card else None
            if card is None or task is None:
                raise CredentialUnknown("no card with this id was made here")
            if card.state is not CardState.QA_PASSED:
                raise TransitionRefused("the card is not in the centre's hands")
            _require_quality_officer(connection, officer, card_id)
            advance(task.state, TaskEvent.REJECT)
            blank_stock.spoil(connection, card_id, officer.id, moment)
            take_step = partial(orders.take_step, connection, actor=officer.id, moment=moment)
            take_step(take_step(card, CardEvent.FAIL, detail={"faults": code}), CardEvent.SPOIL)
            _advance(connection, replace(task, code=code), TaskEvent.REJECT, officer.id, moment)

    def _batched(
        self, connection: Connection, officer: Officer, dossiers: list[str], unit: str | None
    ) -> ProductionBatch:
        if not dossiers:
            raise TransitionRefused("no order waits for a batch")
        moment = rfc3339(self._clock())
        batch = Batch(
            id=secrets.token_hex(8), operator=officer.id, unit=unit, size=len(dossiers), made_at=moment
        )
        repository.add_batch(connection, batch, dossiers)
        step = Step(
            subject=f"production/{batch.id}",
            event=TaskEvent.QUEUE.value,
            state=TaskState.WAITING.value,
            actor=officer.id,
            at=moment,
            detail={"orders": str(batch.size), **({"unit": unit} if unit else {})},
        )
        recorded_events.append(connection, step)
        return _told(batch, {TaskState.WAITING: batch.size})

    def _release(self, connection: Connection, officer: Officer, task: Task) -> None:
        changed = replace(task, spoiled=0, code=None)
        _advance(connection, changed, TaskEvent.RELEASE, officer.id, self._clock())


def card_destroyed(connection: Connection, card: Card, actor: str, moment: datetime) -> None:
    """Write off the blank of a card, and hold the order of one that nobody fetched until the next is wanted.

    In the transaction that destroys the card, and before the card's own step.
    """
    blanks.hold_books(connection)
    blank_stock.destroyed(connection, card.id, actor, moment)
    if card.state is CardState.RETURNED_TO_CENTRE:
        _reopen(connection, card, CardNotFetched.code, actor, moment)


def card_revoked(connection: Connection, card: Card, actor: str, moment: datetime) -> None:
    """Hold the order of a card that was revoked on its way, in that transaction; its reason is known."""
    code = CardMissing.code if card.reason is Reason.MISSING else CardRevokedOnItsWay.code
    _reopen(connection, card, code, actor, moment)


def order_ended(connection: Connection, dossier: str, actor: str, moment: datetime) -> None:
    """Let no card be made for a dossier, in the transaction that rejects it; one that was ordered ends.

    Raises TransitionRefused unless the order is held: a worker may be about to make one.
    """
    task = repository.task(connection, dossier)
    card = cards.of_dossier(connection, dossier)
    if task is None and card is not None:
        # Whoever puts it into a batch at this moment has done so by now, or finds it taken.
        card = cards.locked(connection, [card.id])[card.id]
        task = repository.task(connection, dossier)
    if task is not None:
        _advance(connection, replace(task, code=None), TaskEvent.CANCEL, actor, moment)
    if card is not None and card.state is CardState.ORDERED:
        detail = {"reason": Reason.DATA_ERROR.value}
        ended = replace(card, reason=Reason.DATA_ERROR)
        orders.take_step(connection, ended, CardEvent.REVOKE, actor=actor, moment=moment, detail=detail)


def _reopen(connection: Connection, card: Card, code: str, actor: str, moment: datetime) -> None:
    task = repository.task(connection, card.dossier)
    if task is None:  # made before there were batches
        return
    _advance(connection, replace(task, spoiled=0, code=code), TaskEvent.REOPEN, actor, moment)


def _advance(connection: Connection, task: Task, event: TaskEvent, actor: str, moment: datetime) -> None:
    """Record an event of an order with everything else that ``task`` changed; raises TransitionRefused."""
    changed = replace(task, state=advance(task.state, event))
    repository.save_task(connection, changed)
    recorded_events.append(connection, task_step(changed, event, actor, rfc3339(moment)))


def task_step(task: Task, event: TaskEvent, actor: str, at: str) -> Step:
    """What is recorded of an order in production."""
    return Step(
        subject=f"production-order/{task.dossier}",
        event=event.value,
        state=task.state.value,
        actor=actor,
        at=at,
        detail={"batch": task.batch, **({"code": task.code} if task.code else {})},
    )


def _require_quality_officer(connection: Connection, officer: Officer, card: str) -> None:
    serial = blanks.blank_of_card(connection, card)
    for blank in blanks.blanks(connection, [serial] if serial else []):
        if officer.id in {blank.operator, blank.keeper}:
            raise SameOfficer("nobody is two of operator, quality officer and stock keeper")


def _require_askable(asked: BatchOrder) -> None:
    faults = {}
    if not 0 < asked.limit <= MAX_BATCH:
        faults["limit"] = "FIELD_CHARACTERS"
    if asked.unit is not None and not is_unit(asked.unit):
        faults["unit"] = "FIELD_CHARACTERS"
    if faults:
        raise FieldsRefused(faults)


def _told(batch: Batch, counted: dict[TaskState, int]) -> ProductionBatch:
    progress = BatchProgress(**{state.value: counted.get(state, 0) for state in TaskState})
    return ProductionBatch(
        id=batch.id,
        operator=batch.operator,
        unit=batch.unit,
        size=batch.size,
        made_at=batch.made_at,
        progress=progress,
    )
