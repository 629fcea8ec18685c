"""The commands of cards on their way and in citizens' hands: ``python -m issuance_backend credentials``.

``follow-registry`` asks ``ISSUANCE_REGISTRY_URL`` with ``ISSUANCE_REGISTRY_TOKEN_FILE``, a token with the
roles events.life-event and registry.read.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from issuance_backend import worker_loop
from issuance_backend.credentials.registry_feed import LONGEST_WAIT, LifeEventsOverHttp
from issuance_backend.credentials.registry_follower import RegistryFollower
from issuance_backend.credentials.undelivered_desk import WAITING_DAYS, age
from issuance_backend.moments import utc_now
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    aging = commands.add_parser("age", help="mark cards undelivered that wait too long at an office")
    aging.add_argument("--days", type=int, default=WAITING_DAYS)
    follow = commands.add_parser("follow-registry", help="suspend what belongs to people who died")
    worker_loop.add_options(follow)


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and VerificationError."""
    if options.action == "age":
        if options.days < 1:
            raise ValueError("a card waits at least a day")
        return f"{age(database, utc_now, options.days)} cards are undelivered"
    url, token_file = environ.get("ISSUANCE_REGISTRY_URL"), environ.get("ISSUANCE_REGISTRY_TOKEN_FILE")
    if not url or not token_file:
        raise ConfigurationFault("ISSUANCE_REGISTRY_URL or ISSUANCE_REGISTRY_TOKEN_FILE is not set")
    feed = LifeEventsOverHttp(url, read_secret(Path(token_file)))
    follower = RegistryFollower(database, feed, utc_now)
    # Only whoever goes on waits for news; the others ask what there is.
    wait = 0 if options.once or options.until_idle else LONGEST_WAIT
    worker = Worker(name="credentials", turn=lambda: follower.run_once(wait))
    return f"{worker_loop.work(options, worker)} events of the registry handled"
