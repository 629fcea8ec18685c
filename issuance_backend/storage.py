"""The issuance office's own database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from issuance_backend.settings import ISSUANCE_DATABASE
from monitoring.database import Database

ISSUANCE_MIGRATIONS = Path(__file__).parent / "migrations"


def issuance_database(environ: Mapping[str, str]) -> Database:
    """The issuance office's database with the newest schema, for commands that work on it directly."""
    database = Database(environ.get("ISSUANCE_DATABASE_URL", ISSUANCE_DATABASE))
    database.migrate(ISSUANCE_MIGRATIONS)
    return database
