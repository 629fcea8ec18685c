"""Who may call: agents by signature, partners by token; the attacks on both."""

from __future__ import annotations

import base64
import hmac
import json
import os
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jws
from joserfc.jwk import ECKey

from gateway.domain.partner import Standing
from tests.support.gateway_world import (
    AGENT,
    BASE,
    PARTNER,
    Counter,
    World,
    make_world,
    private_pem,
    public_pem,
)
from verification.messages.message_signature import sign_request
from verification.messages.signing_key import b64url, thumbprint

SESSIONS = "/v1/verification-sessions"
REQUEST = {"purpose": "hospital.check_in", "consent": {"text_version": "1", "language": "vi"}}
AUDIENCE = f"{BASE}/v1/oauth/token"
ROUTES = (
    ("POST", SESSIONS),
    ("GET", f"{SESSIONS}/vs_x"),
    ("GET", f"{SESSIONS}/vs_x/receipt"),
    ("POST", f"{SESSIONS}/vs_x/chip-session"),
    ("PUT", f"{SESSIONS}/vs_x/evidence"),
)
OPEN_TO_ALL = {"tokens", "log", "contract", "health"}


def code_of(response) -> str:
    return json.loads(response.data)["code"]


def test_every_blueprint_names_its_guard_and_only_some_are_open(world: World) -> None:
    guards = world.app.extensions["guards"]
    assert set(guards) == set(world.app.blueprints)
    open_ones = {name for name, guard in guards.items() if guard.__name__ == "open_to_all"}
    assert open_ones == OPEN_TO_ALL


def test_every_route_belongs_to_a_guarded_blueprint(world: World) -> None:
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint != "static":
            assert rule.endpoint.split(".")[0] in world.app.extensions["guards"], rule


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_comes_in_without_proof(world: World, method: str, path: str) -> None:
    client = world.app.test_client()
    response = client.open(path, method=method, json=REQUEST)
    assert (response.status_code, code_of(response)) == (401, "SIGNATURE_INVALID")
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("agent", [True, False])
@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.CLOSED])
def test_a_suspended_caller_is_out_at_once_everywhere(
    world: World, method: str, path: str, agent: bool, standing: Standing
) -> None:
    world.set_standing(standing, agent=agent)
    response = world.counter.send(method, path, REQUEST)
    assert (response.status_code, code_of(response)) == (401, "AGENT_UNKNOWN")


def test_an_unknown_agent_is_refused(world: World) -> None:
    stranger = Counter(world.app, world.clock, ed25519.Ed25519PrivateKey.generate(), "agent-nine")
    response = stranger.send("POST", SESSIONS, REQUEST)
    assert (response.status_code, code_of(response)) == (401, "AGENT_UNKNOWN")


def test_another_key_under_a_known_name_is_refused(world: World) -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())):
        response = Counter(world.app, world.clock, key).send("POST", SESSIONS, REQUEST)
        assert (response.status_code, code_of(response)) == (401, "SIGNATURE_INVALID")


@pytest.mark.parametrize("seconds", [-86_400, -61, 61, 86_400])
def test_a_wrong_clock_is_told_its_offset(world: World, seconds: int) -> None:
    world.counter.clock_lead = timedelta(seconds=seconds)
    response = world.counter.send("POST", SESSIONS, REQUEST)
    assert (response.status_code, code_of(response)) == (401, "CLOCK_SKEW")
    assert json.loads(response.data)["clock_offset_ms"] == seconds * 1000


def test_a_signed_request_is_accepted_once(world: World) -> None:
    body = json.dumps(REQUEST).encode()
    headers = world.counter.signed("POST", SESSIONS, body)
    assert world.counter.send_raw("POST", SESSIONS, body, headers).status_code == 201
    again = world.counter.send_raw("POST", SESSIONS, body, headers)
    assert (again.status_code, code_of(again)) == (401, "SIGNATURE_REPLAYED")


@pytest.mark.parametrize(("method", "path"), ROUTES[1:])
def test_a_signature_does_not_fit_another_address(world: World, method: str, path: str) -> None:
    body = json.dumps(REQUEST).encode()
    headers = world.counter.signed("POST", SESSIONS, body)
    moved = world.counter.send_raw(method, path, body, headers)
    assert (moved.status_code, code_of(moved)) == (401, "SIGNATURE_INVALID")


def test_the_host_header_does_not_decide_what_was_signed(world: World) -> None:
    body = json.dumps(REQUEST).encode()
    headers = {**world.counter.signed("POST", SESSIONS, body), "Host": "attacker.example"}
    assert world.counter.send_raw("POST", SESSIONS, body, headers).status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_a_wrong_content_type_is_refused(world: World, content_type: str) -> None:
    body = json.dumps(REQUEST).encode()
    signed = sign_with_type(world, body, content_type)
    response = world.counter.send_raw("POST", SESSIONS, body, signed)
    assert (response.status_code, code_of(response)) == (415, "CONTENT_TYPE_WRONG")


