"""``python -m issuance_backend housekeeping``: what has to be done now and then, and that nobody waits for.

Sessions that ended and answers kept for repeated requests are forgotten, what killed programs left in the
stores is swept, captures that were left at a counter are withdrawn, what applications that ended without a
card hold of a body is erased when its time is over, cards that nobody fetched are marked undelivered,
citizens' visits and the words of old complaints are forgotten, figures are counted again where their
definitions changed and held against the recorded events once a day, and those are signed. Any number of
programs may do it at once. Settings are the office's; a store that is not set is not swept, and without an
intake, whose keys the centre signs with, nothing is signed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from issuance_backend import housekeeping
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.citizen_access.housekeeping import erase_complaints, forget_visits
from issuance_backend.credentials.undelivered_desk import WAITING_DAYS, age
from issuance_backend.dossiers.counter.acts import withdraw_left
from issuance_backend.dossiers.intake.centre_keys import load_keys
from issuance_backend.dossiers.retention_desk import RetentionDesk
from issuance_backend.event_checkpoints import CheckpointDesk
from issuance_backend.idempotency.service import RequestRegister
from issuance_backend.intake_composition import issuance_intake
from issuance_backend.moments import utc_now
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.recount import Recount
from monitoring.database import Database
from monitoring.environment import read_settings

PAUSE_SECONDS = 600.0
_MODELS = "ISSUANCE_MODEL_DIR"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    housekeeping.add_options(parser, PAUSE_SECONDS)
    parser.add_argument("--days", type=int, default=WAITING_DAYS, help="how long an office keeps a card")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault and ValueError."""
    if options.days < 1:
        raise ValueError("a card waits at least a day")
    duties = {
        "ended sessions forgotten": OfficerDoor(database, utc_now).remove_ended_sessions,
        "old requests forgotten": RequestRegister(database, utc_now).purge,
        **_of_the_place(environ, database),
        "captures at counters withdrawn": lambda: withdraw_left(database, utc_now()),
        "dossiers' pictures erased": RetentionDesk(database, utc_now).erase,
        "cards undelivered": lambda: age(database, utc_now, options.days),
        "citizens' visits forgotten": lambda: forget_visits(database, utc_now()),
        "complaints' texts erased": lambda: erase_complaints(database, utc_now()),
        "recorded events counted again": Recount(database).what_is_due,
        "figures checked against the record": RecordCheckDesk(database, utc_now).what_is_due,
    }
    return housekeeping.keep_house(options, duties)


def _of_the_place(environ: Mapping[str, str], database: Database) -> dict[str, Callable[[], int]]:
    duties: dict[str, Callable[[], int]] = {}
    store = open_store(read_settings(StorePlace, "ISSUANCE_BLOB_", environ), database, utc_now)
    if store is not None:
        duties["objects swept"] = store.sweep
    key_dir = environ.get("ISSUANCE_INTAKE_KEY_DIR")
    if key_dir:
        desk = CheckpointDesk(database, load_keys(Path(key_dir)).receipts, utc_now)
        duties["recorded events signed"] = desk.sign
        # Nothing is opened here: no face model is loaded to look at a portrait.
        settings = {name: value for name, value in environ.items() if name != _MODELS}
        duties["packets swept"] = issuance_intake(settings, database).opening.sweep
    return duties
