"""The commands of the biometric search: ``python -m issuance_backend search``.

``ISSUANCE_SEARCH_KEY_DIR`` is the folder of gallery keys. A worker compares templates and makes none: it
needs no models.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

from issuance_backend import worker_loop
from issuance_backend.biometric_search import gallery_record
from issuance_backend.biometric_search.composition import compared_modalities
from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.further_modalities import PROFILE
from issuance_backend.biometric_search.further_modalities import SETTING as FURTHER_MODALITIES
from issuance_backend.biometric_search.gallery_index import GalleryIndex
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.gallery_shares import GalleryShares, MakeModalities
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.biometric_search.worker import NewIndex, SearchWorker
from issuance_backend.moments import utc_now
from issuance_backend.store_profile import DEMO
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from monitoring.environment import ConfigurationFault


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    gallery = commands.add_parser("open-gallery", help="open a gallery and make its key")
    gallery.add_argument("--code", required=True)
    gallery.add_argument("--kind", type=GalleryKind, required=True, help=", ".join(GalleryKind))
    gallery.add_argument("--province", metavar="CODE", help="whose it is: 001 or 01 for Hà Nội")
    work = commands.add_parser("work", help="do what is queued until told to stop")
    work.add_argument("--shares", type=int, default=1, help="in how many programs a gallery lies in memory")
    worker_loop.add_options(work)
    record = commands.add_parser("verify-record", help="walk a gallery's own record of who asked")
    record.add_argument("--code", required=True)
    accuracy = commands.add_parser("accuracy", help="measure FNIR and FPIR over labelled captures")
    accuracy.add_argument("--captures", type=Path, required=True, help="folder with labels.csv")
    accuracy.add_argument("--whose", required=True, help="who was captured, as it is published")
    accuracy.add_argument("--out", type=Path, required=True, help="folder for accuracy.json, .csv and .svg")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and VerificationError."""
    if options.action == "accuracy":
        # It makes templates; a worker, which does not, holds no engine in memory.
        return str(import_module("issuance_backend.accuracy_command").run(options, environ))
    keys = KeyRoom(_folder(environ, "ISSUANCE_SEARCH_KEY_DIR"))
    if options.action == "open-gallery":
        desk = SearchDesk(database, keys, Modalities(()), utc_now)
        desk.open_gallery(options.code, options.kind, options.province)
        return f"gallery {options.code} is open; keep a copy of its key apart from the database"
    if options.action == "verify-record":
        with database.reading() as connection:
            lines = gallery_record.verify(connection, keys.key(options.code))
        return f"{len(lines)} lines, chain unbroken"
    make = partial(compared_modalities, environ.get(FURTHER_MODALITIES, ""), environ.get(PROFILE, DEMO))
    searcher = SearchWorker(database, keys, make(), utc_now, new_index=_index(options.shares, make))
    worker = Worker(name="search", turn=lambda: int(searcher.run_once()))
    return f"{worker_loop.work(options, worker)} tasks done"


def _index(shares: int, make: MakeModalities) -> NewIndex:
    if shares < 1:
        raise ConfigurationFault("--shares: 1 or more")
    if shares == 1:
        return GalleryIndex
    return lambda modalities: GalleryShares(modalities, make, shares)


def _folder(environ: Mapping[str, str], name: str) -> Path:
    folder = environ.get(name)
    if not folder:
        raise ConfigurationFault(f"{name} is not set")
    return Path(folder)
