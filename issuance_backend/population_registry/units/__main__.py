"""``python -m issuance_backend.population_registry.units``: load units of a day, look at the map of a day.

The database is ``REGISTRY_DATABASE_URL``; every command brings its schema up to date first. The 63
provinces and the 34 units since July 2025 are always there; districts and communes come from files
``{"units": [{code, level, name, valid_from, valid_to, legal_basis}], "successions": [{code, successor, on,
legal_basis}]}``.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

import msgspec

from issuance_backend.moments import utc_now
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL, migrated
from issuance_backend.population_registry.units.service import UnitOffice
from verification.errors import VerificationError
from verification.messages.dc01 import UnitTables
from verification.messages.national_time import vietnam_date


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    database = migrated(os.environ.get("REGISTRY_DATABASE_URL", DEFAULT_DATABASE_URL))
    try:
        print(_run(options, UnitOffice(database, utc_now)))
    except VerificationError as fault:
        print(f"units: {fault.code}: {fault}", file=sys.stderr)
        return 1
    except (OSError, msgspec.DecodeError) as fault:
        print(f"units: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _run(options: argparse.Namespace, office: UnitOffice) -> str:
    if options.command == "load":
        tables = msgspec.json.decode(options.file.read_bytes(), type=UnitTables)
        return f"{office.load(tables, options.actor)} units loaded"
    units = office.under(options.parent, options.on)
    return "\n".join(f"{unit.code}\t{unit.level}\t{unit.name}" for unit in units)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuance_backend.population_registry.units", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="add units and successions from a JSON file")
    loading.add_argument("file", type=Path)
    loading.add_argument("--actor", required=True, help="who answers for the file")
    showing = commands.add_parser("show", help="print the units right below another on a day")
    showing.add_argument("--parent", default="")
    showing.add_argument("--on", type=date.fromisoformat, default=vietnam_date(utc_now()))
    return parser


if __name__ == "__main__":
    sys.exit(main())
