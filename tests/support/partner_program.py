"""A partner's own program: it trades an assertion for a token and asks with that."""

from __future__ import annotations

import json
import os
from urllib.parse import urlencode

from joserfc import jws
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from tests.support.gateway_world import BASE, World, private_pem
from verification.messages.signing_key import SigningKey

TOKEN = "/v1/oauth/token"
SESSIONS = "/v1/verification-sessions"
FORM = {
    "grant_type": "client_credentials",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}


class PartnerProgram:
    """Sends as one partner."""

    def __init__(self, world: World, partner: str, key: SigningKey) -> None:
        self._world = world
        self._partner = partner
        self._key = key

    def open(self, **changes: object) -> TestResponse:
        """POST of a session, for a purpose that needs no agent to be named."""
        consent = {"text_version": "2026-1", "language": "vi"}
        wanted = {"purpose": "bank.counter.identify", "consent": consent, **changes}
        return self.send("POST", SESSIONS, json.dumps(wanted).encode())

    def send(self, method: str, path: str, body: bytes = b"") -> TestResponse:
        """A request with a fresh token."""
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Idempotency-Key": os.urandom(16).hex(),
            "Content-Type": "application/json",
        }
        return self._world.app.test_client().open(path, method=method, data=body, headers=headers)

    def _token(self) -> str:
        answer = self._world.app.test_client().post(
            TOKEN,
            data=urlencode({**FORM, "client_assertion": self._assertion()}),
            content_type="application/x-www-form-urlencoded",
        )
        return str(json.loads(answer.data)["access_token"])

    def _assertion(self) -> str:
        now = int(self._world.clock().timestamp())
        claims = {
            "iss": self._partner,
            "sub": self._partner,
            "aud": f"{BASE}{TOKEN}",
            "iat": now,
            "exp": now + 60,
            "jti": os.urandom(12).hex(),
        }
        key = ECKey.import_key(private_pem(self._key).decode())
        return jws.serialize_compact({"alg": "ES256"}, json.dumps(claims), key)
