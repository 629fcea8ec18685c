"""``python -m issuance_backend.population_registry``: prepare the registry, fill it with invented people.

The database is ``REGISTRY_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import msgspec

from issuance_backend import recorded_events, store_profile
from issuance_backend.blob_store.commands import add_store_commands, run_on_store
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import utc_now
from issuance_backend.population_registry import housekeeping_command, repository
from issuance_backend.population_registry.legacy_import.domain import COLUMNS, report_lines
from issuance_backend.population_registry.legacy_import.service import LegacyImport
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.people import repository as people
from issuance_backend.population_registry.publication.number_check import NumberCheck
from issuance_backend.population_registry.publication.service import PUBLISHABLE, PublicationOffice
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL, migrated, registry_store
from issuance_backend.population_registry.synthetic_citizens import generate
from issuance_backend.recorded_events import ChainBroken
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from verification.errors import VerificationError
from verification.identity.administrative_units import provinces
from verification.messages.life_event import (
    Death,
    DeathAnnulled,
    DeclaredMissing,
    Found,
    LifeEvent,
    LifeEventReport,
)
from verification.messages.national_time import vietnam_date
from verification.messages.person_query import LifeStatus
from verification.messages.publication import Receiver

MAX_PEOPLE = 1_000_000
_OPERATOR = "operator"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    database = migrated(os.environ.get("REGISTRY_DATABASE_URL", DEFAULT_DATABASE_URL))
    try:
        print(_COMMANDS.get(options.command, _upkeep)(options, database))
    except (ConfigurationFault, ValueError, VerificationError, ChainBroken) as fault:
        print(f"population_registry: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _upkeep(options: argparse.Namespace, database: Database) -> str:
    if options.command == "housekeeping":
        return housekeeping_command.run(options, os.environ, database)
    if options.command == "store":
        return run_on_store(options, lambda: _store(database))
    if options.command == "purge":
        return f"{RequestRegister(database, utc_now).purge()} old requests forgotten"
    if options.command == "verify-events":
        with database.reading() as connection:
            return f"{recorded_events.verify(connection)} recorded events, chain unbroken"
    return "schema is up to date"


def _store(database: Database) -> BlobStore:
    store = registry_store(os.environ, database, utc_now)
    if store is None:
        raise ConfigurationFault("REGISTRY_BLOB_KEYS_FILE, REGISTRY_BLOB_DIR: no store is set")
    return store


def _generate(options: argparse.Namespace, database: Database) -> str:
    count, export = options.count, options.export
    if not 0 < count <= MAX_PEOPLE:
        raise ValueError(f"--count is 1 to {MAX_PEOPLE}")
    moment = utc_now()
    names = {code: province.name for code, province in provinces().items()}
    with database.writing() as connection:
        store_profile.claim(connection, store_profile.DEMO)
        taken = repository.numbers_taken(connection)
        made = list(
            generate(count, options.seed, vietnam_date(moment), names, taken=taken, commune=options.commune)
        )
        repository.add(connection, [person for person, _ in made], moment)
    if export:
        # Which drawn portrait belongs to whom is for the test stand only: the registry has no biometrics.
        export.write_bytes(msgspec.json.format(msgspec.json.encode([citizen for _, citizen in made])))
    return f"{count} synthetic citizens added"


def _life_status(options: argparse.Namespace, database: Database) -> str:
    status = options.status
    with database.reading() as connection:
        number = people.reference_number(connection, options.citizen_number)
        person = repository.person(connection, number)
    if person is None:
        raise ValueError("no entry with this number")
    report = LifeEventReport(
        report_id=secrets.token_hex(16),
        occurred_on=options.since,
        document="command line",
        officer=_OPERATOR,
        event=_life_event(number, person.life_status, status),
    )
    LifeEventOffice(database, utc_now).report("registry-command", report)
    return f"recorded: {status}"


def _life_event(number: str, former: LifeStatus, status: LifeStatus) -> LifeEvent:
    if status is LifeStatus.DECEASED:
        return Death(citizen_number=number)
    if status is LifeStatus.MISSING:
        return DeclaredMissing(citizen_number=number)
    if former is LifeStatus.DECEASED:
        return DeathAnnulled(citizen_number=number)
    return Found(citizen_number=number)


def _import_legacy(options: argparse.Namespace, database: Database) -> str:
    desk = LegacyImport(database, utc_now)
    try:
        with options.file.open(encoding="utf-8-sig", newline="") as lines:
            tally = desk.rehearse(lines) if options.dry_run else desk.take_over(lines, options.officer)
    except OSError as fault:
        raise ValueError(f"the file cannot be read: {type(fault).__name__}") from None
    return "\n".join(report_lines(tally, options.of))


def _recapture_list(_: argparse.Namespace, database: Database) -> str:
    found = LegacyImport(database, utc_now).recapture_list()
    return "\n".join(f"{number},{citizen_number or ''}" for number, citizen_number in found)


def _receiver(options: argparse.Namespace, database: Database) -> str:
    asked = Receiver(receiver=options.name, attributes=tuple(options.attributes))
    PublicationOffice(database, utc_now).subscribe(_OPERATOR, asked)
    return f"{options.name} receives: {', '.join(asked.attributes) or 'nothing more'}"


def _number_check(_: argparse.Namespace, database: Database) -> str:
    found = NumberCheck(database).disagreeing()
    return "\n".join(f"{number},{' '.join(faults)}" for number, faults in found)


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Database], str]] = {
    "generate": _generate,
    "life-status": _life_status,
    "import-legacy": _import_legacy,
    "recapture-list": _recapture_list,
    "number-check": _number_check,
    "receiver": _receiver,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuance_backend.population_registry", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema up to date")
    making = commands.add_parser("generate", help="add invented citizens")
    making.add_argument("--count", type=int, required=True)
    making.add_argument("--seed", type=int, required=True, help="the same seed gives the same people")
    making.add_argument("--commune", help="where the first of them live: commune, district, province")
    making.add_argument(
        "--export", type=Path, metavar="FILE", help="numbers, names and portrait seeds as JSON"
    )
    status = commands.add_parser("life-status", help="record that a person died or is missing")
    status.add_argument("--citizen-number", required=True)
    status.add_argument("--status", type=LifeStatus, required=True, help=", ".join(LifeStatus))
    status.add_argument("--since", type=date.fromisoformat, required=True)
    older = commands.add_parser("import-legacy", help="take over an archive of older cards (CSV)")
    older.add_argument("file", type=Path, metavar="FILE", help=",".join(COLUMNS))
    older.add_argument("--officer", default=_OPERATOR)
    older.add_argument("--dry-run", action="store_true", help="only say what an import would do")
    older.add_argument("--of", type=int, metavar="LINES", help="the file is a sample of so many lines")
    commands.add_parser("recapture-list", help="number on the card and citizen number of bad scans")
    commands.add_parser("number-check", help="whose number does not agree with date of birth or sex")
    receiver = commands.add_parser("receiver", help="say what a program receives once it is published")
    receiver.add_argument("--name", required=True, help="the program's name among the registry's callers")
    receiver.add_argument(
        "--attributes",
        nargs="*",
        required=True,
        choices=sorted(PUBLISHABLE),
        help="none: it receives no more",
    )
    commands.add_parser("verify-events", help="walk the chain of recorded events")
    commands.add_parser("purge", help="forget answers kept for repeated requests")
    add_store_commands(commands.add_parser("store", help="keys, check and care of sealed pictures of forms"))
    keeping = commands.add_parser("housekeeping", help="what has to be done now and then")
    housekeeping_command.add_options(keeping)
    return parser


if __name__ == "__main__":
    sys.exit(main())
