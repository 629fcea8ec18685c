"""One way to a database: short transactions, SQLite by default, PostgreSQL by URL.

What only one of the two engines knows stands here and in ``bulk_load.py``, and nowhere else.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from monitoring.environment import ConfigurationFault
from monitoring.refusals import DatabaseBusy

BeforeCommit = Callable[[Connection], object]

# A number of our own, so that two programs that bring the schema up to date wait for each other.
_MIGRATION_LOCK = 7_302_026
# PostgreSQL: serialization failure, deadlock, lock not available.
_BUSY_STATES = frozenset({"40001", "40P01", "55P03"})
_BUSY_SQLITE = "database is locked"
_BYTE_ORDERS = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
# How long one program waits for another on SQLite.
_BUSY_SECONDS = 10
# Whoever waits for SQLite's lock sleeps 0.1 s at the longest before the next try.
_LOOKED_AGAIN = 0.12

_LAST_ACTS = "last_acts"

_before_commit: ContextVar[BeforeCommit | None] = ContextVar("before_commit", default=None)


@contextmanager
def committing_with(statement: BeforeCommit) -> Iterator[None]:
    """Every writing transaction of this thread runs ``statement`` as its last act while this lasts.

    What it writes stands if and only if the transaction stands; what it raises undoes the transaction.
    """
    before = _before_commit.set(statement)
    try:
        yield
    finally:
        _before_commit.reset(before)


def before_commit(connection: Connection, statement: BeforeCommit) -> None:
    """Let ``statement`` run once before this writing transaction is committed, however often it is asked for.

    What many steps of one transaction need only once, for all of them, is done here.
    """
    connection.info[_LAST_ACTS][statement] = None


class Database:
    """Transactions of one database.

    On SQLite a writing transaction takes the write lock when it begins: two who press the same
    button are then served one after the other instead of one of them meeting a late lock fault.
    A transaction that others held up for too long is taken back whole and raises DatabaseBusy.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        # A server may have been restarted since a connection was last used; a file was not.
        # What a statement was about is a person: a fault of the driver quotes no values.
        self._engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=make_url(url).get_backend_name() != "sqlite"
        )
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
            one_state: dict[str, Any] = {}
        else:
            one_state = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = self._engine.execution_options(read_only=True, **one_state)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, or rolled back by an exception."""
        with _busy_said_plainly(), self._engine.begin() as connection:
            asked_for: dict[BeforeCommit, None] = {}
            memory = connection.info
            memory[_LAST_ACTS] = asked_for
            try:
                yield connection
                for act in asked_for:
                    act(connection)
                last_act = _before_commit.get()
                if last_act is not None:
                    last_act(connection)
            finally:
                # The pool hands the same connection to the next transaction.
                memory.pop(_LAST_ACTS, None)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and can change nothing."""
        with _busy_said_plainly(), self._reading.begin() as connection:
            yield connection

    def give_way(self) -> None:
        """Between two transactions of a long job: let whoever waits to write have its turn.

        SQLite keeps no queue: who waits looks again a tenth of a second later, and a job that goes on at
        once is there before them, for minutes.
        """
        if self._engine.dialect.name == "sqlite":
            time.sleep(_LOOKED_AGAIN)

    def answers(self) -> bool:
        """Whether the database can be asked at all."""
        with self.reading() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)

    def migrate(self, scripts: Path) -> None:
        """Bring the schema to the newest version that ``scripts`` (an Alembic folder) describes.

        Two programs may do this at once: the second waits and finds nothing to do. Raises
        ConfigurationFault for a database of PostgreSQL that was made with the order of some language.
        """
        _make_folder(self.url)
        configuration = Config()
        configuration.set_main_option("script_location", str(scripts))
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                _require_order_of_bytes(connection)
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


@contextmanager
def _busy_said_plainly() -> Iterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as fault:
        cause = fault.orig if isinstance(fault, OperationalError) else fault
        state = getattr(cause, "sqlstate", None)
        if state in _BUSY_STATES or _BUSY_SQLITE in str(cause):
            # Only that it was busy: the statement's values are a person's.
            raise DatabaseBusy(state or "locked") from None
        raise


def _require_order_of_bytes(connection: Connection) -> None:
    """What lies in an area is a range of names: in the order of a language it would be another range."""
    asked = "SELECT datcollate, datlocprovider FROM pg_database WHERE datname = current_database()"
    order, provider = connection.execute(text(asked)).one()
    if provider != "c" or order not in _BYTE_ORDERS:
        raise ConfigurationFault("database: make it with TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late; see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: what was acknowledged survives a power cut only when its commit is on the disk.
    for pragma in (f"busy_timeout={_BUSY_SECONDS * 1000}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _log_writes_ahead(cursor)
    cursor.close()


def _log_writes_ahead(cursor: sqlite3.Cursor) -> None:
    """Keep the file's journal as a write-ahead log, which the first program that opens a new file changes.

    Those that open it at the same instant are refused at once, whatever the busy timeout: they ask again.
    """
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if _BUSY_SQLITE not in str(fault) or time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("read_only", False)
    # By the driver itself, whose errors are its own: these two are half of what a short transaction asks.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA query_only={'ON' if reads else 'OFF'}")
    cursor.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
    cursor.close()


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
