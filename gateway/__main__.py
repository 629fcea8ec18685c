"""``python -m gateway``: serve, register partners and agents, check receipts and the log."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from pathlib import Path

from gateway.adapters.evidence_log import audit
from gateway.adapters.key_files import load_public_jwk, load_signing_key, load_trusted_log_keys
from gateway.adapters.sql_directory import SqlDirectory
from gateway.adapters.sql_schema import MIGRATIONS
from gateway.app import settings_from
from gateway.domain.partner import Agent, Partner, Standing
from gateway.domain.purpose import PURPOSES
from gateway.domain.refusals import LogTampered
from gateway.server import GatewayServer, prepare_metrics
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from verification.errors import ReceiptInvalid
from verification.messages.receipt import MAX_RECEIPT, read_receipt

EXIT_FINE, EXIT_REFUSED, EXIT_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 for a refusal, 2 for a wrong set-up."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConfigurationFault as fault:
        print(fault, file=sys.stderr)
        return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="migrate the database and answer requests (gunicorn)")
    serve.set_defaults(run=_serve)
    migrate = commands.add_parser("migrate", help="bring the database to the newest schema")
    migrate.set_defaults(run=_migrate)
    _add_directory_commands(commands)
    receipt = commands.add_parser("verify-receipt", help="check a receipt offline")
    receipt.add_argument("file", type=Path, help="the receipt, or - for standard input")
    receipt.add_argument("--trust", type=Path, required=True, help="folder with log_key*.jwk or log_key*.pem")
    receipt.set_defaults(run=_verify_receipt)
    log = commands.add_parser("verify-log", help="read the whole evidence log again")
    log.set_defaults(run=_verify_log)
    return parser


def _add_directory_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    partner = commands.add_parser("partner", help="partners").add_subparsers(required=True)
    add = partner.add_parser("add", help="register a partner, or replace its record")
    add.add_argument("--id", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--jwk", type=Path, required=True, help="public key: P-256 or Ed25519")
    add.add_argument("--standing", type=Standing, choices=list(Standing), default=Standing.ACTIVE)
    told = "why it may ask; once for each purpose"
    add.add_argument("--purpose", choices=list(PURPOSES), action="append", required=True, help=told)
    add.set_defaults(run=_add_partner)
    agent = commands.add_parser("agent", help="agents").add_subparsers(required=True)
    add = agent.add_parser("add", help="register an agent, or replace its record")
    add.add_argument("--id", required=True)
    add.add_argument("--partner", required=True)
    add.add_argument("--jwk", type=Path, required=True, help="public key: P-256 or Ed25519")
    add.add_argument("--standing", type=Standing, choices=list(Standing), default=Standing.ACTIVE)
    add.add_argument("--facility", type=_facility, help="code of the health facility in which it stands")
    add.set_defaults(run=_add_agent)


def _facility(text: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]{1,16}", text):
        raise argparse.ArgumentTypeError("capital letters and digits, at most 16")
    return text


def _database() -> Database:
    database = Database(settings_from(os.environ).database_url)
    database.migrate(MIGRATIONS)
    return database


def _serve(_options: argparse.Namespace) -> int:
    settings = settings_from(os.environ)
    # Once, before any worker exists: workers must not race for the schema.
    _database().close()
    prepare_metrics()
    GatewayServer(settings.listen, settings.workers, settings.threads).run()
    return EXIT_FINE


def _migrate(_options: argparse.Namespace) -> int:
    _database().close()
    return EXIT_FINE


def _add_partner(options: argparse.Namespace) -> int:
    key, purposes = load_public_jwk(options.jwk), frozenset(options.purpose)
    SqlDirectory(_database()).add_partner(Partner(options.id, options.name, options.standing, key, purposes))
    return EXIT_FINE


def _add_agent(options: argparse.Namespace) -> int:
    directory = SqlDirectory(_database())
    if directory.partner(options.partner) is None:
        raise ConfigurationFault(f"there is no partner {options.partner}")
    key = load_public_jwk(options.jwk)
    directory.add_agent(Agent(options.id, options.partner, options.standing, key, options.facility))
    return EXIT_FINE


def _verify_receipt(options: argparse.Namespace) -> int:
    keys = load_trusted_log_keys(options.trust)
    try:
        receipt = read_receipt(_receipt_text(options.file), keys)
    except ReceiptInvalid as fault:
        print(json.dumps({"valid": False, "code": fault.code, "reason": str(fault)}))
        return EXIT_REFUSED
    entry = receipt.entry
    told = {
        "valid": True,
        "log": receipt.iss,
        "sequence": entry.sequence,
        "session": entry.session,
        "partner": entry.partner,
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "code": entry.code,
        "assurance": entry.assurance,
        "recorded_at": entry.recorded_at,
    }
    print(json.dumps(told))
    return EXIT_FINE


def _receipt_text(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read(MAX_RECEIPT + 2) if str(file) == "-" else file.read_bytes()
        return content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise ReceiptInvalid("not a compact JWS") from None
    except OSError as fault:
        raise ConfigurationFault(f"receipt {file.name}: {type(fault).__name__}") from None


def _verify_log(_options: argparse.Namespace) -> int:
    settings = settings_from(os.environ)
    database = Database(settings.database_url)
    try:
        size = audit(database, load_signing_key(settings.log_key).public_key())
    except LogTampered as fault:
        print(json.dumps({"valid": False, "code": fault.code, "reason": str(fault)}))
        return EXIT_REFUSED
    finally:
        database.close()
    print(json.dumps({"valid": True, "entries": size}))
    return EXIT_FINE


if __name__ == "__main__":
    sys.exit(main())
