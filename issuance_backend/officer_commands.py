"""``python -m issuance_backend officer``: enrol, block and unblock officers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake.kit_office import revoke_keys_of_blocked
from issuance_backend.moments import utc_now
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor, OfficerRoster
from monitoring.database import Database
from monitoring.environment import read_secret


class _RosterEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One officer of a list that is enrolled at once."""

    id: str
    roles: tuple[Role, ...]
    password_file: str
    name: str | None = None
    unit: str | None = None


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    actions = parser.add_subparsers(dest="action", required=True)
    for name, told in (
        ("block", "end every session, refuse new ones, and trust no packet signed from now on"),
        ("unblock", "let sign in again; packets are signed with a new key"),
    ):
        action = actions.add_parser(name, help=told)
        action.add_argument("--id", required=True)
        action.add_argument("--by", required=True, help="whoever decides it, as it is recorded")
    several = actions.add_parser("add-all", help="enrol every officer of a list")
    several.add_argument("--roster", type=Path, required=True, help="JSON: id, roles, password_file, unit")
    add = actions.add_parser("add", help="enrol an officer, or give a known one a new password")
    add.add_argument("--id", required=True)
    add.add_argument("--name", help="as colleagues read it; the id unless given")
    add.add_argument("--role", type=Role, action="append", required=True, help=", ".join(Role))
    add.add_argument("--unit", help="where they work, as 001.02.00013; nobody sees more than their unit")
    add.add_argument("--password-file", type=Path, required=True)


def run(options: argparse.Namespace, _environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault and ValueError."""
    if options.action == "add":
        door = OfficerDoor(database, utc_now)
        password = read_secret(options.password_file)
        door.enrol(options.id, options.name or options.id, options.role, password, options.unit)
        return f"officer {options.id}: {', '.join(sorted(options.role))}"
    if options.action == "add-all":
        return _enrol_all(options.roster, OfficerDoor(database, utc_now))
    roster = OfficerRoster(database, utc_now, recorded_events.append, revoke_keys_of_blocked)
    if options.action == "block":
        keys = roster.block(options.id, options.by)
        return f"officer {options.id}: blocked, every session ended, {keys} signing keys revoked"
    roster.unblock(options.id, options.by)
    return f"officer {options.id}: may sign in"


def _enrol_all(roster: Path, door: OfficerDoor) -> str:
    entries = msgspec.json.decode(roster.read_bytes(), type=list[_RosterEntry])
    for entry in entries:
        password = read_secret(Path(entry.password_file))
        door.enrol(entry.id, entry.name or entry.id, entry.roles, password, entry.unit)
    return f"{len(entries)} officers enrolled"
