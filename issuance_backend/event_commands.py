"""``python -m issuance_backend verify-events``: walk the recorded events, and what was signed of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from issuance_backend import event_checkpoints, recorded_events
from issuance_backend.dossiers.intake.centre_keys import load_keys
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from verification.messages.signing_key import PublicKey, thumbprint


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--against", type=Path, help="a checkpoint that was kept elsewhere")
    parser.add_argument("--keep", type=Path, help="where to write the newest checkpoint")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ChainBroken, SignatureInvalid and ConfigurationFault."""
    with database.reading() as connection:
        told = f"{recorded_events.verify(connection)} recorded events, chain unbroken"
        keys = _keys(environ)
        if options.against:
            event_checkpoints.require_kept(
                connection, options.against.read_text(encoding="ascii").strip(), keys
            )
        if keys:
            told += f", signed up to {event_checkpoints.verify(connection, keys)}"
        newest = event_checkpoints.newest_token(connection)
    if options.keep:
        if newest is None:
            raise ConfigurationFault("nothing is signed yet: `housekeeping --once` signs")
        options.keep.write_text(newest, encoding="ascii")
    return told


def _keys(environ: Mapping[str, str]) -> dict[str, PublicKey]:
    folder = environ.get("ISSUANCE_INTAKE_KEY_DIR")
    if not folder:
        return {}
    key = load_keys(Path(folder)).receipts.public_key()
    return {thumbprint(key): key}
