from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import Engine
from tests.support.search_bed import SearchBed, make_bed


@pytest.fixture
def bed(tmp_path: Path, database_engine: Engine) -> SearchBed:
    return make_bed(tmp_path, database_engine)
