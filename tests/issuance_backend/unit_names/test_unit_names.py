"""The office asks a real registry over HTTP what units were called, and says so when it does not answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import migrated
from issuance_backend.population_registry.units.service import UnitOffice
from issuance_backend.unit_names.registry_map import UnitMapOverHttp
from tests.support.issuance_office import Office
from tests.support.served_app import serving
from verification.errors import RegistryUnavailable
from verification.messages.dc01 import UnitEntry, UnitTables

RENAMED = date(2026, 3, 1)
DISTRICT = UnitEntry(
    code="01.024", level="commune", name="Xã Đầu", valid_from=date(2025, 7, 1),
    valid_to=RENAMED, legal_basis="thử nghiệm",
)  # fmt: skip
TABLES = UnitTables(
    units=(
        DISTRICT,
        UnitEntry(
            code="01.024", level="commune", name="Xã Sau", valid_from=RENAMED, legal_basis="thử nghiệm"
        ),
    )
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    url, tokens = f"sqlite:///{tmp_path / 'registry.db'}", tmp_path / "registry_tokens.json"
    UnitOffice(migrated(url), lambda: datetime(2026, 11, 21, tzinfo=UTC)).load(TABLES, "an.register")
    digest = hashlib.sha256(b"office").hexdigest()
    tokens.write_text(json.dumps({"office": {"sha256": digest, "roles": ["registry.read"]}}))
    tokens.chmod(0o600)
    app = create_registry_app(RegistrySettings(service_tokens=tokens, database_url=url))
    with serving(app) as address:
        yield address


def test_a_unit_is_told_under_every_name_it_had(registry: str) -> None:
    units = UnitMapOverHttp(registry, "office")
    told = [(unit.name, unit.valid_from, unit.valid_to) for unit in units.names("01.024")]
    assert told == [("Xã Đầu", date(2025, 7, 1), RENAMED), ("Xã Sau", RENAMED, None)]
    assert [unit.name for unit in units.names("01")] == ["Hà Nội"]
    for nothing in ("01.999", "..", "a/b?c", "é"):
        assert units.names(nothing) == []


def test_a_registry_that_does_not_answer_is_said_plainly(registry: str) -> None:
    for units in (UnitMapOverHttp(registry, "wrong"), UnitMapOverHttp("http://127.0.0.1:9", "office")):
        with pytest.raises(RegistryUnavailable):
            units.names("01.024")


def test_officers_are_told_and_strangers_are_not(office: Office) -> None:
    path = "/v1/unit-names/01.024"
    assert office.sign_in("lan.capture").get(path).get_json() == []
    assert office.client().get(path).status_code == 401
    office.registry.is_up = False
    refused = office.sign_in("lan.capture").get(path)
    assert (refused.status_code, refused.get_json()["code"]) == (503, "REGISTRY_UNAVAILABLE")
