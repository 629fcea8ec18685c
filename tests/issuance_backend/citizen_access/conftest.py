from __future__ import annotations

from pathlib import Path

import pytest

from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from tests.support.citizen_counter import CitizenCounter, citizen_counter
from tests.support.engines import Engine, Sqlite
from tests.support.issuance_office import Office, make_office
from tests.support.registry_office import make_registry


@pytest.fixture
def counter(tmp_path: Path, office_pki: Path) -> CitizenCounter:
    engine = Sqlite(tmp_path)
    return citizen_counter(
        make_office(tmp_path, office_pki, engine),
        make_registry(engine.migrated(REGISTRY_MIGRATIONS)),
        tmp_path,
    )


@pytest.fixture
def any_counter(office: Office, database_engine: Engine, tmp_path: Path) -> CitizenCounter:
    """For what an engine may do in its own way: on either of the two."""
    return citizen_counter(office, make_registry(database_engine.migrated(REGISTRY_MIGRATIONS)), tmp_path)
