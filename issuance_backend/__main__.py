"""``python -m issuance_backend``: prepare the database, enrol officers, check the recorded events.

The database is ``ISSUANCE_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from issuance_backend import recorded_events
from issuance_backend.app import issuance_database
from issuance_backend.moments import utc_now
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.recorded_events import ChainBroken
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    database = issuance_database(os.environ)
    try:
        print(_run(options, database))
    except (ConfigurationFault, ValueError, ChainBroken) as fault:
        print(f"issuance_backend: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _run(options: argparse.Namespace, database: Database) -> str:
    if options.command == "officer":
        door = OfficerDoor(database, utc_now)
        door.enrol(options.id, options.name or options.id, options.role, read_secret(options.password_file))
        return f"officer {options.id}: {', '.join(sorted(options.role))}"
    if options.command == "verify-events":
        with database.reading() as connection:
            return f"{recorded_events.verify(connection)} recorded events, chain unbroken"
    return "schema is up to date"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m issuance_backend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the schema up to date")
    commands.add_parser("verify-events", help="walk the chain of recorded events")
    officer = commands.add_parser("officer", help="enrol an officer, or give a known one a new password")
    add = officer.add_subparsers(dest="action", required=True).add_parser("add")
    add.add_argument("--id", required=True)
    add.add_argument("--name", help="as colleagues read it; the id unless given")
    add.add_argument("--role", type=Role, action="append", required=True, help=", ".join(Role))
    add.add_argument("--password-file", type=Path, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
