"""One way to a database: short transactions, SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url


class Database:
    """Transactions of one database.

    On SQLite a writing transaction takes the write lock when it begins: two who press the same
    button are then served one after the other instead of one of them meeting a late lock fault.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._reading = self._engine.execution_options(read_only=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, or rolled back by an exception."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and changes nothing."""
        with self._reading.begin() as connection:
            yield connection

    def answers(self) -> bool:
        """Whether the database can be asked at all."""
        with self.reading() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)

    def migrate(self, scripts: Path) -> None:
        """Bring the schema to the newest version that ``scripts`` (an Alembic folder) describes."""
        _make_folder(self.url)
        configuration = Config()
        configuration.set_main_option("script_location", str(scripts))
        with self.writing() as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late; see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    # FULL: what was acknowledged survives a power cut only when its commit is on the disk.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
