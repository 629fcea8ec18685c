"""Work taken by several workers at once, on both engines."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text, update

from issuance_backend.refusals import LeaseLost
from issuance_backend.work_claims import WorkTable, claim, give_back, lease_columns, require_held
from monitoring.database import Database
from tests.support.engines import Engine
from tests.support.issuance_office import NOW

JOBS = Table(
    "jobs",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),
    *lease_columns(),
)
WORK = WorkTable(JOBS, JOBS.c.state == "waiting", JOBS.c.id)
MINUTE = timedelta(minutes=1)


def make(engine: Engine, count: int) -> Database:
    database = Database(engine.new())
    with database.writing() as connection:
        JOBS.metadata.create_all(connection)
        connection.execute(insert(JOBS), [{"id": number, "state": "waiting"} for number in range(count)])
    return database


@pytest.fixture
def database(database_engine: Engine) -> Database:
    return make(database_engine, 10)


def test_the_first_come_first_and_nobody_gets_what_is_held(database: Database) -> None:
    with database.writing() as connection:
        assert claim(connection, WORK, 3, NOW, MINUTE).keys == (0, 1, 2)
    with database.writing() as connection:
        assert claim(connection, WORK, 20, NOW, MINUTE).keys == tuple(range(3, 10))
    with database.writing() as connection:
        assert claim(connection, WORK, 1, NOW, MINUTE).keys == ()


def test_what_a_dead_worker_held_is_taken_when_its_lease_ends_and_not_before(database: Database) -> None:
    with database.writing() as connection:
        claim(connection, WORK, 10, NOW, MINUTE)
    for moment, found in ((NOW + MINUTE - timedelta(microseconds=1), 0), (NOW + MINUTE, 10)):
        with database.writing() as connection:
            assert len(claim(connection, WORK, 10, moment, MINUTE).keys) == found


def test_a_worker_that_slept_too_long_records_nothing(database: Database) -> None:
    with database.writing() as connection:
        slept = claim(connection, WORK, 1, NOW, MINUTE)
    later = NOW + 2 * MINUTE
    with pytest.raises(LeaseLost), database.writing() as connection:
        require_held(connection, WORK, slept, 0, later)
    with database.writing() as connection:
        awake = claim(connection, WORK, 1, later, MINUTE)
        assert awake.keys == slept.keys == (0,)
    for stale in (NOW, later):
        with pytest.raises(LeaseLost), database.writing() as connection:
            require_held(connection, WORK, slept, 0, stale)
    with database.writing() as connection:
        give_back(connection, WORK, slept)
        require_held(connection, WORK, awake, 0, later)


def test_what_is_given_back_is_taken_again(database: Database) -> None:
    with database.writing() as connection:
        lease = claim(connection, WORK, 2, NOW, MINUTE)
    with database.writing() as connection:
        assert not {0, 1}.intersection(claim(connection, WORK, 1, NOW + MINUTE / 2, MINUTE).keys)
        give_back(connection, WORK, lease)
        assert claim(connection, WORK, 2, NOW + MINUTE / 2, MINUTE).keys == (0, 1)


def test_a_claimer_on_postgresql_passes_one_that_is_still_choosing(postgres: Engine) -> None:
    database = make(postgres, 4)
    with database.writing() as first:
        assert claim(first, WORK, 2, NOW, MINUTE).keys == (0, 1)
        with database.writing() as second:
            # Whoever waited for the first would wait for ever.
            second.execute(text("SET LOCAL lock_timeout = '5s'"))
            assert claim(second, WORK, 2, NOW, MINUTE).keys == (2, 3)


def test_many_workers_do_everything_once(database_engine: Engine) -> None:
    database, done, lock = make(database_engine, 120), Counter[int](), threading.Lock()

    def work() -> None:
        while True:
            with database.writing() as connection:
                lease = claim(connection, WORK, 7, NOW, MINUTE)
            if not lease.keys:
                return
            for key in lease.keys:
                with database.writing() as connection:
                    require_held(connection, WORK, lease, key, NOW)
                    connection.execute(update(JOBS).where(JOBS.c.id == key).values(state="done"))
                with lock:
                    done[key] += 1

    with ThreadPoolExecutor(8) as pool:
        for worker in [pool.submit(work) for _ in range(8)]:
            worker.result(60)
    assert done == Counter(range(120))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["claim", "record", "die", "wait"]), st.integers(0, 3)), max_size=40
    )
)
def test_no_piece_is_recorded_twice_whatever_happens(
    database_engine: Engine, acts: list[tuple[str, int]]
) -> None:
    """Workers claim, record, die and sleep in any order; who records must hold the piece then."""
    database, moment, recorded = make(database_engine, 6), NOW, Counter[int]()
    held: dict[int, list[tuple[object, int]]] = {}
    for act, worker in acts:
        mine = held.setdefault(worker, [])
        if act == "claim":
            with database.writing() as connection:
                lease = claim(connection, WORK, 2, moment, MINUTE)
            mine.extend((lease, key) for key in lease.keys)
        elif act == "die":
            mine.clear()
        elif act == "wait":
            moment += MINUTE / 2
        elif mine:
            lease, key = mine.pop(0)
            try:
                with database.writing() as connection:
                    require_held(connection, WORK, lease, key, moment)  # type: ignore[arg-type]
                    connection.execute(update(JOBS).where(JOBS.c.id == key).values(state="done"))
                recorded[key] += 1
            except LeaseLost:
                pass
    assert all(times == 1 for times in recorded.values())
    with database.reading() as connection:
        done = connection.execute(select(JOBS.c.id).where(JOBS.c.state == "done")).scalars()
        assert set(done) == set(recorded)
    database.close()
