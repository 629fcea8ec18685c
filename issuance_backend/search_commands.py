"""The commands of the biometric search: ``python -m issuance_backend search``.

``ISSUANCE_SEARCH_KEY_DIR`` is the folder of gallery keys, ``ISSUANCE_MODEL_DIR`` that of the face models.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from issuance_backend import worker_loop
from issuance_backend.biometric_search import gallery_record
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.moments import utc_now
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from monitoring.environment import ConfigurationFault

ENGINE_SECONDS = 60.0


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    gallery = commands.add_parser("open-gallery", help="open a gallery and make its key")
    gallery.add_argument("--code", required=True)
    gallery.add_argument("--kind", type=GalleryKind, required=True, help=", ".join(GalleryKind))
    gallery.add_argument("--province")
    work = commands.add_parser("work", help="do what is queued until told to stop")
    worker_loop.add_options(work)
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
    engine = _face_engine(models) if models else None
    searcher = SearchWorker(database, keys, installed_modalities(engine), utc_now)
    worker = Worker(name="search", turn=lambda: int(searcher.run_once()))
    return f"{worker_loop.work(options, worker)} tasks done"


def _face_engine(models: str) -> str | None:
    """Templates are compared here and never made: a process of its own tries the models."""
    command = [sys.executable, "-m", "issuance_backend.personalization.face_engine_name", models]
    tried = subprocess.run(command, capture_output=True, check=False, text=True, timeout=ENGINE_SECONDS)
    if tried.returncode:
        raise ConfigurationFault("ISSUANCE_MODEL_DIR: the face engine cannot be tried")
    return tried.stdout.strip() or None


def _folder(environ: Mapping[str, str], name: str) -> Path:
    folder = environ.get(name)
    if not folder:
        raise ConfigurationFault(f"{name} is not set")
    return Path(folder)
