"""The intake of packets and the store of pictures for commands, put together as ``ISSUANCE_*`` sets them."""

from __future__ import annotations

from collections.abc import Mapping

from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.content_scanning.place import scanner_at
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.intake.composition import (
    Intake,
    IntakePlace,
    dossier_door,
    extract_desk,
    intake,
)
from issuance_backend.dossiers.intake.extract_desk import KitExtractDesk
from issuance_backend.dossiers.intake.extract_source import ExtractsOverHttp
from issuance_backend.dossiers.packet_desk import PacketDesk
from issuance_backend.dossiers.pictures import Pictures
from issuance_backend.dossiers.registry_client import RegistryOverHttp
from issuance_backend.moments import utc_now
from issuance_backend.personalization.portrait_judge import judge_from
from issuance_backend.settings import IssuanceSettings
from monitoring.database import Database
from monitoring.environment import ConfigurationFault, read_secret, read_settings


def issuance_intake(environ: Mapping[str, str], database: Database) -> Intake:
    """The intake of sealed packets as ``ISSUANCE_*`` sets it, for commands; raises ConfigurationFault."""
    settings, place = _settings(environ)
    source = RegistryOverHttp(settings.registry_url, read_secret(settings.registry_token_file))
    scanner = scanner_at(settings.content_scanner)
    checks = CaptureChecks(source, judge_from(settings.model_dir), scanner)
    pictures = Pictures(database, open_store(settings.store_place, database, utc_now))
    return intake(database, place, dossier_door(database, PacketDesk(checks, pictures)), utc_now, scanner)


def issuance_extracts(environ: Mapping[str, str], database: Database) -> KitExtractDesk:
    """The desk that seals extracts for kits, for commands; raises ConfigurationFault."""
    settings, place = _settings(environ)
    source = ExtractsOverHttp(settings.registry_url, read_secret(settings.registry_token_file))
    return extract_desk(database, place, source, utc_now)


def issuance_pictures(environ: Mapping[str, str], database: Database) -> tuple[Pictures, BlobStore]:
    """The store that ``ISSUANCE_BLOB_*`` sets, for commands; raises ConfigurationFault without one."""
    place = read_settings(StorePlace, "ISSUANCE_BLOB_", environ)
    store = open_store(place, database, utc_now)
    if store is None:
        raise ConfigurationFault("ISSUANCE_BLOB_KEYS_FILE, ISSUANCE_BLOB_DIR: no store is set")
    return Pictures(database, store), store


def _settings(environ: Mapping[str, str]) -> tuple[IssuanceSettings, IntakePlace]:
    settings = read_settings(IssuanceSettings, "ISSUANCE_", environ)
    if settings.intake_key_dir is None:
        raise ConfigurationFault("ISSUANCE_INTAKE_KEY_DIR: no intake is set")
    return settings, IntakePlace(settings.intake_dir, settings.intake_key_dir)
