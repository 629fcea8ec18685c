"""A database as an older program left it, led from version to version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic.config import Config

from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database


def migrate(
    database: Database,
    step: Callable[[Config, str], None],
    version: str,
    scripts: Path = ISSUANCE_MIGRATIONS,
) -> None:
    """Take an office's database to a version, by ``alembic.command.upgrade`` or ``downgrade``."""
    configuration = Config()
    configuration.set_main_option("script_location", str(scripts))
    with database.writing() as connection:
        configuration.attributes["connection"] = connection
        step(configuration, version)
