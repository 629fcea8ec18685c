"""The one database file of a kit, whose disk may be full, pulled out or broken: said plainly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from enrollment_admin.station.kit_store import METADATA
from enrollment_admin.station.refusals import KitStorageUnavailable, KitStoreAltered
from monitoring.database import Database


class KitDatabase(Database):
    """SQLite with a write-ahead log that is synced at every commit; raises KitStorageUnavailable as well."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"sqlite:///{path}")
        with self.writing() as connection:
            METADATA.create_all(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that stands whole, or not at all."""
        with _disk_said_plainly(), super().writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with _disk_said_plainly(), super().reading() as connection:
            yield connection


@contextmanager
def _disk_said_plainly() -> Iterator[None]:
    try:
        yield
    except OperationalError:
        raise KitStorageUnavailable("the database cannot be read or written") from None
    except DatabaseError as fault:
        # Its subclasses are faults of our own statements; the class itself is a file that is no database.
        if type(fault) is DatabaseError:
            raise KitStoreAltered("the database is broken") from None
        raise
