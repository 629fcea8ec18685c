from __future__ import annotations

import pytest

from tests.support.application_desk import Desk, make_desk
from tests.support.engines import Engine


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)
