"""``python -m issuance_backend seed``: an invented nation into a stand's registry."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from issuance_backend.moments import utc_now
from issuance_backend.population_registry.nation.paper_mill import Papers, written_beside
from issuance_backend.population_registry.nation.people import NationPlan
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.storage import migrated
from verification.messages.national_time import vietnam_date

_LEFT = (
    "not indexed for matching yet: housekeeping of the registry does it,"
    " or python -m issuance_backend.population_registry.matching refresh"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--people", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=1, help="the same seed and day give the same people")
    parser.add_argument(
        "--today",
        type=date.fromisoformat,
        metavar="DATE",
        help="the day on which they are alive (default today)",
    )
    parser.add_argument("--registry", required=True, metavar="URL", help="the registry's database")
    parser.add_argument(
        "--events", type=Path, metavar="FILE", help="births, marriages, moves, deaths as JSON"
    )
    parser.add_argument(
        "--papers", type=Path, metavar="FILE", help="old papers about them as JSON, every mistake labelled"
    )
    parser.add_argument("--index", action="store_true", help="index them for matching at once")


def run(options: argparse.Namespace) -> Iterator[str]:
    """Fill the registry, saying what is done. An index that is there stays whole; one that is not waits.

    Raises ValueError when asked for a count that is none, ConfigurationFault for a registry of real people.
    """
    started = time.monotonic()
    database = migrated(options.registry)
    try:
        today = options.today or vietnam_date(utc_now())
        plan = NationPlan(people=options.people, seed=options.seed, today=today)
        office = NationOffice(database, utc_now)
        with written_beside(Papers(options.events, options.papers, plan)) as write:
            people = office.seed(plan, write)
        spent = time.monotonic() - started
        yield f"{people} invented people in {spent:.1f} s, {people / spent:,.0f} a second"
        if not options.index and not office.is_indexed():
            yield _LEFT
            return
        started = time.monotonic()
        yield f"{office.index()} indexed for matching in {time.monotonic() - started:.1f} s"
    finally:
        database.close()
