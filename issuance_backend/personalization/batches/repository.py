"""The SQL of batches and of the line of orders that workers take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.domain import CardState
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from issuance_backend.personalization.batches.domain import TaskState
from issuance_backend.personalization.tables import BLANKS, PRODUCTION_BATCHES, PRODUCTION_TASKS
from issuance_backend.schema import CREDENTIALS
from issuance_backend.work_claims import WorkTable
from verification.errors import TransitionRefused

WORK = WorkTable(
    PRODUCTION_TASKS,
    waiting=PRODUCTION_TASKS.c.state == TaskState.WAITING.value,
    order=PRODUCTION_TASKS.c.queued_at,
)


def work_but_of(operators: Collection[str]) -> WorkTable:
    """The orders that wait, without those that these operators answer for."""
    if not operators:
        return WORK
    theirs = select(PRODUCTION_BATCHES.c.id).where(PRODUCTION_BATCHES.c.operator.in_(operators))
    return WORK.only(PRODUCTION_TASKS.c.batch.not_in(theirs))


LIST_KEY = 2
"""Batches go by the moment they were made, and by id where that is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Orders that one operator answers for."""

    id: str
    operator: str
    unit: str | None
    size: int
    made_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One order in production; ``spoiled`` counts its blanks since somebody last looked."""

    dossier: str
    batch: str
    state: TaskState
    spoiled: int
    code: str | None
    queued_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """An order with the newest of its cards."""

    dossier: str
    state: TaskState
    code: str | None
    card: str
    card_state: CardState
    attempt: int
    serial: str | None


_TASK_COLUMNS = [PRODUCTION_TASKS.c[name] for name in Task.__dataclass_fields__]


def open_orders(connection: Connection, area: str | None, limit: int) -> list[str]:
    """Dossiers whose card is ordered and in no batch, the oldest first; nobody else batches them now."""
    columns = CREDENTIALS.c
    in_batch = select(PRODUCTION_TASKS.c.dossier).where(PRODUCTION_TASKS.c.dossier == columns.dossier)
    question = select(columns.dossier).where(columns.state == CardState.ORDERED.value, ~in_batch.exists())
    if area is not None:
        question = question.where(lies_in(columns.unit, area))
    question = question.order_by(columns.since, columns.id).limit(limit)
    return list(connection.execute(question.with_for_update(skip_locked=True)).scalars())


def add_batch(connection: Connection, batch: Batch, orders: Sequence[str]) -> None:
    """Write a batch with its orders; raises TransitionRefused when one is in a batch already."""
    values = {"id": batch.id, "operator": batch.operator, "unit": batch.unit, "made_at": batch.made_at}
    connection.execute(insert(PRODUCTION_BATCHES).values(**values, size=batch.size))
    task = {"batch": batch.id, "state": TaskState.WAITING.value, "spoiled": 0, "queued_at": batch.made_at}
    try:
        connection.execute(insert(PRODUCTION_TASKS), [{**task, "dossier": dossier} for dossier in orders])
    except IntegrityError:
        raise TransitionRefused("another batch was quicker") from None


def batches(connection: Connection, asked: PageAsked) -> Page[Batch]:
    """Batches, the newest first."""
    key = (PRODUCTION_BATCHES.c.made_at, PRODUCTION_BATCHES.c.id)
    return read_page(
        connection, select(PRODUCTION_BATCHES), key, asked, lambda row: Batch(**row), newest_first=True
    )


def batch(connection: Connection, which: str) -> Batch | None:
    """The batch with this id."""
    question = select(PRODUCTION_BATCHES).where(PRODUCTION_BATCHES.c.id == which)
    row = connection.execute(question).mappings().one_or_none()
    return Batch(**row) if row else None


def progress(connection: Connection, which: Iterable[str]) -> dict[str, dict[TaskState, int]]:
    """How many orders of each batch stand where."""
    columns = PRODUCTION_TASKS.c
    question = select(columns.batch, columns.state, func.count()).where(columns.batch.in_(list(which)))
    counted: dict[str, dict[TaskState, int]] = {}
    for name, state, count in connection.execute(question.group_by(columns.batch, columns.state)):
        counted.setdefault(name, {})[TaskState(state)] = int(count)
    return counted


def cards_of_batch(connection: Connection, which: str) -> list[TaskCard]:
    """The orders of a batch, each with its newest card and the blank that this was written on."""
    task, card = PRODUCTION_TASKS.c, CREDENTIALS.c
    newest = (
        select(card.dossier, func.max(card.attempt).label("attempt"))
        .join(PRODUCTION_TASKS, task.dossier == card.dossier)
        .where(task.batch == which)
        .group_by(card.dossier)
        .subquery()
    )
    question = (
        select(
            task.dossier,
            task.state,
            task.code,
            card.id.label("card"),
            card.state.label("card_state"),
            card.attempt,
            BLANKS.c.serial,
        )
        .join(newest, newest.c.dossier == task.dossier)
        .join(CREDENTIALS, and_(card.dossier == newest.c.dossier, card.attempt == newest.c.attempt))
        .outerjoin(BLANKS, BLANKS.c.card == card.id)
        .order_by(task.dossier)
    )
    rows = connection.execute(question).mappings()
    return [
        TaskCard(**{**row, "state": TaskState(row["state"]), "card_state": CardState(row["card_state"])})
        for row in rows
    ]


def task(connection: Connection, dossier: str) -> Task | None:
    """The production of a dossier's order, which nobody else changes until the transaction ends."""
    question = select(*_TASK_COLUMNS).where(PRODUCTION_TASKS.c.dossier == dossier).with_for_update()
    row = connection.execute(question).mappings().one_or_none()
    return Task(**{**row, "state": TaskState(row["state"])}) if row else None


def save_task(connection: Connection, changed: Task) -> None:
    """Write what changed of an order."""
    connection.execute(
        update(PRODUCTION_TASKS)
        .where(PRODUCTION_TASKS.c.dossier == changed.dossier)
        .values(state=changed.state.value, spoiled=changed.spoiled, code=changed.code)
    )
