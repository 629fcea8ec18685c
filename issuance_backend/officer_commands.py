"""``python -m issuance_backend officer``: enrol, certify, block and unblock officers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from issuance_backend import recorded_events
from issuance_backend.dossiers.intake.case_holds import holding
from issuance_backend.dossiers.intake.kit_office import revoke_keys_of_blocked
from issuance_backend.moments import utc_now
from issuance_backend.officers.certificates import Level
from issuance_backend.officers.certification import SOON, CertificationDesk
from issuance_backend.officers.domain import Role
from issuance_backend.officers.repository import account
from issuance_backend.officers.service import OfficerDoor, OfficerRoster
from issuance_backend.paging import PageAsked
from issuance_backend.recorded_events import SYSTEM
from monitoring.database import Database
from monitoring.environment import read_secret
from verification.errors import FieldsRefused
from verification.messages.officer_certificates import CertificateGrant


class _Certified(msgspec.Struct, forbid_unknown_fields=True):
    """The certificates that somebody brings along, for all their roles that need one."""

    valid_from: str
    valid_until: str
    issuer: str


_NEEDED = {Role.CAPTURE: Level.CAPTURE, Role.APPROVER: Level.APPROVAL}


class _RosterEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One officer of a list that is enrolled at once."""

    id: str
    roles: tuple[Role, ...]
    password_file: str
    name: str | None = None
    unit: str | None = None
    certificate: _Certified | None = None


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
    certify = actions.add_parser(
        "certify", help="certify an officer, who seals what they capture from then on"
    )
    certify.add_argument("--id", required=True)
    certify.add_argument("--level", type=Level, default=Level.CAPTURE, help=", ".join(Level))
    certify.add_argument("--from", dest="valid_from", required=True, help="the first day, as 2026-11-22")
    certify.add_argument("--until", dest="valid_until", required=True, help="the last day")
    certify.add_argument("--issuer", required=True, help="who issued the certificate")
    certify.add_argument("--by", required=True, help="whoever decides it, as it is recorded")
    ending = actions.add_parser("certificates", help="certificates that end soon and that no other follows")
    ending.add_argument("--within", type=int, default=SOON, help="so many days from today")
    several = actions.add_parser("add-all", help="enrol every officer of a list")
    several.add_argument(
        "--roster", type=Path, required=True, help="JSON: id, roles, password_file, unit, certificate"
    )
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
        return _enrol_all(options.roster, database)
    if options.action in {"certify", "certificates"}:
        return _certificates(options, database)
    roster = OfficerRoster(database, utc_now, recorded_events.append, revoke_keys_of_blocked)
    if options.action == "block":
        keys = roster.block(options.id, options.by)
        return f"officer {options.id}: blocked, every session ended, {keys} signing keys revoked"
    roster.unblock(options.id, options.by)
    return f"officer {options.id}: may sign in"


def _certificates(options: argparse.Namespace, database: Database) -> str:
    desk = _certification(database)
    if options.action == "certify":
        days = options.valid_from, options.valid_until
        asked = CertificateGrant(options.id, options.level, *days, options.issuer)
        _certify(desk, database, asked, options.by)
        return f"officer {options.id}: certified until {options.valid_until}"
    with database.reading() as connection:
        found = desk.ending_of(connection, None, options.within, PageAsked()).entries
    told = [f"{each.valid_until}  {each.officer}  {each.level.value}  {each.issuer}" for each in found]
    return "\n".join((*told, f"{len(found)} certificates end within {options.within} days"))


def _certification(database: Database) -> CertificationDesk:
    return CertificationDesk(database, utc_now, recorded_events.append, holding(database, utc_now))


def _certify(desk: CertificationDesk, database: Database, asked: CertificateGrant, by: str) -> None:
    try:
        with database.writing() as connection:
            if account(connection, asked.officer) is None:
                raise ValueError("there is no such officer")
            desk.write(connection, asked, by)
    except FieldsRefused as fault:
        raise ValueError(f"a certificate needs better {', '.join(sorted(fault.fields))}") from None


def _enrol_all(roster: Path, database: Database) -> str:
    door, desk = OfficerDoor(database, utc_now), _certification(database)
    entries = msgspec.json.decode(roster.read_bytes(), type=list[_RosterEntry])
    for entry in entries:
        password = read_secret(Path(entry.password_file))
        door.enrol(entry.id, entry.name or entry.id, entry.roles, password, entry.unit)
        if entry.certificate is not None:
            brought = msgspec.to_builtins(entry.certificate)
            for level in (_NEEDED[role] for role in entry.roles if role in _NEEDED):
                _certify(desk, database, CertificateGrant(entry.id, level, **brought), SYSTEM)
    return f"{len(entries)} officers enrolled"
