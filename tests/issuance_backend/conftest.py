from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import Engine
from tests.support.issuance_office import Office, make_office
from tests.support.quick_passwords import _quick_passwords

__all__ = ["_quick_passwords"]


@pytest.fixture(scope="session")
def office_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office") / "pki"


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Office:
    return make_office(tmp_path, office_pki, database_engine)