def sign_with_type(world: World, body: bytes, content_type: str) -> dict[str, str]:
    return sign_request(
        "POST",
        f"{BASE}{SESSIONS}",
        {"Content-Type": content_type},
        body,
        key=world.counter.key,
        key_id=AGENT,
        created=world.clock(),
        nonce=os.urandom(16),
    )


@pytest.mark.parametrize(
    ("method", "path", "limit"), [("POST", SESSIONS, 65_536), ("PUT", f"{SESSIONS}/vs_x/evidence", 1_048_576)]
)
def test_an_oversized_body_is_refused_before_it_is_judged(
    world: World, method: str, path: str, limit: int
) -> None:
    body = b"[" + b" " * limit
    response = world.counter.send_raw(method, path, body, world.counter.signed(method, path, body))
    assert (response.status_code, code_of(response)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"purpose":1}', b"[" * 5_000, b"\xff"])
def test_a_malformed_body_is_refused(world: World, body: bytes) -> None:
    response = world.counter.send_raw("POST", SESSIONS, body, world.counter.signed("POST", SESSIONS, body))
    assert (response.status_code, code_of(response)) == (400, "REQUEST_MALFORMED")


def test_an_unknown_field_is_refused(world: World) -> None:
    response = world.counter.send("POST", SESSIONS, {**REQUEST, "admin": True})
    assert code_of(response) == "REQUEST_MALFORMED"


def test_a_quota_is_kept_and_tells_when_to_come_back(tmp_path) -> None:
    world = make_world(tmp_path, requests_per_minute=3)
    statuses = [world.counter.send("GET", f"{SESSIONS}/vs_x").status_code for _ in range(5)]
    assert statuses == [404, 404, 404, 429, 429]
    refused = world.counter.send("GET", f"{SESSIONS}/vs_x")
    assert code_of(refused) == "TOO_MANY_REQUESTS"
    assert refused.headers["Retry-After"] == "60"


# Partners


def claims(world: World, **changes: object) -> dict[str, object]:
    now = int(world.clock().timestamp())
    base = {
        "iss": PARTNER,
        "sub": PARTNER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 60,
        "jti": os.urandom(12).hex(),
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def assertion(world: World, header: dict[str, object] | None = None, **changes: object) -> str:
    key = ECKey.import_key(private_pem(world.partner_key).decode())
    payload = json.dumps(claims(world, **changes))
    return jws.serialize_compact(header or {"alg": "ES256"}, payload, key)


def ask_token(world: World, proof: str, **changes: str):
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": proof,
    }
    return world.app.test_client().post(
        "/v1/oauth/token", data=urlencode(form | changes), content_type="application/x-www-form-urlencoded"
    )


def token(world: World) -> str:
    response = ask_token(world, assertion(world))
    assert response.status_code == 200, response.text
    return json.loads(response.data)["access_token"]


def bearer(world: World, value: str, method: str = "POST", path: str = SESSIONS):
    headers = {"Authorization": f"Bearer {value}", "Idempotency-Key": os.urandom(16).hex()}
    return world.app.test_client().open(path, method=method, json=REQUEST, headers=headers)


def test_a_partner_gets_a_token_and_opens_a_session_for_its_agent(world: World) -> None:
    headers = {"Authorization": f"Bearer {token(world)}", "Idempotency-Key": os.urandom(16).hex()}
    client = world.app.test_client()
    opened = client.post(SESSIONS, json={**REQUEST, "agent_id": AGENT}, headers=headers)
    assert opened.status_code == 201
    session = json.loads(opened.data)["id"]
    assert client.get(f"{SESSIONS}/{session}", headers=headers).status_code == 200
    assert world.counter.send("GET", f"{SESSIONS}/{session}").status_code == 200


def test_a_partner_cannot_hand_over_evidence_or_name_anothers_agent(world: World) -> None:
    given = token(world)
    for method, path in ROUTES[3:]:
        response = bearer(world, given, method, path)
        assert (response.status_code, code_of(response)) == (401, "SIGNATURE_INVALID")
    headers = {"Authorization": f"Bearer {given}", "Idempotency-Key": os.urandom(16).hex()}
    response = world.app.test_client().post(
        SESSIONS, json={**REQUEST, "agent_id": "agent-nine"}, headers=headers
    )
    assert (response.status_code, code_of(response)) == (401, "AGENT_UNKNOWN")


def test_a_token_runs_out_and_dies_with_its_partner(world: World) -> None:
    given = token(world)
    assert bearer(world, given).status_code == 201
    world.set_standing(Standing.SUSPENDED, agent=False)
    assert code_of(bearer(world, given)) == "ACCESS_TOKEN_INVALID"
    world.set_standing(Standing.ACTIVE, agent=False)
    world.clock.move(seconds=300)
    refused = bearer(world, given)
    assert (refused.status_code, code_of(refused)) == (401, "ACCESS_TOKEN_INVALID")


