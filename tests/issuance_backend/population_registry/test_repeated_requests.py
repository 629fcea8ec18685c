"""A request to the registry that comes again: carried out once, answered as before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_backend.idempotency.domain import KEPT_FOR
from issuance_backend.moments import utc_now
from issuance_backend.population_registry import __main__ as command
from tests.support.issuance_office import citizens
from tests.support.registry_office import RegistryClient, RegistryWorld

KEY = "registrar-00000001"
ONE, OTHER = (person.citizen_number for person in citizens()[:2])


@pytest.fixture
def client(registry: RegistryWorld, tmp_path: Path) -> RegistryClient:
    return registry.client(tmp_path)


MERGE = {"act": "merge", "kept": ONE, "merged": OTHER, "reason": "registered_twice", "officer": "lan"}


def wanted(number: int = 1) -> dict[str, str]:
    return {
        "request_id": f"request-{number:010}",
        "province": "001",
        "date_of_birth": "1990-05-01",
        "sex": "M",
    }


def reserve(client: RegistryClient, number: int = 1, key: str | None = KEY) -> Any:
    return client.call("number.issue", "POST", "/v1/number-reservations", wanted(number), key)


def test_the_same_change_again_is_answered_as_before_and_done_once(
    registry: RegistryWorld, client: RegistryClient
) -> None:
    first, again = (client.call("person.merge", "POST", "/v1/merge-proposals", MERGE, KEY) for _ in range(2))
    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    length = registry.chain_length()
    assert client.call("person.merge", "POST", "/v1/merge-proposals", MERGE).status_code == 422, (
        "another request"
    )
    assert registry.chain_length() == length


def test_another_request_with_the_same_key_is_refused(client: RegistryClient) -> None:
    reserve(client)
    other = reserve(client, 2)
    assert (other.status_code, other.get_json()["code"]) == (422, "IDEMPOTENCY_CONFLICT")


def test_keys_of_one_program_are_not_anothers(client: RegistryClient) -> None:
    reserve(client)
    other = client.call("person.merge", "POST", "/v1/merge-proposals", MERGE, KEY)
    assert other.status_code == 201


def test_a_refusal_that_changed_nothing_frees_the_key(client: RegistryClient) -> None:
    assert client.call("number.issue", "POST", "/v1/number-reservations", {}, KEY).status_code == 400
    assert reserve(client).status_code == 201


def test_a_caller_without_the_role_learns_nothing_of_kept_answers(client: RegistryClient) -> None:
    reserve(client)
    refused = client.call("person.query", "POST", "/v1/number-reservations", wanted(), KEY)
    assert refused.status_code == 401


def test_old_answers_are_purged_by_command(
    registry: RegistryWorld,
    client: RegistryClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", registry.database.url)
    registry.now[0] = utc_now() - KEPT_FOR - timedelta(minutes=1)
    reserve(client)
    registry.now[0] = utc_now()
    reserve(client, 2, f"{KEY}-2")
    assert command.main(["purge"]) == 0
    assert "1 old requests forgotten" in capsys.readouterr().out
    assert reserve(client, 2, f"{KEY}-2").headers["Idempotent-Replayed"] == "true"
