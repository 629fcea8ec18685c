"""The commands of the store of sealed pictures: ``python -m issuance_backend store``.

``ISSUANCE_BLOB_*`` says where the store is.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from issuance_backend.blob_store.commands import add_store_commands, run_on_store
from issuance_backend.intake_composition import issuance_pictures
from monitoring.database import Database


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = add_store_commands(parser)
    commands.add_parser("move-pictures", help="move pictures out of the database into the store")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and StoreDamaged."""
    if options.action == "move-pictures":
        pictures, _ = issuance_pictures(environ, database)
        return f"{pictures.move_to_store()} pictures moved into the store"
    return run_on_store(options, lambda: issuance_pictures(environ, database)[1])
