"""Lists of card states in SQL: the newest whole, the way from older ones to it in differences."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.adapters.sql_schema import status_lists
from gateway.ports import KeptList
from monitoring.database import Database
from verification.messages.status_list import StatusListDelta

KEPT_EPOCHS = 700
"""A week of lists every quarter of an hour; whoever was away longer takes the whole list."""


class SqlStatusLists:
    """The StatusLists port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def made_at(self) -> datetime | None:
        """When the newest was made; asked every few seconds, where a list may be megabytes."""
        newest = select(status_lists.c.made_at).order_by(status_lists.c.epoch.desc()).limit(1)
        with self._database.reading() as connection:
            seconds = connection.execute(newest).scalar_one_or_none()
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def newest(self) -> KeptList | None:
        """The list that was made last."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(status_lists).where(status_lists.c.content.is_not(None))
            ).one_or_none()
        if row is None:
            return None
        return KeptList(row.epoch, datetime.fromtimestamp(row.made_at, UTC), row.head, row.content)

    def keep(self, made: KeptList, delta: StatusListDelta) -> bool:
        """Keep the next list and how it differs from the one before."""
        row = {
            "epoch": made.epoch,
            "made_at": int(made.made_at.timestamp()),
            "head": made.head,
            "content": made.content,
            "added": delta.added,
            "removed": delta.removed,
        }
        try:
            with self._database.writing() as connection:
                connection.execute(update(status_lists).values(content=None))
                connection.execute(insert(status_lists).values(row))
                connection.execute(
                    delete(status_lists).where(status_lists.c.epoch <= made.epoch - KEPT_EPOCHS)
                )
        except IntegrityError:
            return False
        return True

    def deltas_since(self, epoch: int) -> tuple[StatusListDelta, ...] | None:
        """Every difference behind ``epoch``."""
        with self._database.reading() as connection:
            kept = select(status_lists.c.epoch, status_lists.c.added, status_lists.c.removed)
            newer = kept.where(status_lists.c.epoch >= epoch).order_by(status_lists.c.epoch)
            rows = connection.execute(newer).all()
        if not rows or rows[0].epoch != epoch:
            return None
        return tuple(StatusListDelta(row.epoch, row.added, row.removed) for row in rows[1:])
