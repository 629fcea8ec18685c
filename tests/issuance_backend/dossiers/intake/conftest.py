from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.database import Database
from tests.support.engines import Engine, Sqlite
from tests.support.packet_centre import Centre, PlainDossiers, prepared_database
from tests.support.sealed_packets import Kit

_PREPARED: dict[str, str] = {}


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("intake")


@pytest.fixture
def database_url(database_engine: Engine, lasting: Path) -> str:
    """A copy of one prepared database: hashing passwords is slow on purpose."""
    if database_engine.name not in _PREPARED:
        original = Sqlite(lasting).new() if isinstance(database_engine, Sqlite) else database_engine.new()
        prepared_database(original).close()
        _PREPARED[database_engine.name] = original
    return database_engine.copy(_PREPARED[database_engine.name])


@pytest.fixture
def centre(tmp_path: Path, database_url: str) -> Centre:
    return Centre(Database(database_url), tmp_path, PlainDossiers())


@pytest.fixture
def kit(centre: Centre) -> Kit:
    return centre.kit()