def test_every_changed_character_of_a_token_is_refused(world: World) -> None:
    given = token(world)
    for position in range(0, len(given), 5):
        other = "A" if given[position] != "A" else "B"
        altered = given[:position] + other + given[position + 1 :]
        assert code_of(bearer(world, altered)) == "ACCESS_TOKEN_INVALID"
    for altered in ("", given + "A", given + "=", "a.b.c"):
        assert bearer(world, altered).status_code == 401


def test_a_token_beside_a_signature_is_refused(world: World) -> None:
    body = json.dumps(REQUEST).encode()
    headers = world.counter.signed("POST", SESSIONS, body) | {"Authorization": f"Bearer {token(world)}"}
    assert world.counter.send_raw("POST", SESSIONS, body, headers).status_code == 401


def test_an_assertion_is_accepted_once(world: World) -> None:
    proof = assertion(world)
    assert ask_token(world, proof).status_code == 200
    again = ask_token(world, proof)
    assert (again.status_code, code_of(again)) == (401, "SIGNATURE_REPLAYED")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "bank-two"},
        {"sub": "bank-two"},
        {"sub": None},
        {"aud": "https://other.example/token"},
        {"aud": [AUDIENCE]},
        {"exp": 0},
        {"exp": None},
        {"jti": None},
        {"jti": "short"},
        {"jti": "x" * 129},
    ],
)
def test_wrong_claims_are_refused(world: World, changes: dict[str, object]) -> None:
    response = ask_token(world, assertion(world, **changes))
    assert (response.status_code, code_of(response)) == (401, "CLIENT_ASSERTION_INVALID")


@pytest.mark.parametrize(("issued", "expires"), [(-3_600, -3_500), (3_600, 3_660), (0, 301), (0, 86_400)])
def test_wrong_times_are_refused(world: World, issued: int, expires: int) -> None:
    now = int(world.clock().timestamp())
    response = ask_token(world, assertion(world, iat=now + issued, exp=now + expires))
    assert code_of(response) == "CLIENT_ASSERTION_INVALID"


def forged(world: World, header: dict[str, object], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims(world)).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def keyed_with_the_public_key(world: World, public: bytes) -> str:
    """The classic confusion: HS256 with the PEM of the public key as its secret."""
    signed = forged(world, {"alg": "HS256"}).rsplit(".", 1)[0]
    mac = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_the_jose_attacks_are_refused(world: World) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    own_jwk = ECKey.import_key(private_pem(own).decode())
    public = public_pem(world.partner_key)
    payload = json.dumps(claims(world))
    attacks = [
        forged(world, {"alg": "none"}),
        forged(world, {"alg": "None"}),
        forged(world, {"alg": "nOnE"}, b"x"),
        forged(world, {"alg": ""}),
        forged(world, {}),
        forged(world, {"alg": "ES256"}),
        forged(world, {"alg": "ES256"}, bytes(64)),
        keyed_with_the_public_key(world, public),
        jws.serialize_compact({"alg": "ES256"}, payload, own_jwk),
        jws.serialize_compact({"alg": "ES256", "kid": thumbprint(own.public_key())}, payload, own_jwk),
        jws.serialize_compact({"alg": "ES256", "jwk": own_jwk.as_dict(private=False)}, payload, own_jwk),
        assertion(world, {"alg": "ES256", "kid": thumbprint(own.public_key())}),
        assertion(world, {"alg": "ES256", "kid": "../../etc/passwd"}),
        assertion(world, {"alg": "ES256", "jku": "https://attacker.example/jwks.json"}),
        assertion(world, {"alg": "ES256", "x5u": "https://attacker.example/cert"}),
        assertion(world).replace(".", "..", 1),
        ".".join((assertion(world).split(".")[0], b64url(b'{"x":' + b"[" * 2_900), "AA")),
        assertion(world) + ".extra",
        assertion(world).rsplit(".", 1)[0] + ".",
        assertion(world) + "=",
        "{}" + assertion(world),
        "",
        "a.b.c",
        "." * 2,
        "x" * 5_000,
    ]
    for attack in attacks:
        response = ask_token(world, attack)
        assert (response.status_code, code_of(response)) == (401, "CLIENT_ASSERTION_INVALID"), attack[:60]


def test_the_registered_kid_is_accepted(world: World) -> None:
    proof = assertion(
        world, {"alg": "ES256", "kid": thumbprint(world.partner_key.public_key()), "typ": "JWT"}
    )
    assert ask_token(world, proof).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"grant_type": "password"}, {"client_assertion_type": "other"}, {"grant_type": ""}]
)
def test_only_one_grant_is_given(world: World, changes: dict[str, str]) -> None:
    assert code_of(ask_token(world, assertion(world), **changes)) == "REQUEST_MALFORMED"


def test_a_form_field_given_twice_is_refused(world: World) -> None:
    form = urlencode([("grant_type", "client_credentials")] * 2)
    response = world.app.test_client().post(
        "/v1/oauth/token", data=form, content_type="application/x-www-form-urlencoded"
    )
    assert code_of(response) == "REQUEST_MALFORMED"
    response = world.app.test_client().post("/v1/oauth/token", json={})
    assert (response.status_code, code_of(response)) == (415, "CONTENT_TYPE_WRONG")
