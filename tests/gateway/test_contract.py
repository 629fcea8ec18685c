"""openapi.yaml is the contract: valid, equal to the messages, kept by every real answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from openapi_spec_validator import validate
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wrappers import Request

from gateway.api import log, tokens
from gateway.api.contract import CONTRACT
from tests.support.gateway_world import BASE, World
from verification.errors import RegistryUnavailable
from verification.messages import decision, evidence, status_list, verification_session
from verification.messages.decision import ChipAssurance, DecisionOutcome

DOCUMENT: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
MESSAGES = (
    *(getattr(verification_session, name) for name in (
        "Consent", "SessionRequest", "SessionPolicy", "SessionOpened", "SessionStatus", "SessionReceipt",
        "ChipSessionRequest", "ChipCommands", "ChipProof",
    )),
    *(getattr(evidence, name) for name in (
        "ActiveAuthenticationProof", "CardEvidence", "FaceClaim", "AttestedEvidence", "Evidence",
    )),
    status_list.StatusListDelta, status_list.StatusListAnswer,
    *(getattr(decision, name) for name in ("Assurance", "CheckOutcome", "Holder", "Decision", "Answer")),
    tokens.TokenAnswer, log.CheckpointAnswer, log.ProofAnswer,
)  # fmt: skip
INCOMING = {"Consent", "SessionRequest", "ChipSessionRequest", "ChipProof", "ActiveAuthenticationProof"}
INCOMING |= {"CardEvidence", "FaceClaim", "AttestedEvidence", "Evidence"}


def test_the_contract_is_valid_openapi_31() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


@pytest.mark.parametrize("message", MESSAGES, ids=lambda kind: kind.__name__)
def test_every_message_is_the_contracts_schema(message: type[msgspec.Struct]) -> None:
    schema = SCHEMAS[message.__name__]
    fields = {field.name: field for field in msgspec.structs.fields(message)}
    assert set(schema["properties"]) == set(fields)
    required = {name for name, field in fields.items() if field.required}
    if message.__name__ in INCOMING:
        assert set(schema["required"]) == required
        assert schema["additionalProperties"] is False
    else:
        # What we send, we send whole.
        assert set(schema["required"]) == set(fields)


def test_enumerations_are_the_contracts() -> None:
    assert SCHEMAS["ChipAssurance"]["enum"] == [level.value for level in ChipAssurance]
    outcomes = SCHEMAS["Decision"]["properties"]["outcome"]["enum"]
    assert outcomes == [outcome.value for outcome in DecisionOutcome]


def test_every_route_is_in_the_contract_and_the_reverse(world: World) -> None:
    routes = set()
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint in {"static", "health.metrics_text"}:
            continue
        path = rule.rule.replace("<session_id>", "{id}")
        routes |= {(path, method.lower()) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    told = {
        (path, method)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method in {"get", "post", "put", "delete", "patch"}
    }
    assert routes == told


class Recorder:
    """Every answer of the application under test, held against the contract as it is given."""

    def __init__(self, world: World) -> None:
        self._openapi = OpenAPI.from_dict(
            {**DOCUMENT, "servers": [{"url": BASE}]},
            config=Config(
                extra_media_type_deserializers={
                    "application/problem+json": json.loads,
                    "application/yaml": bytes.decode,
                }
            ),
        )
        self._world = world
        self.judged = 0

    def judge(self, response: TestResponse) -> TestResponse:
        # The body has been read; a response is judged by its address and method.
        asked = EnvironBuilder(
            path=response.request.path, method=response.request.method, base_url=BASE
        ).get_request(Request)
        request = WerkzeugOpenAPIRequest(asked)
        self._openapi.validate_response(request, WerkzeugOpenAPIResponse(response))
        self.judged += 1
        return response


@pytest.fixture
def recorder(world: World) -> Iterator[Recorder]:
    recorder = Recorder(world)
    yield recorder
    assert recorder.judged


def test_real_answers_keep_the_contract(world: World, recorder: Recorder) -> None:
    send = world.counter.send
    sessions = "/v1/verification-sessions"
    opened = world.counter.open()
    body = {"purpose": "hospital.check_in", "consent": {"text_version": "1", "language": "vi"}}
    recorder.judge(send("POST", sessions, body))
    recorder.judge(send("POST", sessions, {**body, "purpose": "none"}))
    recorder.judge(send("POST", sessions, []))
    recorder.judge(send("GET", "/v1/status-snapshot"))
    world.card_events.tell("00" * 8, "lost")
    world.gateway.follower.step()
    world.gateway.list_maker.make()
    recorder.judge(send("GET", "/v1/status-snapshot"))
    recorder.judge(send("GET", "/v1/status-snapshot?since=1"))
    recorder.judge(send("GET", "/v1/status-snapshot?since=x"))
    recorder.judge(send("GET", f"{sessions}/{opened.id}"))
    recorder.judge(send("GET", f"{sessions}/nothing"))
    recorder.judge(send("GET", f"{sessions}/{opened.id}/receipt"))
    chip = f"{sessions}/{opened.id}/chip-session"
    recorder.judge(send("POST", chip, {"dg14": "AA==", "sod_length": 0}))
    recorder.judge(send("POST", chip, {"dg14": "AA==", "sod_length": 100}))
    evidence_sent = world.evidence(opened)
    recorder.judge(world.counter.submit(evidence_sent))
    recorder.judge(world.counter.submit(evidence_sent))
    recorder.judge(send("GET", f"{sessions}/{opened.id}/receipt"))
    world.registry.answer = RegistryUnavailable("down")
    recorder.judge(world.counter.submit(world.evidence(world.counter.open())))
    recorder.judge(world.counter.submit(world.evidence(world.counter.open(), chip=False)))
    client = world.app.test_client()
    for path in (
        "/v1/log/checkpoint",
        "/v1/log/inclusion?sequence=0&size=1",
        "/v1/log/inclusion?sequence=9&size=9",
        "/v1/log/consistency?old=1&size=2",
        "/.well-known/jwks.json",
        "/openapi.yaml",
        "/healthz",
        "/readyz",
    ):
        recorder.judge(client.get(path))
    recorder.judge(client.post("/v1/oauth/token", data={"grant_type": "x"}))
    recorder.judge(client.post(sessions, json=body))


def test_the_contract_that_is_served_is_this_one(world: World) -> None:
    assert world.app.test_client().get("/openapi.yaml").data == CONTRACT.read_bytes()


def test_generated_requests_find_no_server_error(world: World, recorder: Recorder) -> None:
    """A schemathesis smoke run, signed as an agent would sign: no 5xx, every answer in the contract."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    assert world.gateway.follower.step() >= 0
    assert world.gateway.list_maker.make()
    seen: set[int] = set()
    for result in schema.get_all_operations():
        seen |= drive(world, recorder, result.ok())
    assert {200, 400, 404} <= seen
    assert max(seen) < 500


def drive(world: World, recorder: Recorder, operation: Any) -> set[int]:
    """Send generated cases of one operation; the statuses that came back."""
    statuses: set[int] = set()

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        query = f"?{urlencode(case.query, doseq=True)}" if case.query else ""
        path = f"{case.path.replace('{id}', session_id(case))}{query}"
        form = case.media_type == "application/x-www-form-urlencoded"
        encoded = (
            urlencode(case.body)
            if form and isinstance(case.body, dict)
            else json.dumps(case.body, default=str)
        )
        body = encoded.encode() if case.method in {"POST", "PUT"} else b""
        headers = world.counter.signed(case.method, path, body)
        if form:
            headers["Content-Type"] = case.media_type
        response = recorder.judge(world.counter.send_raw(case.method, path, body, headers))
        statuses.add(response.status_code)

    one()
    return statuses


def session_id(case: Any) -> str:
    """The generated id as one segment of a path."""
    return quote(str((case.path_parameters or {}).get("id", "")), safe="").replace(".", "%2E") or "x"
