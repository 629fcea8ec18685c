"""I12: invented and real people never share a database, whoever comes first."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from issuance_backend import __main__ as office_command
from issuance_backend import store_profile
from issuance_backend.app import issuance_from
from issuance_backend.population_registry import __main__ as registry_command
from issuance_backend.population_registry import repository as registry
from issuance_backend.population_registry.app import registry_from
from issuance_backend.population_registry.nation.people import NationPlan
from issuance_backend.population_registry.nation.service import NationOffice
from issuance_backend.population_registry.storage import migrated
from issuance_backend.storage import ISSUANCE_MIGRATIONS
from monitoring.database import Database
from monitoring.environment import ConfigurationFault
from tests.support.engines import Engine

SCANNED = {"REGISTRY_CONTENT_SCANNER": "unix:/run/clamav/clamd.ctl"}
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def started(tmp_path: Path, database_engine: Engine) -> Callable[[str], object]:
    """Starts the registry over one database in a profile."""
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps({}))
    url = database_engine.new()
    start = {"REGISTRY_DATABASE_URL": url, "REGISTRY_SERVICE_TOKENS": str(tokens)} | SCANNED
    return lambda profile: registry_from({**start, "REGISTRY_PROFILE": profile}) and url


def people(url: str) -> int:
    database = Database(url)
    with database.reading() as connection:
        count = registry.count(connection)
    database.close()
    return count


def seed(url: str) -> None:
    database = migrated(url)
    try:
        NationOffice(database, lambda: NOW).seed(NationPlan(people=20, seed=1, today=date(2026, 11, 21)))
    finally:
        database.close()


def test_a_registry_of_real_people_takes_in_no_invented_ones(
    started: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = started("production")
    with pytest.raises(ConfigurationFault, match="production"):
        seed(url)
    monkeypatch.setenv("REGISTRY_DATABASE_URL", url)
    assert registry_command.main(["generate", "--count", "5", "--seed", "1"]) == 1
    assert office_command.main(["seed", "--people", "5", "--registry", url]) == 1
    assert capsys.readouterr().err.count("profile production") == 2
    assert people(url) == 0
    started("production")


def test_a_registry_of_invented_people_never_starts_for_real_ones(started: Callable[[str], str]) -> None:
    url = started("demo")
    seed(url)
    with pytest.raises(ConfigurationFault, match="demo"):
        started("production")
    seed(url)
    assert people(url) == 40


def test_people_that_were_invented_before_any_start_count_too(
    database_engine: Engine, tmp_path: Path
) -> None:
    url = database_engine.new()
    seed(url)
    tokens = tmp_path / "tokens.json"
    tokens.write_text("{}")
    start = {"REGISTRY_DATABASE_URL": url, "REGISTRY_SERVICE_TOKENS": str(tokens)} | SCANNED
    with pytest.raises(ConfigurationFault, match="demo"):
        registry_from({**start, "REGISTRY_PROFILE": "production"})


def test_a_registry_of_real_people_never_starts_without_a_scanner(tmp_path: Path) -> None:
    start = {"REGISTRY_SERVICE_TOKENS": str(tmp_path / "tokens.json"), "REGISTRY_PROFILE": "production"}
    for said in ({}, {"REGISTRY_CONTENT_SCANNER": "none"}):
        with pytest.raises(ConfigurationFault, match="REGISTRY_CONTENT_SCANNER"):
            registry_from({**start, **said})


@pytest.mark.parametrize("profile", ["Production", "prod", ""])
def test_a_misspelt_profile_starts_nothing(started: Callable[[str], str], profile: str) -> None:
    with pytest.raises(ConfigurationFault, match="REGISTRY_PROFILE"):
        started(profile)


def test_an_offices_database_is_of_its_profile_from_the_first_start(
    tmp_path: Path, database_engine: Engine
) -> None:
    url = database_engine.new()
    database = Database(url)
    database.migrate(ISSUANCE_MIGRATIONS)
    with database.writing() as connection:
        store_profile.claim(connection, store_profile.PRODUCTION)
    tokens = tmp_path / "tokens.json"
    tokens.write_text("{}")
    environ = {
        "ISSUANCE_DATABASE_URL": url,
        "ISSUANCE_SERVICE_TOKENS": str(tokens),
        "ISSUANCE_REGISTRY_URL": "http://127.0.0.1:9",
        "ISSUANCE_REGISTRY_TOKEN_FILE": str(tokens),
        "ISSUANCE_PKI_DIR": str(tmp_path),
        "ISSUANCE_CARD_DIR": str(tmp_path / "cards"),
    }
    with pytest.raises(ConfigurationFault, match="production"):
        issuance_from(environ)
    database.close()


def test_of_two_that_claim_at_once_one_wins_and_the_other_is_told(database_engine: Engine) -> None:
    database = migrated(database_engine.new())

    def take(profile: str) -> str | None:
        try:
            with database.writing() as connection:
                store_profile.claim(connection, profile)
        except ConfigurationFault:
            return None
        return profile

    with ThreadPoolExecutor(8) as pool:
        took = list(pool.map(take, (store_profile.DEMO, store_profile.PRODUCTION) * 8))
    assert len(set(took) - {None}) == 1
    assert took.count(None) == 8
    database.close()
