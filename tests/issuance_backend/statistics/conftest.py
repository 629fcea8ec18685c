from __future__ import annotations

from collections.abc import Iterator

import pytest

from issuance_backend.app import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine


@pytest.fixture
def database(database_engine: Engine) -> Iterator[Database]:
    database = Database(database_engine.new())
    database.migrate(ISSUANCE_MIGRATIONS)
    yield database
    database.close()
