from __future__ import annotations

import hashlib
import json
import sqlite3
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from issuance_backend.population_registry import __main__ as command
from issuance_backend.population_registry import repository, tables
from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import MIGRATIONS as REGISTRY_MIGRATIONS
from monitoring.database import Database
from tests.support.engines import Engine, schema_differences
from tests.support.issuance_office import citizens
from verification.messages.life_event import Death, LifeEventReport

PERSON = citizens()[0]
GATEWAY, OFFICE = "gateway-token", "office-token"


@pytest.fixture
def database(database_engine: Engine) -> Database:
    database = Database(database_engine.migrated(REGISTRY_MIGRATIONS))
    with database.writing() as connection:
        repository.add(connection, citizens(), datetime(2026, 1, 1, tzinfo=UTC))
    return database


@pytest.fixture
def client(tmp_path: Path, database: Database) -> FlaskClient:
    callers = tmp_path / "callers.json"
    callers.write_text(
        json.dumps(
            {
                "gateway": {
                    "sha256": hashlib.sha256(GATEWAY.encode()).hexdigest(),
                    "roles": ["person.query"],
                },
                "office": {"sha256": hashlib.sha256(OFFICE.encode()).hexdigest(), "roles": ["registry.read"]},
            }
        )
    )
    return create_registry_app(
        RegistrySettings(service_tokens=callers, database_url=database.url)
    ).test_client()


def ask(client: FlaskClient, token: str = GATEWAY, **changes: str) -> Any:
    query = {
        "citizen_number": PERSON.citizen_number,
        "full_name": PERSON.full_name,
        "date_of_birth": PERSON.date_of_birth.isoformat(),
        "sex": PERSON.sex,
        **changes,
    }
    return client.post("/v1/person-queries", json=query, headers={"Authorization": f"Bearer {token}"})


def test_says_which_attributes_agree(client: FlaskClient) -> None:
    assert ask(client).get_json() == {
        "found": True,
        "matched": {"full_name": True, "date_of_birth": True, "sex": True},
        "life_status": "alive",
    }
    assert ask(client, date_of_birth="1900-01-01").get_json()["matched"]["date_of_birth"] is False
    assert ask(client, sex="F" if PERSON.sex == "M" else "M").get_json()["matched"]["sex"] is False


def test_a_name_agrees_in_any_form_and_not_without_its_tone_marks(client: FlaskClient) -> None:
    decomposed = unicodedata.normalize("NFD", PERSON.full_name.upper())
    assert ask(client, full_name=decomposed).get_json()["matched"]["full_name"] is True
    bare = "".join(c for c in unicodedata.normalize("NFD", PERSON.full_name) if not unicodedata.combining(c))
    assert ask(client, full_name=bare).get_json()["matched"]["full_name"] is False


def test_nobody_is_said_to_be_nobody(client: FlaskClient) -> None:
    answer = ask(client, citizen_number="001099000000").get_json()
    assert answer == {"found": False, "matched": {}, "life_status": None}


def test_a_death_shows(client: FlaskClient, database: Database) -> None:
    office = LifeEventOffice(database, lambda: datetime(2026, 11, 21, 3, tzinfo=UTC))
    death = Death(citizen_number=PERSON.citizen_number)
    office.report(
        "civil-register", LifeEventReport("report-0001", date(2026, 10, 1), "Trích lục 1", "lan", death)
    )
    assert ask(client).get_json()["life_status"] == "deceased"


@pytest.mark.parametrize("token", ["", "wrong", OFFICE])
def test_a_caller_without_the_role_learns_nothing(client: FlaskClient, token: str) -> None:
    answer = ask(client, token)
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "SERVICE_NOT_PERMITTED"
    assert PERSON.full_name not in answer.get_data(as_text=True)


def test_whole_entries_are_for_readers_only(client: FlaskClient) -> None:
    path = f"/v1/persons/{PERSON.citizen_number}"
    assert client.get(path, headers={"Authorization": f"Bearer {GATEWAY}"}).status_code == 401
    answer = client.get(path, headers={"Authorization": f"Bearer {OFFICE}"})
    assert answer.get_json()["person"]["full_name"] == PERSON.full_name
    assert answer.headers["Cache-Control"] == "no-store"
    unknown = client.get("/v1/persons/000", headers={"Authorization": f"Bearer {OFFICE}"})
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "REGISTRY_PERSON_UNKNOWN")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"citizen_number":1}', "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"{}", "text/plain", 400),
        (b" " * 20_000, "application/json", 413),
    ],
)
def test_a_body_that_is_no_query_is_refused(client: FlaskClient, body: bytes, kind: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {GATEWAY}"}
    answer = client.post("/v1/person-queries", data=body, content_type=kind, headers=headers)
    assert answer.status_code == status


def test_no_biometric_data_stands_in_the_registry() -> None:
    words = ("portrait", "finger", "face", "iris", "template", "seed")
    assert not [c.name for c in tables.PERSONS.c if any(word in c.name for word in words)]


def test_migrations_make_exactly_the_tables_of_the_code(database_engine: Engine) -> None:
    database = Database(database_engine.new())
    database.migrate(REGISTRY_MIGRATIONS)
    assert schema_differences(database, tables.METADATA) == []


def test_the_generator_exports_portraits_only_to_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", f"sqlite:///{tmp_path / 'r.db'}")
    export = tmp_path / "people.json"
    for seed in ("1", "2"):
        assert command.main(["generate", "--count", "30", "--seed", seed, "--export", str(export)]) == 0
    people = json.loads(export.read_text())
    assert people[0].keys() == {"citizen_number", "full_name", "portrait_seed"}
    with sqlite3.connect(tmp_path / "r.db") as raw:
        assert raw.execute("select count(*) from persons").fetchone() == (60,)
    assert command.main(["generate", "--count", "0", "--seed", "1"]) == 1
