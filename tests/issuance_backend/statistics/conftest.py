from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from issuance_backend.moments import utc_now
from issuance_backend.officers.domain import Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine


@pytest.fixture
def database(database_engine: Engine) -> Iterator[Database]:
    database = Database(database_engine.migrated(ISSUANCE_MIGRATIONS))
    # Somebody works there: its report is zeros before anything was counted, and not refused.
    OfficerDoor(database, utc_now).enrol("tu.unit", "Tú", (Role.CAPTURE,), secrets.token_hex(16), "001.02")
    yield database
    database.close()
