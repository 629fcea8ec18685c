"""A NUL, which PostgreSQL keeps in no text, wherever it can stand in a request: refused, never a fault."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from issuance_backend.population_registry.app import create_registry_app
from issuance_backend.population_registry.settings import RegistrySettings
from issuance_backend.population_registry.storage import migrated
from tests.support.engines import Engine
from tests.support.issuance_office import STATUS_TOKEN, Office, capture_body, citizens, make_office

WITHOUT_DATABASE = {"health.alive", "health.ready", "static"}
METHODS = ("GET", "POST", "PUT", "DELETE")
REGISTRY_ROLES = (
    "person.query", "registry.read", "person.match", "person.register", "person.enrich", "number.issue",
    "person.publish", "person.merge", "person.receive", "events.life-event", "events.person-change",
)  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Office:
    return make_office(tmp_path, office_pki, database_engine, with_search=True)


@pytest.fixture
def registry(tmp_path: Path, database_engine: Engine) -> Flask:
    tokens, url = tmp_path / "registry_tokens.json", database_engine.new()
    digest = hashlib.sha256(STATUS_TOKEN.encode()).hexdigest()
    tokens.write_text(json.dumps({"office": {"sha256": digest, "roles": REGISTRY_ROLES}}))
    migrated(url).close()
    return create_registry_app(RegistrySettings(service_tokens=tokens, database_url=url))


def routes(app: Flask) -> list[tuple[str, str]]:
    """Every address with a NUL in each of its variable parts."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in WITHOUT_DATABASE:
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
            path = re.sub(r"<[^>]+>", "1%00", path)
            found += [(method, path) for method in METHODS if method in (rule.methods or ())]
    return found


def refused(app: Flask, method: str, path: str, body: bytes, token: str) -> None:
    answer = app.test_client().open(
        path, method=method, data=body, content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert (answer.status_code, answer.get_json()["code"]) == (400, "REQUEST_MALFORMED"), (method, path)


def refused_everywhere(app: Flask, tokens: tuple[str, ...]) -> None:
    known = routes(app)
    assert len(known) > 20
    for method, path in known:
        for token in tokens:
            if "%00" in path:
                refused(app, method, path, b"", token)
            refused(app, method, path.replace("%00", "") + "?unit=%00", b"", token)
            if method in {"POST", "PUT"}:
                refused(app, method, path.replace("%00", ""), rb'{"officer": "a\u0000"}', token)


def test_every_route_of_the_office_refuses_it(office: Office) -> None:
    refused_everywhere(office.app, (office.sign_in("binh.both").token, STATUS_TOKEN))


def test_every_route_of_the_registry_refuses_it(registry: Flask) -> None:
    refused_everywhere(registry, (STATUS_TOKEN,))


def with_nul(body: Any) -> list[Any]:
    """The body once for each of its texts, with a NUL in that one."""
    if isinstance(body, str):
        return [body[:1] + "\0" + body[1:]]
    if isinstance(body, dict):
        return [{**body, key: each} for key, value in body.items() for each in with_nul(value)]
    return []


def test_every_text_of_a_body_that_would_otherwise_be_taken_refuses_it(office: Office) -> None:
    capture = capture_body(citizens()[0], "capture-0000000001")
    del capture["portrait"]
    bodies = {
        "/v1/counter-captures": capture,
        "/v1/officer-sessions": {"officer": "lan.capture", "password": "x"},
        "/v1/credential-status-queries": {"status_key": "0" * 16},
        "/v1/statistics/text-checks": {"text": "Đã thu 5 phiếu."},
    }
    lan, tried = office.sign_in("lan.capture"), 0
    for path, body in bodies.items():
        token = STATUS_TOKEN if "status-queries" in path else lan.token
        for spoilt in with_nul(body):
            refused(office.app, "POST", path, json.dumps(spoilt).encode(), token)
            tried += 1
    assert tried > 12
