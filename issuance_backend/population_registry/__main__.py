"""``python -m issuance_backend.population_registry``: prepare the registry, fill it with invented people.

The database is ``REGISTRY_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec

from issuance_backend.moments import utc_now
from issuance_backend.population_registry import repository
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL, migrated
from issuance_backend.population_registry.synthetic_citizens import generate
from monitoring.database import Database
from verification.identity.administrative_units import provinces
from verification.messages.national_time import vietnam_date
from verification.messages.person_query import LifeStatus

MAX_PEOPLE = 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    database = migrated(os.environ.get("REGISTRY_DATABASE_URL", DEFAULT_DATABASE_URL))
    try:
        print(_run(options, database))
    except ValueError as fault:
        print(f"population_registry: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _run(options: argparse.Namespace, database: Database) -> str:
    if options.command == "generate":
        return _generate(database, options.count, options.seed, options.export)
    if options.command == "life-status":
        return _life_status(database, options.citizen_number, options.status, options.since)
    return "schema is up to date"


def _generate(database: Database, count: int, seed: int, export: Path | None) -> str:
    if not 0 < count <= MAX_PEOPLE:
        raise ValueError(f"--count is 1 to {MAX_PEOPLE}")
    moment = utc_now()
    names = {code: province.name for code, province in provinces().items()}
    with database.writing() as connection:
        taken = repository.numbers_taken(connection)
        made = list(generate(count, seed, vietnam_date(moment), names, taken=taken))
        repository.add(connection, [person for person, _ in made], moment)
    if export:
        # Which drawn portrait belongs to whom is for the test stand only: the registry has no biometrics.
        export.write_bytes(msgspec.json.format(msgspec.json.encode([citizen for _, citizen in made])))
    return f"{count} synthetic citizens added"


def _life_status(database: Database, citizen_number: str, status: LifeStatus, since: date) -> str:
    with database.writing() as connection:
        person = repository.person(connection, citizen_number)
        if person is None:
            raise ValueError("no entry with this number")
        repository.record_life_status(
            connection, replace(person, life_status=status, life_status_since=since)
        )
    return f"recorded: {status}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuance_backend.population_registry", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema up to date")
    making = commands.add_parser("generate", help="add invented citizens")
    making.add_argument("--count", type=int, required=True)
    making.add_argument("--seed", type=int, required=True, help="the same seed gives the same people")
    making.add_argument(
        "--export", type=Path, metavar="FILE", help="numbers, names and portrait seeds as JSON"
    )
    status = commands.add_parser("life-status", help="record that a person died or is missing")
    status.add_argument("--citizen-number", required=True)
    status.add_argument("--status", type=LifeStatus, required=True, help=", ".join(LifeStatus))
    status.add_argument("--since", type=date.fromisoformat, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
