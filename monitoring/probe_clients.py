"""The people of a probe, each at their own program, over HTTP only: officer, teller, bank, card holder."""

from __future__ import annotations

import http.cookiejar
import json
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from urllib3.filepost import encode_multipart_formdata

HTTP_SECONDS = 30.0
POLL_SECONDS = 0.02
MAX_ANSWER_BYTES = 4_194_304

Json = dict[str, Any]


class ProbeFailed(Exception):
    """A step of the chain did not go as it must; the message names the step and the fault code."""


class StepRefused(ProbeFailed):
    """A program refused a step; ``codes`` are the problem's own and those beside its fields."""

    def __init__(self, step: str, codes: frozenset[str]) -> None:
        super().__init__(f"{step}: {', '.join(sorted(codes))}")
        self.codes = codes


def require_refusal(code: str, step: Callable[[], object]) -> None:
    """Take a step that must be refused with this code; raises ProbeFailed when it is not."""
    try:
        step()
    except StepRefused as refusal:
        if code in refusal.codes:
            return
        raise
    raise ProbeFailed(f"what had to be refused with {code} was done")


class HttpClient:
    """JSON over HTTP with cookies; a refusal raises StepRefused with the problem's codes."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"Accept": "application/json", **(headers or {})}
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def get(self, path: str, **headers: str) -> bytes:
        """The body at a path."""
        return self.send("GET", path, None, headers)

    def get_json(self, path: str, **headers: str) -> Json:
        """The JSON object at a path."""
        return _object(self.get(path, **headers))

    def send_json(self, method: str, path: str, body: object = None, **headers: str) -> Json:
        """Send JSON and return the JSON object answered."""
        content = b"" if body is None else json.dumps(body).encode()
        return _object(self.send(method, path, content, {"Content-Type": "application/json", **headers}))

    def send_form(self, path: str, fields: Mapping[str, Any]) -> Json:
        """Send a page's form as a browser does; a file is ``(name, content, media type)``."""
        content, content_type = encode_multipart_formdata(dict(fields))
        return _object(self.send("POST", path, content, {"Content-Type": content_type}))

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        """Send a request and return the body of its answer."""
        request = urllib.request.Request(  # noqa: S310 - addresses come from the stack, http only
            self.base_url + path, data=body, method=method, headers={**self._headers, **headers}
        )
        try:
            with self._opener.open(request, timeout=HTTP_SECONDS) as answer:
                return bytes(answer.read(MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as refusal:
            raise StepRefused(f"{method} {_route(path)}", _problem_codes(refusal)) from None
        except OSError as fault:
            raise ProbeFailed(f"{method} {_route(path)}: {type(fault).__name__}") from None


class Counter:
    """A teller's counter: the reader agent's local interface."""

    def __init__(self, agent_url: str) -> None:
        self._client = HttpClient(agent_url, {"X-Agent-Client": "probe"})

    def status(self) -> Json:
        """What the agent says of its reader."""
        return self._client.get_json("/v1/status")

    def wait_until_empty(self, seconds: float = 5.0) -> None:
        """Wait until the reader has noticed that the card was taken: PC/SC looks a few times a second."""
        until = time.monotonic() + seconds
        while self.status()["card_present"]:
            if time.monotonic() > until:
                raise ProbeFailed("the reader did not notice that the card was taken")
            time.sleep(POLL_SECONDS)

    def verify(
        self, citizen_number: str, purpose: str, on_view: Callable[[Json], None], seconds: float = 40.0
    ) -> Json:
        """Run one session to its verdict; ``on_view`` sees every state on the way. Returns the last view."""
        body = {
            "purpose": purpose,
            "access": {"citizen_number": citizen_number},
            "consent": True,
            "language": "vi",
        }
        session = self._client.send_json("POST", "/v1/sessions", body)["id"]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            view = self._client.get_json(f"/v1/sessions/{session}")
            on_view(view)
            if view.get("verdict"):
                return view
            time.sleep(POLL_SECONDS)
        raise ProbeFailed("counter session: no verdict in time")


class Bank:
    """A partner's own server, which asks the gateway for the result with its bearer token."""

    def __init__(self, gateway_url: str, client_id: str, key_pem: bytes) -> None:
        self._client = HttpClient(gateway_url)
        self._client_id = client_id
        self._key = ECKey.import_key(key_pem)

    def receipt(self, session: str) -> str:
        """The signed receipt of a session's decision."""
        path = f"/v1/verification-sessions/{session}/receipt"
        return str(self._client.get_json(path, Authorization=f"Bearer {self._token()}")["receipt"])

    def outcome(self, receipt: str) -> str:
        """What the receipt says was decided; the signature is checked with the gateway's published key."""
        keys = KeySet.import_key_set(self._client.get_json("/.well-known/jwks.json"))  # type: ignore[arg-type]
        signed = jws.deserialize_compact(receipt.encode(), keys)
        return str(json.loads(signed.payload)["entry"]["outcome"])

    def _token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        answer = self._client.send(
            "POST",
            "/v1/oauth/token",
            urllib.parse.urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        return str(_object(answer)["access_token"])

    def _assertion(self) -> str:
        """A private_key_jwt assertion (RFC 7523), ES256."""
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": f"{self._client.base_url}/v1/oauth/token",
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode({"alg": "ES256"}, claims, self._key)


class Wallet:
    """The drawer of software cards: puts a card on the counter's reader and takes it off."""

    def __init__(self, wallet_url: str, slot: int = 0) -> None:
        self._client = HttpClient(wallet_url)
        self._slot = slot

    def insert(self, card: str, tamper: str | None = None) -> None:
        """Lay a card, or a forgery of it, on the reader."""
        self._client.send_json("PUT", f"/slots/{self._slot}", {"card": card, "tamper": tamper})

    def lay(self, card: str | None, tamper: str | None) -> None:
        """Lay another card on the reader, or take off what lies there; raises ValueError if it cannot be."""
        try:
            self.remove()
            if card:
                self.insert(card, tamper)
        except ProbeFailed as fault:
            raise ValueError(str(fault)) from None

    def remove(self) -> None:
        """Take the card off the reader."""
        self._client.send_json("DELETE", f"/slots/{self._slot}")


class Camera:
    """The scene before the counter's camera: who stands there, and how the head is held."""

    def __init__(self, scene_url: str) -> None:
        self._client = HttpClient(scene_url)
        self._pose = ""

    def show(self, seed: int, kind: str) -> None:
        """Let a drawn person, or a photograph of one, come before the camera."""
        self._client.send_json("PUT", "/person", {"seed": seed, "kind": kind})
        self._pose = "frontal"

    def turn(self, pose: str) -> None:
        """Let the person turn the head."""
        if pose != self._pose:
            self._client.send_json("PUT", "/pose", {"pose": pose})
            self._pose = pose


def _object(body: bytes) -> Json:
    if not body:
        return {}
    decoded = json.loads(body)
    if not isinstance(decoded, dict):
        raise ProbeFailed("an answer was not a JSON object")
    return decoded


def _problem_codes(refusal: urllib.error.HTTPError) -> frozenset[str]:
    try:
        problem = json.loads(refusal.read(65_536))
        codes = {str(problem["code"]), *(str(code) for code in problem.get("fields", {}).values())}
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset({str(refusal.code)})
    return frozenset(codes)


def _route(path: str) -> str:
    """The path without its query and identifiers: an error text names no person."""
    return re.sub(r"/[^/]*\d[^/]*", "/…", path.partition("?")[0])
