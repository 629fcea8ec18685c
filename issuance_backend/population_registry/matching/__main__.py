"""``python -m issuance_backend.population_registry.matching``: bring the matching index up to date, ask it.

The database is ``REGISTRY_DATABASE_URL``; every command brings its schema up to date first.
"""

from __future__ import annotations

import argparse
import os
import sys

import msgspec

from issuance_backend.moments import utc_now
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL, migrated
from verification.errors import VerificationError
from verification.messages.person_match import MatchQuery


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    database = migrated(os.environ.get("REGISTRY_DATABASE_URL", DEFAULT_DATABASE_URL))
    desk = MatchingDesk(database, utc_now)
    try:
        print(_run(options, desk))
    except VerificationError as fault:
        print(f"matching: {fault.code}", file=sys.stderr)
        return 1
    finally:
        database.close()
    return 0


def _run(options: argparse.Namespace, desk: MatchingDesk) -> str:
    if options.command == "refresh":
        return f"{desk.refresh()} entries indexed"
    found = desk.find(MatchQuery(full_name=options.name, date_of_birth=options.born, mother=options.mother))
    return msgspec.json.format(msgspec.json.encode(found)).decode()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuance_backend.population_registry.matching", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("refresh", help="index every entry that changed since it was indexed")
    finding = commands.add_parser("find", help="print who may be meant, and why")
    finding.add_argument("--name", required=True)
    finding.add_argument("--born", help="yyyy-mm-dd, dd/mm/yyyy, mm/yyyy or yyyy")
    finding.add_argument("--mother")
    return parser


if __name__ == "__main__":
    sys.exit(main())
