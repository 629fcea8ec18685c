"""The SQL of notices and of the positions of their consumers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.moments import rfc3339
from issuance_backend.outbox.domain import Ask, Notice
from issuance_backend.outbox.tables import EVENT_CONSUMERS, NOTICES
from issuance_backend.schema import EVENT_HEAD, EVENTS
from verification.messages.event_feed import PublishedEvent

_MARK_DIGITS = 16

# Written with every step: built once, as building a statement costs more than executing it.
_ADD = insert(NOTICES)


def add(connection: Connection, told: Iterable[tuple[int, Notice, str]]) -> None:
    """Write the notices of steps that are being recorded in this transaction: number, notice, moment."""
    rows = [
        {
            "sequence": sequence,
            "topic": notice.topic.value,
            "key": notice.key,
            "data": msgspec.json.encode(notice.data, order="sorted").decode(),
            "at": at,
        }
        for sequence, notice, at in told
    ]
    if rows:
        connection.execute(_ADD, rows)


def after(connection: Connection, position: int, ask: Ask) -> list[PublishedEvent]:
    """The notices of the topics asked for, oldest first, from behind a position."""
    question = (
        select(NOTICES)
        .where(NOTICES.c.sequence > position, NOTICES.c.topic.in_([topic.value for topic in ask.topics]))
        .order_by(NOTICES.c.sequence)
        .limit(ask.limit)
    )
    return [
        PublishedEvent(
            sequence=row.sequence,
            topic=row.topic,
            key=row.key,
            at=row.at,
            data=msgspec.json.decode(row.data, type=dict[str, str]),
        )
        for row in connection.execute(question)
    ]


def newest(connection: Connection) -> int:
    """The number of the step that was recorded last, whether or not anybody is told of it."""
    return int(connection.execute(select(EVENT_HEAD.c.sequence)).scalar_one())


def mark(connection: Connection, sequence: int) -> str | None:
    """What names the history up to a step: the end of the chain there. None where there is no such step."""
    if sequence == 0:
        return ""
    chained = connection.execute(select(EVENTS.c.hash).where(EVENTS.c.sequence == sequence)).scalar()
    return None if chained is None else str(chained)[:_MARK_DIGITS]


def position(connection: Connection, consumer: str) -> int:
    """How far a consumer has confirmed; 0 for one who never did."""
    question = select(EVENT_CONSUMERS.c.position).where(EVENT_CONSUMERS.c.consumer == consumer)
    return int(connection.execute(question).scalar_one_or_none() or 0)


def confirm(connection: Connection, consumer: str, reached: int, moment: datetime) -> int:
    """Move a consumer's position forward, never back, and return where it stands now."""
    moved = connection.execute(
        update(EVENT_CONSUMERS)
        .where(EVENT_CONSUMERS.c.consumer == consumer, EVENT_CONSUMERS.c.position < reached)
        .values(position=reached, updated_at=rfc3339(moment))
    )
    if moved.rowcount == 1:
        return reached
    row = insert(EVENT_CONSUMERS).values(consumer=consumer, position=reached, updated_at=rfc3339(moment))
    try:
        with connection.begin_nested():
            connection.execute(row)
    except IntegrityError:
        # It stands already at this position or farther: a late confirmation changes nothing.
        return position(connection, consumer)
    return reached
