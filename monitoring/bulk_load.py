"""Very many rows at once: each engine's fastest way in and out, and indexes made when all rows are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Any, TypeGuard

from sqlalchemy import Connection, Table, delete, select, text

_NULL = "\\N"
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ROWS_AT_ONCE = 200
_PLAIN = frozenset({str, int, float, bytes, type(None)})

_KEYS = text(
    "SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = CAST(:name AS regclass) AND contype IN ('p', 'u')"
)


@contextmanager
def indexes_made_afterwards(connection: Connection, *tables: Table) -> Iterator[None]:
    """Load tables that are empty without their indexes and make these at the end, in one transaction.

    Sorting once costs a fraction of finding a place for every row. On PostgreSQL primary and unique keys
    are made afterwards too, and duplicates are refused then; until the transaction ends the table is locked,
    so nobody meets it without its keys. A table that holds rows keeps what it has.
    """
    empty = [table for table in tables if _is_empty(connection, table)]
    indexes = [index for table in empty for index in table.indexes]
    keys = [(table.name, *key) for table in empty for key in _keys(connection, table)]
    for index in indexes:
        index.drop(connection)
    for table_name, key, _ in keys:
        connection.execute(text(f"ALTER TABLE {table_name} DROP CONSTRAINT {key}"))
    yield
    for table_name, key, definition in keys:
        connection.execute(text(f"ALTER TABLE {table_name} ADD CONSTRAINT {key} {definition}"))
    for index in indexes:
        index.create(connection)


def empty(connection: Connection, *tables: Table) -> None:
    """Remove every row of tables that no other one refers to, without looking at the rows.

    On PostgreSQL whoever reads them waits for the end of the transaction. A reader whose view is older than
    that end finds the tables empty: it asks first whether they hold anything.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
        return
    for table in tables:
        connection.execute(delete(table))


def _is_empty(connection: Connection, table: Table) -> bool:
    return connection.execute(select(table.c[0]).limit(1)).first() is None


def _keys(connection: Connection, table: Table) -> list[tuple[str, str]]:
    """Names and definitions of keys that the engine can take off a table and put back."""
    if connection.dialect.name != "postgresql":
        return []
    return [(name, definition) for name, definition in connection.execute(_KEYS, {"name": table.name})]


def load_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """Write very many rows in the transaction by the engine's fastest way; returns how many.

    PostgreSQL takes them by COPY, SQLite by one prepared statement. Dates are written as ISO 8601.
    """
    driver: Any = connection.connection.driver_connection
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            return _copy(copy, rows)
    marks = ", ".join("?" * len(columns))
    # Names of tables and columns are written in our own source.
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    count = 0
    for some in _portions(rows):
        driver.executemany(statement, zip(*map(_plain_column, zip(*some, strict=True)), strict=True))
        count += len(some)
    return count


def _copy(copy: Any, rows: Iterable[Sequence[object]]) -> int:
    count = 0
    for some in _portions(rows):
        copy.write(_copy_lines(some))
        count += len(some)
    return count


def _copy_lines(rows: list[Sequence[object]]) -> str:
    """Lines of COPY's text format: tabs between, ``\\N`` for NULL.

    Column by column, because most columns are texts that go as they are, and looked through all at once.
    """
    nulls = 0
    columns: list[Sequence[str]] = []
    for values in zip(*rows, strict=True):
        if _are_texts(values):
            columns.append(values)
        else:
            nulls += values.count(None)
            columns.append([_NULL if value is None else str(value) for value in values])
    lines = "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"
    if "\0" in lines:
        raise ValueError("a text to be loaded holds the letter zero")
    tabs = len(rows) * (len(columns) - 1)
    marks = (lines.count("\\"), lines.count("\t"), lines.count("\n"), lines.count("\r"))
    return lines if marks == (nulls, tabs, len(rows), 0) else "".join(map(_escaped_line, rows))


def _are_texts(values: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Whether every value is a text: asking for the joined one is quicker than asking each."""
    try:
        "".join(values)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _escaped_line(row: Sequence[object]) -> str:
    return "\t".join([_NULL if value is None else str(value).translate(_ESCAPED) for value in row]) + "\n"


def _plain_column(values: Sequence[object]) -> Sequence[object]:
    """The values of a column as the driver knows them: dates, and what is a kind of text, as texts."""
    if _PLAIN.issuperset(map(type, values)):
        return values
    return [str(value) if isinstance(value, date | str) else value for value in values]


def _portions(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    iterator = iter(rows)
    while some := list(islice(iterator, _ROWS_AT_ONCE)):
        yield some
