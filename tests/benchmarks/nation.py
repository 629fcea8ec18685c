"""The invented nation: people drawn a second, and COPY into PostgreSQL against rows one by one.

The floor of the bulk load is ``executemany`` of the same rows by the same driver in the same database.
Rates are shown as microseconds a person, because every goal here is an upper bound.
"""

from __future__ import annotations

import tempfile
import time
from datetime import date
from pathlib import Path

from sqlalchemy import insert, text

from issuance_backend.moments import rfc3339, utc_now
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.nation import repository
from issuance_backend.population_registry.nation.people import NationPlan, make_nation
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.tables import PERSONS
from monitoring.database import Database
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support.engines import Postgres

PEOPLE = 20_000
ROUNDS = 5
MICROSECONDS_GOAL = 50.0
"""20,000 people a second."""
COPY_GOAL = 0.25
_PLAN = NationPlan(people=PEOPLE, seed=7, today=date(2026, 11, 21))


def quick() -> list[Figure]:
    """Generating alone: the bulk load misses its goal by up to a quarter (issuance_backend/DECISIONS.md)."""
    made = min(_generating(_PLAN) for _ in range(ROUNDS))
    return [at_most("nation_person_made", made / PEOPLE * 1e6, "us", goal=MICROSECONDS_GOAL)]


def run() -> list[Figure]:
    """Generating and loading."""
    figures = quick()
    if Postgres.binaries() is None:
        return figures
    entries = [person.entry for person in make_nation(_PLAN)]
    copied, inserted = _loading(entries)
    per_person = 1e6 / len(entries)
    loaded = against_floor(
        "registry_bulk_load", copied * per_person, "us", floor=inserted * per_person, goal=COPY_GOAL
    )
    return [*figures, loaded]


def _generating(plan: NationPlan) -> float:
    started = time.perf_counter()
    for _ in make_nation(plan):
        pass
    return time.perf_counter() - started


def _loading(entries: list[RegistryPerson]) -> tuple[float, float]:
    """Seconds of COPY and of executemany, the best of the rounds that take turns."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            database = migrated(server.new())
            rounds = [(_copy(database, entries), _executemany(database, entries)) for _ in range(ROUNDS)]
            database.close()
        finally:
            server.stop()
    return min(copied for copied, _ in rounds), min(inserted for _, inserted in rounds)


def _copy(database: Database, entries: list[RegistryPerson]) -> float:
    started = time.perf_counter()
    with database.writing() as connection, repository.indexes_made_afterwards(connection, PERSONS):
        repository.load_persons(connection, entries, rfc3339(utc_now()))
    spent = time.perf_counter() - started
    _empty(database)
    return spent


def _executemany(database: Database, entries: list[RegistryPerson]) -> float:
    names = list(RegistryPerson.__dataclass_fields__)
    moment = rfc3339(utc_now())
    rows = [{**{name: getattr(entry, name) for name in names}, "recorded_at": moment} for entry in entries]
    started = time.perf_counter()
    with database.writing() as connection:
        connection.execute(insert(PERSONS), rows)
    spent = time.perf_counter() - started
    _empty(database)
    return spent


def _empty(database: Database) -> None:
    # Both ways find a table that is as empty as on the first day: no dead rows to step over.
    with database.writing() as connection:
        connection.execute(text(f"TRUNCATE {PERSONS.name} CASCADE"))
