"""The SQL of life events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, insert, select

from issuance_backend.population_registry.life_events.tables import LIFE_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEvent:
    """A life event as it was reported, and the life status it led to."""

    id: str
    kind: str
    citizen_number: str
    spouse_number: str | None
    occurred_on: date
    registered_at: str
    reported_by: str
    report_id: str
    content_sha256: str
    document: str
    officer: str
    life_status: str


def add(connection: Connection, event: RegisteredEvent) -> None:
    """Write a registered event."""
    connection.execute(insert(LIFE_EVENTS).values(**asdict(event)))


def find(connection: Connection, event_id: str) -> RegisteredEvent | None:
    """The event with this id."""
    return _one(connection, LIFE_EVENTS.c.id == event_id)


def of_report(connection: Connection, reported_by: str, report_id: str) -> RegisteredEvent | None:
    """The event that a program reported under this id."""
    same = (LIFE_EVENTS.c.reported_by == reported_by) & (LIFE_EVENTS.c.report_id == report_id)
    return _one(connection, same)


def last_bond(connection: Connection, numbers: Collection[str]) -> RegisteredEvent | None:
    """The newest event that says to whom somebody with these numbers is, or was, married."""
    either = LIFE_EVENTS.c.citizen_number.in_(numbers) | LIFE_EVENTS.c.spouse_number.in_(numbers)
    question = (
        select(LIFE_EVENTS)
        .where(LIFE_EVENTS.c.spouse_number.is_not(None), either)
        .order_by(LIFE_EVENTS.c.occurred_on.desc(), LIFE_EVENTS.c.registered_at.desc())
        .limit(1)
    )
    row = connection.execute(question).mappings().one_or_none()
    return RegisteredEvent(**row) if row else None


def _one(connection: Connection, condition: ColumnElement[bool]) -> RegisteredEvent | None:
    row = connection.execute(select(LIFE_EVENTS).where(condition)).mappings().one_or_none()
    return RegisteredEvent(**row) if row else None
