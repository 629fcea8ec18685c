"""``python -m issuance_backend``: prepare the database, enrol officers, check the recorded events.

The database is ``ISSUANCE_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import utc_now
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.partly_done import PartlyDone
from issuance_backend.recorded_events import ChainBroken
from issuance_backend.statistics import roll_up
from issuance_backend.statistics.record_check import FiguresDiffer, RecordCheckDesk
from issuance_backend.statistics.recount import Recount
from issuance_backend.storage import issuance_database
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from verification.errors import VerificationError


class _Commands(Protocol):
    """A module of commands."""

    def add_commands(self, parser: argparse.ArgumentParser) -> None:
        """Describe the commands."""

    def run(self, options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
        """Do what was asked, and say what was done."""


# A worker runs one of them for days: it holds in memory what that one needs, and nothing of the others.
_COMMANDS = {
    "officer": ("officer_commands", "enrol, block and unblock officers"),
    "store": ("blob_commands", "keys, check and care of sealed pictures"),
    "credentials": ("credential_commands", "cards on their way and in use"),
    "produce": ("production_commands", "make the cards of batches"),
    "search": ("search_commands", "biometric galleries and their queue"),
    "dossiers": ("dossier_commands", "the search of duplicates"),
    "packets": ("packet_commands", "the intake of sealed packets"),
    "work": ("joint_commands", "several workers in one process"),
    "verify-events": ("event_commands", "walk the chain of recorded events, and what was signed of it"),
    "housekeeping": ("housekeeping_commands", "what has to be done now and then"),
}

_TO_COUNT = "no report is given before housekeeping, or rebuild-figures, has counted all events again"


def _commands(name: str) -> _Commands:
    return cast(_Commands, import_module(f"issuance_backend.{_COMMANDS[name][0]}"))


def _nation() -> Any:
    return import_module("issuance_backend.population_registry.nation.command")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given[0] if given else "").parse_args(given)
    if options.command == "seed":
        return _seed(options)
    database = issuance_database(os.environ)
    try:
        print(_run(options, database))
    except (ConfigurationFault, ValueError, ChainBroken, FiguresDiffer, VerificationError) as fault:
        if isinstance(fault, PartlyDone):
            print(fault.done)
        print(f"issuance_backend: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _seed(options: argparse.Namespace) -> int:
    """The registry's database is named on the command line: the office's is not touched."""
    try:
        for line in _nation().run(options):
            print(line, flush=True)
    except (ConfigurationFault, ValueError, OSError) as fault:
        print(f"issuance_backend: {fault}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, database: Database) -> str:
    if options.command in _COMMANDS:
        return _commands(options.command).run(options, os.environ, database)
    return _upkeep(options.command, database)


def _upkeep(command: str, database: Database) -> str:
    if command == "purge":
        sessions = OfficerDoor(database, utc_now).remove_ended_sessions()
        requests = RequestRegister(database, utc_now).purge()
        return f"{sessions} ended sessions and {requests} old requests forgotten"
    if command == "rebuild-figures":
        return f"{Recount(database).everything()} recorded events counted again"
    if command == "check-figures":
        return RecordCheckDesk(database, utc_now).told()
    with database.reading() as connection:
        is_told = roll_up.is_current(connection)
    return "schema is up to date" if is_told else f"schema is up to date; {_TO_COUNT}"


def _parser(chosen: str) -> argparse.ArgumentParser:
    """Every command, and the arguments of the chosen one."""
    parser = argparse.ArgumentParser(prog="python -m issuance_backend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema up to date")
    commands.add_parser("rebuild-figures", help="make every figure again from the recorded events")
    commands.add_parser("check-figures", help="hold every figure against the recorded events")
    commands.add_parser("purge", help="forget ended sessions and answers kept for repeated requests")
    for name, (_, told) in _COMMANDS.items():
        described = commands.add_parser(name, help=told)
        if name == chosen:
            _commands(name).add_commands(described)
    seed = commands.add_parser("seed", help="fill a registry with an invented nation")
    if chosen == "seed":
        _nation().add_arguments(seed)
    return parser


if __name__ == "__main__":
    sys.exit(main())
