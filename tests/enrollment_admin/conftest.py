from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.issuance_office import Office, make_office
from tests.support.office_pages import pages_of
from tests.support.quick_passwords import _quick_passwords

__all__ = ["_quick_passwords"]


@pytest.fixture(scope="session")
def office_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office") / "pki"


@pytest.fixture
def office(tmp_path: Path, office_pki: Path) -> Office:
    return make_office(tmp_path, office_pki)


@pytest.fixture
def app(office: Office, tmp_path: Path) -> Iterator[Flask]:
    with pages_of(office, tmp_path) as pages:
        yield pages
