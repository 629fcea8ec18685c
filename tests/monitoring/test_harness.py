from __future__ import annotations

import json
import logging

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from monitoring.harness import instrument, mount, open_to_all
from monitoring.logs import JsonLines
from monitoring.problem import problem
from verification.errors import CardRemoved, SignerRevoked, Unavailable, VerificationError


def failing(error: Exception) -> Blueprint:
    blueprint = Blueprint("failing", __name__)

    @blueprint.get("/fail")
    def fail() -> str:
        raise error

    return blueprint


def client_of(error: Exception, statuses: dict[type[VerificationError], int] | None = None) -> FlaskClient:
    app = Flask("example")
    instrument(app, "example", ready=lambda: {"store": False}, statuses=statuses)
    mount(app, failing(error), guard=open_to_all)
    return app.test_client()


@pytest.mark.parametrize(
    ("error", "status", "retryable"),
    [
        (CardRemoved("gone"), 409, True),
        (SignerRevoked("ds"), 422, False),
        (Unavailable("registry"), 503, True),
    ],
)
def test_our_errors_become_problems(error: VerificationError, status: int, retryable: bool) -> None:
    answer = client_of(error).get("/fail", headers={"Accept-Language": "en"})
    body = json.loads(answer.data)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert (body["code"], body["retryable"]) == (error.code, retryable)
    assert body["title"]
    assert body["next_step_vi"]
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_an_unknown_error_shows_no_detail() -> None:
    answer = client_of(RuntimeError("table persons, row 001090123456")).get("/fail")
    assert answer.status_code == 500
    assert b"persons" not in answer.data
    assert json.loads(answer.data)["code"] == "INTERNAL_ERROR"


def test_vietnamese_is_the_language_unless_english_is_asked_for() -> None:
    client = client_of(Unavailable("x"))
    vietnamese = json.loads(client.get("/fail").data)["title"]
    english = json.loads(client.get("/fail", headers={"Accept-Language": "en"}).data)["title"]
    assert vietnamese != english
    assert vietnamese.startswith("Một dịch vụ")


def test_a_program_may_give_an_error_its_own_status() -> None:
    assert client_of(SignerRevoked("x"), {SignerRevoked: 451}).get("/fail").status_code == 451


@pytest.mark.parametrize(("offered", "kept"), [("abcdef0123456789", True), ("x\ny", False), ("short", False)])
def test_a_request_id_is_kept_only_when_it_is_one(offered: str, kept: bool) -> None:
    headers = {"X-Request-Id": offered} if "\n" not in offered else {"X-Request-Id": "<script>"}
    answer = client_of(CardRemoved("x")).get("/fail", headers=headers)
    assert (answer.headers["X-Request-Id"] == offered) is kept


def test_health_and_readiness() -> None:
    client = client_of(CardRemoved("x"))
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "parts": {"store": False}})


def test_metrics_name_the_route_and_not_the_path() -> None:
    client = client_of(CardRemoved("x"))
    client.get("/persons/001090123456")
    text = client.get("/metrics").get_data(as_text=True)
    assert "001090123456" not in text
    assert 'route="unknown"' in text


def test_the_access_log_names_the_route_and_not_the_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client_of(CardRemoved("x")).get("/persons/001090123456")
    lines = [JsonLines("x").format(record) for record in caplog.records]
    assert lines
    assert not any("001090123456" in line for line in lines)


def test_a_guard_runs_before_every_request_and_is_recorded() -> None:
    app = Flask("example")
    instrument(app, "example", ready=dict)
    mount(app, failing(RuntimeError("never reached")), guard=lambda: problem(401, "NOT_AUTHENTICATED"))
    assert app.test_client().get("/fail").status_code == 401
    assert set(app.extensions["guards"]) == set(app.blueprints)


def test_a_blueprint_cannot_be_mounted_without_a_guard() -> None:
    with pytest.raises(TypeError):
        mount(Flask("example"), Blueprint("bare", __name__))  # type: ignore[call-arg]
