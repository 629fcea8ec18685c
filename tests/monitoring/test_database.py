"""One way to a database, on both engines."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from issuance_backend.schema import EVENT_HEAD, PORTRAITS
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring import database as database_module
from monitoring.database import Database, before_commit, committing_with
from monitoring.environment import ConfigurationFault
from monitoring.refusals import DatabaseBusy
from tests.support.engines import Engine, Postgres


@pytest.fixture
def database(database_engine: Engine) -> Database:
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    return database


def write(database: Database, name: str) -> None:
    with database.writing() as connection:
        connection.execute(insert(PORTRAITS).values(name=name, content=b"x"))


def names(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(connection.execute(select(PORTRAITS.c.name)).scalars())


def test_programs_that_start_at_once_bring_the_schema_up_to_date_once(database_engine: Engine) -> None:
    url = database_engine.new()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(Database(url).migrate, ISSUANCE_MIGRATIONS) for _ in range(4)]:
            done.result()
    with Database(url).reading() as connection:
        assert connection.execute(select(EVENT_HEAD.c.sequence)).scalar_one() == 0


def test_a_new_file_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    def write_once(url: str, value: int) -> None:
        database = Database(url)
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS opened (value INTEGER)"))
            connection.execute(text("INSERT INTO opened VALUES (:value)"), {"value": value})
        database.close()

    with ThreadPoolExecutor(8) as pool:
        for file in range(100):
            url = f"sqlite:///{tmp_path / str(file)}"
            for done in [pool.submit(write_once, url, value) for value in range(8)]:
                done.result()


def test_a_database_in_the_order_of_a_language_is_refused(postgres: Postgres) -> None:
    made = postgres.new("LOCALE_PROVIDER icu ICU_LOCALE 'vi' TEMPLATE template0")
    with pytest.raises(ConfigurationFault, match="LOCALE 'C'"):
        Database(made).migrate(ISSUANCE_MIGRATIONS)


def test_a_server_on_the_network_is_used_with_its_password(postgres: Postgres) -> None:
    database = Database(postgres.over_tcp(postgres.new(), postgres.password))
    database.migrate(ISSUANCE_MIGRATIONS)
    write(database, "a")
    assert names(database) == {"a"}
    with database.reading() as connection:
        assert connection.execute(text("SELECT host(inet_server_addr())")).scalar_one() == "127.0.0.1"
    database.close()


def test_a_wrong_password_is_refused_and_told_to_nobody(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, wrong = postgres.new(), secrets.token_hex(16)
    with pytest.raises(OperationalError, match="password authentication failed") as refused:
        Database(postgres.over_tcp(made, wrong)).migrate(ISSUANCE_MIGRATIONS)
    assert wrong not in "".join(traceback.format_exception(refused.value))
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", postgres.over_tcp(made, wrong))
    program = [sys.executable, "-m", "issuance_backend", "migrate"]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "password authentication failed" in ended.stderr
    assert wrong not in ended.stdout + ended.stderr
    with Database(made).reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_a_reading_transaction_sees_one_state(database: Database) -> None:
    with database.reading() as connection:
        before = connection.execute(select(PORTRAITS.c.name)).all()
        write(database, "meanwhile")
        assert connection.execute(select(PORTRAITS.c.name)).all() == before
    assert names(database) == {"meanwhile"}


def test_a_reading_transaction_can_change_nothing(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.reading() as connection:
        connection.execute(insert(PORTRAITS).values(name="x", content=b"x"))
    write(database, "the same connection writes again")
    assert len(names(database)) == 1


def test_the_last_act_stands_and_falls_with_its_transaction(database: Database) -> None:
    def also(connection: object) -> None:
        connection.execute(insert(PORTRAITS).values(name="also", content=b"x"))  # type: ignore[attr-defined]

    def refuse(_connection: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), committing_with(refuse):
        write(database, "first")
    assert names(database) == set()
    with committing_with(also):
        write(database, "first")
    write(database, "second")
    assert names(database) == {"first", "also", "second"}


def test_what_is_asked_for_before_the_commit_is_done_once_and_for_this_transaction_only(
    database: Database,
) -> None:
    done: list[set[str]] = []

    def look(connection: Connection) -> None:
        done.append(set(connection.execute(select(PORTRAITS.c.name)).scalars()))

    def both(last: str) -> None:
        with database.writing() as connection:
            for name in ("first", last):
                before_commit(connection, look)
                connection.execute(insert(PORTRAITS).values(name=name, content=b"x"))
            if last == "lost":
                raise InterruptedError

    with pytest.raises(InterruptedError):
        both("lost")
    write(database, "another")
    assert done == []
    both("second")
    assert done == [{"another", "first", "second"}]
    with database.reading() as connection, pytest.raises(KeyError):
        before_commit(connection, look)


def test_two_who_wait_for_each_other_are_told_that_it_was_busy(postgres: Engine) -> None:
    """A deadlock is taken back whole and may be tried again: no 500, and nothing of the statement told."""
    database = Database(postgres.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    for name in ("a", "b"):
        write(database, name)
    both_hold_one = threading.Barrier(2)

    def lock(first: str, second: str) -> str:
        try:
            with database.writing() as connection:
                for name, wait in ((first, True), (second, False)):
                    question = select(PORTRAITS).where(PORTRAITS.c.name == name).with_for_update()
                    connection.execute(question).one()
                    if wait:
                        both_hold_one.wait(10)
        except DatabaseBusy as busy:
            return str(busy) if busy.retryable else "never again"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = [each.result(30) for each in (pool.submit(lock, "a", "b"), pool.submit(lock, "b", "a"))]
    assert sorted(ends) == ["40P01", "done"]


def test_who_waits_too_long_for_another_program_is_told_that_it_was_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0)
    one, other = (Database(f"sqlite:///{tmp_path / 'office.db'}") for _ in range(2))
    one.migrate(ISSUANCE_MIGRATIONS)
    assert other.answers()
    with one.writing(), pytest.raises(DatabaseBusy, match="locked") as refused, other.writing():
        """Never reached."""
    assert refused.value.retryable
    write(other, "afterwards")


def test_a_server_that_was_restarted_is_no_fault(postgres: Engine) -> None:
    database = Database(postgres.new())
    assert database.answers()
    with Database(database.url).writing() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(text(f"{others} AND datname = current_database()"))
    assert database.answers()
