"""Calls of partners in SQL: counted in the transaction that logs their decision."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from gateway.adapters.sql_schema import counted_calls, log_head
from gateway.domain.call_figures import CountedCalls, latency_class
from gateway.ports import CallCounts, DecisionRecord
from monitoring.database import Database
from verification.messages.national_time import vietnam_date

_KEYS = tuple(counted_calls.primary_key.columns)


def count_call(connection: Connection, record: DecisionRecord) -> None:
    """Count a decision; the caller holds the head of the log, so nobody else counts at the same time."""
    place: dict[str, Any] = {
        "day": vietnam_date(record.recorded_at),
        "partner": record.partner,
        "product": record.policy,
        "purpose": record.purpose,
        "facility": record.facility or "",
        "outcome": record.outcome,
        "code": record.code or "",
        "up_to_ms": latency_class(record.took_ms),
    }
    same = and_(*(column == place[column.name] for column in _KEYS))
    counted = connection.execute(update(counted_calls).where(same).values(calls=counted_calls.c.calls + 1))
    if counted.rowcount == 0:
        connection.execute(insert(counted_calls).values(**place, calls=1))


class SqlCallFigures:
    """The CallFigures port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, since: date, until: date, partner: str | None) -> CallCounts:
        """Everything counted on these days, all of one state of the database."""
        on_these_days = [counted_calls.c.day >= since, counted_calls.c.day <= until]
        whose = [] if partner is None else [counted_calls.c.partner == partner]
        question = select(counted_calls).where(*on_these_days, *whose).order_by(*_KEYS)
        with self._database.reading() as connection:
            counted = tuple(CountedCalls(*row) for row in connection.execute(question))
            records = connection.execute(select(log_head.c.size)).scalar_one()
            all_counted = connection.execute(select(func.sum(counted_calls.c.calls))).scalar_one()
        return CallCounts(counted, records=records, counted=int(all_counted or 0))
