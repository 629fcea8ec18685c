"""The commands of production: ``python -m issuance_backend produce``, with the settings of the office."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from issuance_backend import worker_loop
from issuance_backend.personalization.chip_key_pool import ChipKeyPool
from issuance_backend.production_composition import card_line_from
from issuance_backend.worker_loop import Worker
from monitoring.database import Database


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    work = commands.add_parser("work", help="make the cards of batches until told to stop")
    worker_loop.add_options(work)


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault and VerificationError."""
    with ChipKeyPool() as keys:
        line = card_line_from(environ, database, keys)
        worker = Worker(name="production", turn=lambda: int(line.run_once()))
        return f"{worker_loop.work(options, worker)} orders worked on"
