"""``python -m issuance_backend.population_registry.rules``: judge a file of records, or list the rules.

``check`` reads one JSON object a line with the fields of form DC01 and prints how often each rule was
broken, never whose record broke it. Units are those of ``REGISTRY_DATABASE_URL``.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from issuance_backend.moments import utc_now
from issuance_backend.population_registry.rules.bulk import check_lines
from issuance_backend.population_registry.rules.domain import rule_book
from issuance_backend.population_registry.storage import DEFAULT_DATABASE_URL, migrated
from issuance_backend.population_registry.units.service import UnitOffice
from verification.errors import VerificationError
from verification.messages.national_time import vietnam_date


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it was done, 1 when it was refused, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        print(_listed(options.on) if options.command == "list" else _checked(options))
    except (VerificationError, OSError) as fault:
        print(f"rules: {fault}", file=sys.stderr)
        return 1
    return 0


def _listed(day: date) -> str:
    return "\n".join(
        f"{rule.name}\t{rule.legal_basis}\t{rule.text.vi}" for rule in rule_book() if rule.is_on(day)
    )


def _checked(options: argparse.Namespace) -> str:
    database = migrated(os.environ.get("REGISTRY_DATABASE_URL", DEFAULT_DATABASE_URL))
    try:
        units = UnitOffice(database, utc_now).register()
    finally:
        database.close()
    with options.file.open("rb") as lines:
        report = check_lines(lines, options.on, units, options.processes)
    counts = [f"{rule}\t{count}" for rule, count in sorted(report.broken.items())]
    return "\n".join([f"records\t{report.records}", f"without findings\t{report.without_findings}", *counts])


def _parser() -> argparse.ArgumentParser:
    today = vietnam_date(utc_now())
    parser = argparse.ArgumentParser(
        prog="python -m issuance_backend.population_registry.rules", description=__doc__
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="print the rules in force on a day")
    checking = commands.add_parser("check", help="judge a file of records")
    checking.add_argument("file", type=Path)
    checking.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    for command in (listing, checking):
        command.add_argument("--on", type=date.fromisoformat, default=today, help="the day of the forms")
    return parser


if __name__ == "__main__":
    sys.exit(main())
