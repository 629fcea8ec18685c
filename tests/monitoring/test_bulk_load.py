from __future__ import annotations

import sqlite3
from datetime import date

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Date, Integer, MetaData, String, Table, inspect, select, text
from sqlalchemy.exc import IntegrityError

from monitoring.bulk_load import empty, indexes_made_afterwards, load_rows
from monitoring.database import Database
from tests.support.engines import Engine

METADATA = MetaData()
ROWS = Table(
    "loaded",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("words", String(60)),
    Column("on", Date),
)
KEYED = Table(
    "keyed",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("word", String(60), unique=True),
    Column("kind", String(10), index=True),
)
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@pytest.fixture
def database(database_engine: Engine) -> Database:
    database = Database(database_engine.new())
    with database.writing() as connection:
        METADATA.create_all(connection)
    return database


@given(rows=st.lists(st.tuples(TEXTS, st.none() | st.dates()), max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_loaded_is_read_back(
    database: Database, rows: list[tuple[str | None, date | None]]
) -> None:
    numbered = [(position, *row) for position, row in enumerate(rows)]
    with database.writing() as connection:
        connection.execute(ROWS.delete())
        assert load_rows(connection, "loaded", ("id", "words", '"on"'), iter(numbered)) == len(rows)
    with database.reading() as connection:
        assert [tuple(row) for row in connection.execute(select(ROWS).order_by(ROWS.c.id))] == numbered


def test_a_fault_takes_all_of_it_back(database: Database) -> None:
    rows = [(position % 900, "x", None) for position in range(1_000)]
    # The two drivers have no fault in common but the one of their standard.
    with pytest.raises((sqlite3.Error, psycopg.Error)), database.writing() as connection:
        load_rows(connection, "loaded", ("id", "words", '"on"'), rows)
    with database.reading() as connection:
        assert connection.execute(select(ROWS)).all() == []


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_letter_that_the_engine_cannot_hold_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="letter zero"), database.writing() as connection:
        load_rows(connection, "loaded", ("id", "words"), [(1, "a\0b")])


def test_keys_and_indexes_are_there_after_the_load(database: Database) -> None:
    before = _keys(database)
    with database.writing() as connection, indexes_made_afterwards(connection, KEYED):
        load_rows(connection, "keyed", ("id", "word", "kind"), [(1, "a", "x"), (2, "b", "x"), (3, None, "y")])
    assert _keys(database) == before
    assert before[1:] == ([["word"]], ["ix_keyed_kind"])


@pytest.mark.parametrize("second", [(1, "b", "x"), (2, "a", "x")], ids=["primary key", "unique key"])
def test_a_duplicate_is_refused_although_keys_are_made_afterwards(
    database: Database, second: tuple[object, ...]
) -> None:
    with (
        pytest.raises((sqlite3.IntegrityError, IntegrityError)),
        database.writing() as connection,
        indexes_made_afterwards(connection, KEYED),
    ):
        load_rows(connection, "keyed", ("id", "word", "kind"), [(1, "a", "x"), second])
    with database.reading() as connection:
        assert connection.execute(select(KEYED)).all() == []
    assert _keys(database)[1:] == ([["word"]], ["ix_keyed_kind"])


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_table_with_rows_keeps_its_keys_while_it_is_loaded(database: Database) -> None:
    with database.writing() as connection:
        load_rows(connection, "keyed", ("id", "word", "kind"), [(1, "a", "x")])
    with (
        pytest.raises(psycopg.errors.UniqueViolation),
        database.writing() as connection,
        indexes_made_afterwards(connection, KEYED),
    ):
        load_rows(connection, "keyed", ("id", "word", "kind"), [(1, "b", "x")])


def _keys(database: Database) -> tuple[list[str], list[list[str]], list[str | None]]:
    with database.reading() as connection:
        seen = inspect(connection)
        unique = [each["column_names"] for each in seen.get_unique_constraints("keyed")]
        indexes = [each["name"] for each in seen.get_indexes("keyed") if not each["unique"]]
        return seen.get_pk_constraint("keyed")["constrained_columns"], unique, indexes


def test_tables_are_emptied_at_once_and_only_if_the_transaction_stands(database: Database) -> None:
    """What PostgreSQL deletes row by row lies in the file for as long as it took to look at each."""
    with database.writing() as connection:
        connection.execute(ROWS.insert(), [{"id": each, "words": "x"} for each in range(1_000)])
        connection.execute(KEYED.insert(), [{"id": 1, "word": "a", "kind": "b"}])
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(_emptied(connection).insert(), [{"id": 1, "word": "a"}] * 2)
    assert held(database) == (1_000, 1)
    with database.writing() as connection:
        empty(connection, ROWS, KEYED)
    assert held(database) == (0, 0)
    with database.reading() as connection:
        if connection.dialect.name == "postgresql":
            assert connection.execute(text("SELECT pg_relation_size('loaded')")).scalar_one() == 0


def _emptied(connection: Connection) -> Table:
    empty(connection, ROWS, KEYED)
    return KEYED


def held(database: Database) -> tuple[int, ...]:
    with database.reading() as connection:
        return tuple(len(connection.execute(select(table)).all()) for table in (ROWS, KEYED))
