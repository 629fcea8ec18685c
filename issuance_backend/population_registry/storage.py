"""Where the registry's database and its store of sealed pictures are, for commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from issuance_backend.blob_store.place import StorePlace, open_store
from issuance_backend.blob_store.service import BlobStore
from issuance_backend.moments import Clock
from monitoring.database import Database
from monitoring.environment import read_settings

DEFAULT_DATABASE_URL = "sqlite:///population_registry.db"
MIGRATIONS = Path(__file__).parent / "migrations"


def migrated(url: str) -> Database:
    """The registry's database with the newest schema."""
    database = Database(url)
    database.migrate(MIGRATIONS)
    return database


def registry_store(environ: Mapping[str, str], database: Database, clock: Clock) -> BlobStore | None:
    """The store that ``REGISTRY_BLOB_*`` sets, None where none is; raises ConfigurationFault."""
    return open_store(read_settings(StorePlace, "REGISTRY_BLOB_", environ), database, clock)
