"""The commands of dossiers: ``python -m issuance_backend dossiers``.

``ISSUANCE_SEARCH_KEY_DIR`` is the folder of gallery keys, ``ISSUANCE_MODEL_DIR`` that of the face models,
``ISSUANCE_BLOB_*`` the store of sealed pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from issuance_backend import worker_loop
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.face_modality import FACE, FaceModality
from issuance_backend.biometric_search.finger_modality import FINGER, FingerModality
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.dossiers.deduplication import DeduplicationDesk
from issuance_backend.dossiers.national_gallery import FaceMaker, FingerMaker, NationalGallery
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.moments import utc_now
from issuance_backend.personalization.finger_pictures import read_finger
from issuance_backend.personalization.portrait_judge import installed_engine
from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_settings
from verification.face.picture import Picture
from verification.fingerprint.nbis_engine import NbisEngine


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    work = commands.add_parser(
        "work", help="lead dossiers through the search of duplicates until told to stop"
    )
    worker_loop.add_options(work)


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, DeduplicationUnavailable."""
    desk = DeduplicationDesk(database, _gallery(environ, database), utc_now)
    worker = Worker(name="dossiers", turn=desk.run_once)
    return f"{worker_loop.work(options, worker)} steps taken"


def _gallery(environ: Mapping[str, str], database: Database) -> NationalGallery:
    keys, models = environ.get("ISSUANCE_SEARCH_KEY_DIR"), environ.get("ISSUANCE_MODEL_DIR")
    if not keys:
        raise ConfigurationFault("ISSUANCE_SEARCH_KEY_DIR is not set")
    engine = installed_engine(Path(models)) if models else None
    modalities = installed_modalities(engine.id if engine else None)
    store = open_store(read_settings(StorePlace, "ISSUANCE_BLOB_", environ), database, utc_now)
    face = modalities.named(FACE) if FACE in modalities.codes else None
    finger = modalities.named(FINGER)
    return NationalGallery(
        SearchDesk(database, KeyRoom(Path(keys)), modalities, utc_now),
        Pictures(database, store),
        FaceMaker(engine, face, _shown) if engine and isinstance(face, FaceModality) else None,
        FingerMaker(NbisEngine(), finger, read_finger) if isinstance(finger, FingerModality) else None,
    )


def _shown(portrait: bytes) -> Picture:
    return bgr(card_picture(portrait))
