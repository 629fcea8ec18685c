"""The commands of the biometric search: ``python -m issuance_backend search``.

``ISSUANCE_SEARCH_KEY_DIR`` is the folder of gallery keys, ``ISSUANCE_MODEL_DIR`` that of the face models.
"""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from issuance_backend.biometric_search import gallery_record
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.moments import utc_now
from issuance_backend.personalization.portrait_judge import judge_from
from monitoring.database import Database
from monitoring.environment import ConfigurationFault

PAUSE_SECONDS = 0.2


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    gallery = commands.add_parser("open-gallery", help="open a gallery and make its key")
    gallery.add_argument("--code", required=True)
    gallery.add_argument("--kind", type=GalleryKind, required=True, help=", ".join(GalleryKind))
    gallery.add_argument("--province")
    work = commands.add_parser("work", help="do what is queued until told to stop")
    work.add_argument("--once", action="store_true", help="stop when nothing waits")
    record = commands.add_parser("verify-record", help="walk a gallery's own record of who asked")
    record.add_argument("--code", required=True)


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault and VerificationError."""
    keys = KeyRoom(_folder(environ, "ISSUANCE_SEARCH_KEY_DIR"))
    if options.action == "open-gallery":
        desk = SearchDesk(database, keys, Modalities(()), utc_now)
        desk.open_gallery(options.code, options.kind, options.province)
        return f"gallery {options.code} is open; keep a copy of its key apart from the database"
    if options.action == "verify-record":
        with database.reading() as connection:
            lines = gallery_record.verify(connection, keys.key(options.code))
        return f"{len(lines)} lines, chain unbroken"
    models = environ.get("ISSUANCE_MODEL_DIR")
    judge = judge_from(Path(models) if models else None)
    worker = SearchWorker(database, keys, installed_modalities(judge.engine), utc_now)
    return f"{worker.run_pending() if options.once else _work(worker)} tasks done"


def _work(worker: SearchWorker) -> int:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    done = 0
    while not ended.is_set():
        if worker.run_once():
            done += 1
        else:
            ended.wait(PAUSE_SECONDS)
    return done


def _folder(environ: Mapping[str, str], name: str) -> Path:
    folder = environ.get(name)
    if not folder:
        raise ConfigurationFault(f"{name} is not set")
    return Path(folder)
