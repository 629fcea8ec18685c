"""Where the registry's database is and how its schema is brought up to date."""

from __future__ import annotations

from pathlib import Path

from monitoring.database import Database

DEFAULT_DATABASE_URL = "sqlite:///population_registry.db"
MIGRATIONS = Path(__file__).parent / "migrations"


def migrated(url: str) -> Database:
    """The registry's database with the newest schema."""
    database = Database(url)
    database.migrate(MIGRATIONS)
    return database
