"""The invented nation: people drawn a second, and COPY into PostgreSQL against rows one by one.

In processor time, the server's share of the load included, for neighbours slow the clock on the wall. The
floor of the bulk load is ``executemany`` of the same rows into the same database, as SQLAlchemy writes rows
everywhere else; both end with every key and index in place. ``registry_bulk_load_over_driver`` has the bare
driver's ``executemany`` for its floor, which prepares nothing and checks nothing.
A whole seed is timed on the wall too, but not where neighbours work (``quick``).
Rates are shown as microseconds a person, because every goal here is an upper bound.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from issuance_backend.moments import rfc3339, utc_now
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.nation.paper_mill import Papers, written_beside
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.tables import PERSONS
from monitoring.bulk_load import indexes_made_afterwards, load_rows
from monitoring.database import Database
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.benchmarks.folders import new_folder
from tests.support.engines import Postgres

PEOPLE = 20_000
SEEDED = 100_000
ROUNDS, QUICK_ROUNDS = 7, 3
MICROSECONDS_GOAL = 50.0
"""20,000 people a second."""
COPY_GOAL = 0.25
DRIVER_GOAL = 1 / 3
_FIELDS = (*RegistryPerson.__dataclass_fields__, "recorded_at")


def run(rounds: int = ROUNDS) -> list[Figure]:
    """Generating and, where PostgreSQL is installed, loading."""
    plan = NationPlan(people=PEOPLE, seed=7, today=date(2026, 11, 21))
    made = min(_generating(plan) for _ in range(rounds))
    stored = min(_storing(plan) for _ in range(rounds))
    on_the_wall, busier = map(min, zip(*(_seeding() for _ in range(rounds // 2)), strict=True))
    figures = [
        at_most("nation_person_made", made / PEOPLE * 1e6, "us", goal=MICROSECONDS_GOAL),
        at_most("nation_person_stored", stored / PEOPLE * 1e6, "us", goal=MICROSECONDS_GOAL),
        at_most("nation_person_seeded_busier_program", busier / SEEDED * 1e6, "us", goal=MICROSECONDS_GOAL),
    ]
    if rounds == ROUNDS:
        seeded = on_the_wall / SEEDED * 1e6
        figures.append(at_most("nation_person_seeded", seeded, "us", goal=MICROSECONDS_GOAL))
    if Postgres.binaries() is None:
        return figures
    copied, inserted, by_driver = _loading([person.entry for person in make_nation(plan)], rounds)
    return [
        *figures,
        against_floor("registry_bulk_load", copied, "us", floor=inserted, goal=COPY_GOAL),
        against_floor("registry_bulk_load_over_driver", copied, "us", floor=by_driver, goal=DRIVER_GOAL),
    ]


def quick() -> list[Figure]:
    """The same in fewer rounds."""
    return run(QUICK_ROUNDS)


def _generating(plan: NationPlan) -> float:
    started = time.thread_time()
    for _ in make_nation(plan):
        pass
    return time.thread_time() - started


def _storing(plan: NationPlan) -> float:
    """As the command does it: made, and written into a registry's own file."""
    database = migrated(f"sqlite:///{new_folder()}/registry.db")
    started = time.thread_time()
    NationOffice(database, utc_now).seed(plan)
    spent = time.thread_time() - started
    database.close()
    return spent


def _seeding() -> tuple[float, float]:
    """Seconds for people, events and papers: on the wall, and of a processor for the busier program."""
    plan = NationPlan(people=SEEDED, seed=7, today=date(2026, 11, 21))
    folder = new_folder()
    database = migrated(f"sqlite:///{folder}/registry.db")
    started, before, before_beside = time.perf_counter(), time.process_time(), _spent_beside()
    with written_beside(Papers(folder / "events", folder / "papers", plan)) as write:
        NationOffice(database, utc_now).seed(plan, write)
    wall = time.perf_counter() - started
    busier = max(time.process_time() - before, _spent_beside() - before_beside)
    database.close()
    return wall, busier


def _spent_beside() -> float:
    """Processor seconds of every program that this one started and that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _loading(entries: list[RegistryPerson], rounds: int) -> tuple[float, float, float]:
    """Microseconds a person of COPY, executemany and the driver's own, each the best of rounds in turn."""
    moment = rfc3339(utc_now())
    rows = [(*(getattr(entry, name) for name in _FIELDS[:-1]), moment) for entry in entries]
    named = [dict(zip(_FIELDS, row, strict=True)) for row in rows]
    marks = ", ".join(["%s"] * len(_FIELDS))
    # Names of tables and columns are written in our own source.
    statement = f"INSERT INTO {PERSONS.name} ({', '.join(_FIELDS)}) VALUES ({marks})"  # noqa: S608

    def copy(connection: Connection) -> None:
        with indexes_made_afterwards(connection, PERSONS):
            # Every way is handed plain values, in the form that it takes.
            load_rows(connection, PERSONS.name, _FIELDS, rows)

    def executemany(connection: Connection) -> None:
        connection.execute(insert(PERSONS), named)

    def by_driver(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            cursor.executemany(statement, rows)

    ways = (copy, executemany, by_driver)
    server = Postgres(new_folder())
    server.start()
    try:
        database = migrated(server.new())
        times = [[_spent(database, way) for way in ways] for _ in range(rounds)]
        database.close()
    finally:
        server.stop()
    best_copy, best_many, best_driver = (
        min(of_way) / len(entries) * 1e6 for of_way in zip(*times, strict=True)
    )
    return best_copy, best_many, best_driver


def _spent(database: Database, way: Callable[[Connection], None]) -> float:
    """Processor seconds of this thread and of the server's for it; the table begins and ends empty."""
    with database.writing() as connection:
        # A server's process that helps with an index would not be counted.
        connection.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
        driver: Any = connection.connection.driver_connection
        account = Path(f"/proc/{driver.info.backend_pid}/schedstat")
        before = time.thread_time_ns() + _nanoseconds(account)
        way(connection)
        spent = time.thread_time_ns() + _nanoseconds(account) - before
    with database.writing() as connection:
        # Every way finds a table that is as empty as on the first day: no dead rows to step over.
        connection.execute(text(f"TRUNCATE {PERSONS.name} CASCADE"))
    return spent / 1e9


def _nanoseconds(account: Path) -> int:
    """Time that a process was on a processor (proc(5))."""
    return int(account.read_text(encoding="ascii").split()[0])
