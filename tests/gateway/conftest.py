"""One gateway a test, over its own database on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.sql_schema import MIGRATIONS
from tests.support.engines import Engine
from tests.support.gateway_world import World, make_world


@pytest.fixture
def world(tmp_path: Path, database_engine: Engine) -> World:
    return make_world(tmp_path, database_url=database_engine.migrated(MIGRATIONS))
