"""On SQLite whoever writes keeps whoever reads an entry waiting: a long job must not do so for long."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from issuance_backend.population_registry import repository
from issuance_backend.population_registry.accesses.service import MOST_TOLD, AccessLog
from issuance_backend.population_registry.legacy_import.domain import COLUMNS
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.reads.service import ReadBook
from monitoring.database import Database
from tests.support.issuance_office import citizens
from tests.support.registry_office import LOADED_AT, RegistryWorld, make_registry
from tests.support.stopwatch import require_in_time
from verification.messages.registry_access import ReadingFor

MANY = citizens(700)
NUMBER = MANY[0].citizen_number
GATEWAY_WAITS = 2.0


@pytest.fixture
def world(tmp_path: Path) -> RegistryWorld:
    made = make_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    with made.database.writing() as connection:
        repository.add(connection, MANY[len(citizens()) :], LOADED_AT)
    return made


def import_archive(world: RegistryWorld) -> None:
    lines = [",".join(COLUMNS)]
    for each in MANY:
        values = {
            "kind": "barcode_card",
            "number": each.citizen_number,
            "full_name": each.full_name,
            "date_of_birth": each.date_of_birth.isoformat(),
            "sex": each.sex,
            "issued_on": "2015-06-01",
            "barcode": each.citizen_number,
            "scan_quality": "80",
        }
        lines.append(",".join(values[name] for name in COLUMNS))
    world.legacy.take_over([line + "\n" for line in lines], "lan.archive")


def index(world: RegistryWorld) -> None:
    MatchingDesk(world.database, world.clock).refresh()


@pytest.mark.alone
@pytest.mark.parametrize("long_job", [import_archive, index])
def test_a_reading_does_not_wait_for_a_long_job(
    world: RegistryWorld, long_job: Callable[[RegistryWorld], None]
) -> None:
    other = Database(world.database.url)
    book, over, waited = ReadBook(other, world.clock), Event(), list[float]()

    def read() -> None:
        while not over.is_set():
            begun = time.monotonic()
            book.note(NUMBER, "gateway", ReadingFor())
            waited.append(time.monotonic() - begun)
            time.sleep(0.02)

    reader = Thread(target=read)
    reader.start()
    long_job(world)
    over.set()
    reader.join()
    # Nothing was lost: whatever was let through was written down.
    told = AccessLog(other, world.clock).of_person(NUMBER)
    assert len(told) == min(len(waited), MOST_TOLD)
    other.close()
    require_in_time(max(waited), GATEWAY_WAITS / 2)
