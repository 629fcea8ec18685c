"""Work taken from a table by several workers at once: no piece to two, none lost with a worker that dies.

A claim is a lease. PostgreSQL lets claimers pass each other (``SKIP LOCKED``); SQLite serves one after the
other anyway and knows no row locks. The statements are the same: there the words are left out.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, String, Table, and_, or_, select, update

from issuance_backend.moments import rfc3339
from issuance_backend.refusals import LeaseLost


def lease_columns() -> tuple[Column[Any], Column[Any]]:
    """The two columns that a table of work needs: who holds a row, and until when."""
    return Column("lease", String(32)), Column("lease_until", String(32))


@dataclass(frozen=True, slots=True)
class WorkTable:
    """A table of work: its rows that are still to be done, and which of them come first."""

    table: Table
    waiting: ColumnElement[bool]
    order: ColumnElement[Any]

    @property
    def key(self) -> Column[Any]:
        """The column that names a piece of work."""
        (key,) = self.table.primary_key.columns
        return key

    def only(self, condition: ColumnElement[bool]) -> WorkTable:
        """The same work without what cannot be done now: it keeps nothing else from being done."""
        return replace(self, waiting=and_(self.waiting, condition))


@dataclass(frozen=True, slots=True)
class Lease:
    """Pieces of work that are one worker's until a moment."""

    name: str
    keys: tuple[Any, ...]
    until: datetime


def claim(connection: Connection, work: WorkTable, count: int, moment: datetime, length: timedelta) -> Lease:
    """Take up to ``count`` pieces that wait and that nobody holds; a lease that ran out holds nothing."""
    columns = work.table.c
    free = or_(columns.lease_until.is_(None), columns.lease_until <= rfc3339(moment))
    chosen = (
        select(work.key)
        .where(work.waiting, free)
        .order_by(work.order, work.key)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    keys = tuple(connection.execute(chosen).scalars())
    lease = Lease(secrets.token_hex(16), keys, moment + length)
    if keys:
        held = {"lease": lease.name, "lease_until": rfc3339(lease.until)}
        connection.execute(update(work.table).where(work.key.in_(keys)).values(held))
    return lease


def require_held(
    connection: Connection, work: WorkTable, lease: Lease, key: object, moment: datetime
) -> None:
    """Lock one piece of the lease for this transaction; raises LeaseLost when it may be somebody else's.

    The first act of the transaction that records the work: what a worker did who slept too long is
    then taken back instead of being done twice.
    """
    columns = work.table.c
    held = select(work.key).where(
        work.key == key, columns.lease == lease.name, columns.lease_until > rfc3339(moment)
    )
    if connection.execute(held.with_for_update()).one_or_none() is None:
        raise LeaseLost("the lease ran out")


def give_back(connection: Connection, work: WorkTable, lease: Lease) -> None:
    """Let others have what was not done; what somebody else holds by now stays theirs."""
    columns = work.table.c
    connection.execute(
        update(work.table)
        .where(work.key.in_(lease.keys), columns.lease == lease.name)
        .values(lease=None, lease_until=None)
    )
