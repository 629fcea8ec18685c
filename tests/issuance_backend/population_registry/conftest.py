from __future__ import annotations

from collections.abc import Iterator

import pytest

from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from tests.support.engines import Engine
from tests.support.registry_office import RegistryWorld, make_registry


@pytest.fixture
def registry(database_engine: Engine) -> Iterator[RegistryWorld]:
    world = make_registry(database_engine.migrated(REGISTRY_MIGRATIONS))
    yield world
    # Whatever a test did, what happened is written down and hangs together.
    world.chain_length()
    world.database.close()
