"""The commands of dossiers: ``python -m issuance_backend dossiers``.

``ISSUANCE_SEARCH_KEY_DIR`` is the folder of gallery keys, ``ISSUANCE_MODEL_DIR`` that of the face models,
``ISSUANCE_BLOB_*`` the store of sealed pictures, ``ISSUANCE_APPROVAL_KEY_FILE`` the key that signs lists.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from issuance_backend import worker_loop
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.service import SearchDesk
from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.dossiers.approval_lists.service import ListWriter
from issuance_backend.dossiers.deduplication import DeduplicationDesk
from issuance_backend.dossiers.intake.centre_keys import load_key, make_key
from issuance_backend.dossiers.intake.domain import SignerKind
from issuance_backend.dossiers.intake.kit_office import admit_signer
from issuance_backend.dossiers.national_gallery import NationalGallery
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.moments import utc_now
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Role
from issuance_backend.personalization.portrait_judge import installed_engine
from issuance_backend.picture_templates import face_maker, finger_maker
from issuance_backend.worker_loop import Worker
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_settings
from verification.messages.approval_list import OFFICE
from verification.messages.packet_intake import SignerRegistration
from verification.messages.signing_key import public_jwk


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    commands = parser.add_subparsers(dest="action", required=True)
    work = commands.add_parser(
        "work", help="lead dossiers through the search of duplicates until told to stop"
    )
    worker_loop.add_options(work)
    new_key = commands.add_parser("new-list-key", help="make the key that signs lists of local approvals")
    new_key.add_argument("--key", type=Path, required=True, help="the file of the key")
    new_key.add_argument("--by", required=True, help="the supervisor who decides it")
    commands.add_parser("list-former", help="sign for what was approved before there were lists")


def run(options: argparse.Namespace, environ: Mapping[str, str], database: Database) -> str:
    """Do what was asked; raises ConfigurationFault, ValueError and VerificationError."""
    if options.action == "new-list-key":
        return _new_list_key(options.key, options.by, database)
    if options.action == "list-former":
        return f"{_list_writer(environ).close_former(database, utc_now)} dossiers listed"
    desk = DeduplicationDesk(database, _gallery(environ, database), utc_now)
    worker = Worker(name="dossiers", turn=desk.run_once)
    return f"{worker_loop.work(options, worker)} steps taken"


def _new_list_key(path: Path, by: str, database: Database) -> str:
    """Make a key, and let the centre take lists that are signed with it; one it refused is not left."""
    with database.reading() as connection:
        account = officers.account(connection, by)
    if account is None or account.is_suspended:
        raise ValueError("there is no such officer")
    account.officer.require(Role.SUPERVISOR)
    try:
        key = make_key(path)
    except FileExistsError:
        raise ValueError("there is a key in this file") from None
    asked = SignerRegistration(SignerKind.OFFICE, OFFICE, dict(public_jwk(key.public_key())))
    with ExitStack() as undo:
        undo.callback(path.unlink)
        with database.writing() as connection:
            admit_signer(connection, account.officer, asked, utc_now())
        undo.pop_all()
    return "the office signs lists of local approvals with it when its programs start anew"


def _list_writer(environ: Mapping[str, str]) -> ListWriter:
    key = environ.get("ISSUANCE_APPROVAL_KEY_FILE")
    if not key:
        raise ConfigurationFault("ISSUANCE_APPROVAL_KEY_FILE is not set")
    return ListWriter(load_key(Path(key)))


def _gallery(environ: Mapping[str, str], database: Database) -> NationalGallery:
    keys, models = environ.get("ISSUANCE_SEARCH_KEY_DIR"), environ.get("ISSUANCE_MODEL_DIR")
    if not keys:
        raise ConfigurationFault("ISSUANCE_SEARCH_KEY_DIR is not set")
    model_dir = Path(models) if models else None
    engine = installed_engine(model_dir) if model_dir else None
    modalities = installed_modalities(engine.id if engine else None)
    store = open_store(read_settings(StorePlace, "ISSUANCE_BLOB_", environ), database, utc_now)
    return NationalGallery(
        SearchDesk(database, KeyRoom(Path(keys)), modalities, utc_now),
        Pictures(database, store),
        face_maker(modalities, model_dir),
        finger_maker(modalities),
    )
