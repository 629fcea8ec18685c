"""``python -m issuance_backend``: prepare the database, enrol officers, check the recorded events.

The database is ``ISSUANCE_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from issuance_backend import blob_commands, recorded_events, search_commands
from issuance_backend.app import issuance_database
from issuance_backend.blob_commands import StoreDamaged
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.moments import utc_now
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor, OfficerRoster
from issuance_backend.population_registry.nation import command as nation_command
from issuance_backend.recorded_events import ChainBroken
from issuance_backend.statistics.service import StatisticsOffice
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret
from verification.errors import VerificationError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    if options.command == "seed":
        return _seed(options)
    database = issuance_database(os.environ)
    try:
        print(_run(options, database))
    except (ConfigurationFault, ValueError, ChainBroken, StoreDamaged, VerificationError) as fault:
        print(f"issuance_backend: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _seed(options: argparse.Namespace) -> int:
    """The registry's database is named on the command line: the office's is not touched."""
    try:
        print(nation_command.run(options))
    except ValueError as fault:
        print(f"issuance_backend: {fault}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, database: Database) -> str:
    if options.command == "officer":
        return _officer(options, database)
    if options.command == "store":
        return blob_commands.run(options, os.environ, database)
    if options.command == "search":
        return search_commands.run(options, os.environ, database)
    return _upkeep(options.command, database)


def _upkeep(command: str, database: Database) -> str:
    if command == "purge":
        sessions = OfficerDoor(database, utc_now).remove_ended_sessions()
        requests = RequestRegister(database, utc_now).purge()
        return f"{sessions} ended sessions and {requests} old requests forgotten"
    if command == "verify-events":
        with database.reading() as connection:
            return f"{recorded_events.verify(connection)} recorded events, chain unbroken"
    if command == "rebuild-figures":
        return f"{StatisticsOffice(database, utc_now).rebuild()} recorded events counted again"
    return "schema is up to date"


def _officer(options: argparse.Namespace, database: Database) -> str:
    if options.action == "add":
        door = OfficerDoor(database, utc_now)
        door.enrol(options.id, options.name or options.id, options.role, read_secret(options.password_file))
        return f"officer {options.id}: {', '.join(sorted(options.role))}"
    roster = OfficerRoster(database, utc_now, recorded_events.append)
    if options.action == "block":
        roster.block(options.id, options.by)
        return f"officer {options.id}: blocked, every session ended"
    roster.unblock(options.id, options.by)
    return f"officer {options.id}: may sign in"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m issuance_backend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema up to date")
    commands.add_parser("verify-events", help="walk the chain of recorded events")
    commands.add_parser("rebuild-figures", help="make every figure again from the recorded events")
    commands.add_parser("purge", help="forget ended sessions and answers kept for repeated requests")
    blob_commands.add_commands(commands.add_parser("store", help="keys, check and care of sealed pictures"))
    search_commands.add_commands(commands.add_parser("search", help="biometric galleries and their queue"))
    nation_command.add_arguments(commands.add_parser("seed", help="fill a registry with an invented nation"))
    officer = commands.add_parser("officer", help="enrol, block and unblock officers")
    actions = officer.add_subparsers(dest="action", required=True)
    for name, told in (("block", "end every session and refuse new ones"), ("unblock", "let sign in again")):
        action = actions.add_parser(name, help=told)
        action.add_argument("--id", required=True)
        action.add_argument("--by", required=True, help="whoever decides it, as it is recorded")
    add = actions.add_parser("add", help="enrol an officer, or give a known one a new password")
    add.add_argument("--id", required=True)
    add.add_argument("--name", help="as colleagues read it; the id unless given")
    add.add_argument("--role", type=Role, action="append", required=True, help=", ".join(Role))
    add.add_argument("--password-file", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
