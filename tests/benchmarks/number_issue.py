"""Citizen numbers out of a real database: none twice, and what one costs.

As many are drawn as a test has time for; ten million are ``make bench ONLY=ten_million_numbers``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from issuance_backend.population_registry.numbers.domain import NumberRequest
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.population_registry.numbers.tables import CITIZEN_NUMBERS
from issuance_backend.population_registry.storage import migrated
from tests.benchmarks.figure import Figure, at_most

NUMBERS = 60_000
BATCH = 5_000
PREFIXES = tuple(f"{province:03d}{century}90" for province in (1, 79) for century in range(6))
GOAL_MICROSECONDS = 200.0


def run(numbers: int = NUMBERS) -> list[Figure]:
    """Duplicates, and the time of one reservation."""
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        database = migrated(f"sqlite:///{Path(folder) / 'registry.db'}")
        office = NumberOffice(database, lambda: moment)
        given: set[str] = set()
        drawn, seconds = 0, 0.0
        for first in range(0, numbers, BATCH):
            requests = [
                NumberRequest(f"request-{number:012d}", PREFIXES[number % len(PREFIXES)])
                for number in range(first, min(first + BATCH, numbers))
            ]
            start = time.perf_counter()
            reserved = office.reserve_all("benchmark", requests)
            seconds += time.perf_counter() - start
            drawn += len(reserved)
            given.update(reservation.citizen_number for reservation in reserved)
        with database.reading() as connection:
            kept = connection.execute(select(func.count()).select_from(CITIZEN_NUMBERS)).scalar_one()
        database.close()
    duplicates = drawn - len(given) + abs(drawn - kept)
    return [
        at_most("number_issue_duplicates", duplicates, f"of {drawn}", goal=0),
        at_most("number_issue_reservation", seconds / drawn * 1e6, "us", goal=GOAL_MICROSECONDS),
    ]


def main() -> None:
    """Draw as many as the command line says."""
    parser = argparse.ArgumentParser(prog="tests.benchmarks.number_issue")
    parser.add_argument("--numbers", type=int, default=NUMBERS)
    for figure in run(parser.parse_args().numbers):
        print(figure)


if __name__ == "__main__":
    main()
