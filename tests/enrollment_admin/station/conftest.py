"""The centre that a kit seals to, and the kit's pages with an officer before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from issuance_backend.dossiers.intake.centre_keys import CentreKeys, load_keys, make_keys
from tests.support.kit_pages_bench import KitPages, kit_pages
from tests.support.office_pages import Browser


@pytest.fixture(scope="module")
def centre_keys(tmp_path_factory: pytest.TempPathFactory) -> CentreKeys:
    folder = tmp_path_factory.mktemp("centre") / "keys"
    make_keys(folder, "2026-11")
    return load_keys(folder)


@pytest.fixture
def pages(tmp_path: Path, centre_keys: CentreKeys) -> KitPages:
    return kit_pages(tmp_path, centre_keys)


@pytest.fixture
def lan(pages: KitPages) -> Browser:
    return pages.sign_in()
