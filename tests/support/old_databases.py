"""A database as an older program left it, led from version to version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection, insert

from issuance_backend.moments import rfc3339
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.population_registry.tables import PERSONS
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


def add_person(connection: Connection, person: RegistryPerson, moment: datetime) -> None:
    """Write an entry as registries kept it before version 0017, when every date of birth was whole."""
    values = asdict(person) | {"recorded_at": rfc3339(moment)}
    del values["birth_known"]
    connection.execute(insert(PERSONS).values(values))
