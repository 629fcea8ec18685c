"""The gateway over HTTP: every request signed by the device key, every answer bounded in time and size."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from monitoring.environment import ConfigurationFault
from reader_agent.device_key import SigningKey
from reader_agent.refusals import GatewayAnswerMalformed, GatewayRefusal
from verification.errors import Unavailable, VerificationError
from verification.messages.decision import Answer
from verification.messages.evidence import Evidence
from verification.messages.message_signature import NONCE_BYTES, sign_request
from verification.messages.verification_session import (
    ChipCommands,
    ChipSessionRequest,
    SessionOpened,
    SessionRequest,
)

MAX_ANSWER_BYTES = 1_048_576
CONNECT_SECONDS = 2.0
"""A machine that is there accepts within this; a longer wait only keeps a customer standing."""

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_READ_BYTES = 16_384

AnswerType = TypeVar("AnswerType")
logger = logging.getLogger(__name__)


class _Problem(msgspec.Struct):
    code: str = ""


@dataclass(frozen=True, slots=True)
class Signatory:
    """Who signs, with what, and when and by what chance."""

    agent_id: str
    key: SigningKey
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]


class GatewayClient:
    """The VerificationGateway port over HTTP."""

    def __init__(self, url: str, signatory: Signatory, *, seconds: float) -> None:
        """``seconds`` bounds a whole exchange, from connecting to the answer's last byte."""
        parts = urlsplit(url)
        if parts.hostname is None:
            raise ConfigurationFault("the gateway's address has no host")
        self._url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._signatory = signatory
        self._seconds = seconds

    def open_session(self, request: SessionRequest) -> SessionOpened:
        """POST /v1/verification-sessions."""
        return self._exchange("POST", "/v1/verification-sessions", request, SessionOpened)

    def start_chip_session(self, session: str, request: ChipSessionRequest) -> ChipCommands:
        """POST /v1/verification-sessions/{id}/chip-session."""
        return self._exchange("POST", f"{_address(session)}/chip-session", request, ChipCommands)

    def submit_evidence(self, evidence: Evidence) -> Answer:
        """PUT /v1/verification-sessions/{id}/evidence."""
        return self._exchange("PUT", f"{_address(evidence.session)}/evidence", evidence, Answer)

    def get(self, path: str, longest: int) -> bytes:
        """The body of a signed GET, of at most ``longest`` bytes."""
        status, answer = self._send("GET", f"{self._url}{path}", b"", longest)
        if status >= 300:
            raise _fault(status, answer)
        return answer

    def is_reachable(self) -> bool:
        """Whether the gateway says that it is ready; for the doctor."""
        try:
            status, _ = self._request("GET", f"{self._url}/readyz", {}, b"")
        except VerificationError:
            return False
        return status == HTTPStatus.OK

    def _exchange(
        self, method: str, path: str, message: msgspec.Struct, kind: type[AnswerType]
    ) -> AnswerType:
        status, answer = self._send(method, f"{self._url}{path}", msgspec.json.encode(message))
        if status >= 300:
            raise _fault(status, answer)
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.DecodeError, RecursionError) as fault:
            raise GatewayAnswerMalformed(type(fault).__name__) from None

    def _send(self, method: str, url: str, body: bytes, longest: int = MAX_ANSWER_BYTES) -> tuple[int, bytes]:
        signatory = self._signatory
        headers = sign_request(
            method,
            url,
            {"Content-Type": "application/json"},
            body,
            key=signatory.key,
            key_id=signatory.agent_id,
            created=signatory.clock(),
            nonce=signatory.random(NONCE_BYTES),
        )
        return self._request(method, url, headers, body, longest)

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        longest: int = MAX_ANSWER_BYTES,
    ) -> tuple[int, bytes]:
        """One exchange on a connection of its own: nothing that an earlier one left behind can hurt it."""
        deadline = time.monotonic() + self._seconds
        connection = self._connection()
        try:
            connection.connect()
            _limit(connection, deadline)
            connection.request(method, url.removeprefix(self._origin), body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, _read(connection, response, deadline, longest)
        except (OSError, HTTPException) as fault:
            logger.warning("gateway gave no answer", extra={"fault": type(fault).__name__})
            raise Unavailable("the gateway gave no answer") from None
        finally:
            connection.close()

    @property
    def _origin(self) -> str:
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc}"

    def _connection(self) -> HTTPConnection:
        seconds = min(CONNECT_SECONDS, self._seconds)
        kind = HTTPSConnection if self._secure else HTTPConnection
        return kind(self._host, self._port, timeout=seconds)


def _address(session: str) -> str:
    if not _SESSION_ID.fullmatch(session):
        raise GatewayAnswerMalformed("session id has other characters than an id")
    return f"/v1/verification-sessions/{session}"


def _limit(connection: HTTPConnection, deadline: float) -> None:
    """Let the next wait for bytes end at the deadline; raises Unavailable when that has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unavailable("the gateway's answer took too long")
    if connection.sock is not None:
        connection.sock.settimeout(left)


def _read(connection: HTTPConnection, response: HTTPResponse, deadline: float, longest: int) -> bytes:
    """The whole body. A server that drips bytes is cut off at the deadline, not at each byte's timeout."""
    body = bytearray()
    while part := response.read1(_READ_BYTES):
        body += part
        if len(body) > longest:
            raise GatewayAnswerMalformed("answer is larger than its contract allows")
        _limit(connection, deadline)
    return bytes(body)


def _fault(status: int, answer: bytes) -> GatewayRefusal | Unavailable:
    """The error for an answer that is no success: its code where it is a problem of ours."""
    try:
        code = msgspec.json.decode(answer, type=_Problem).code
    except (msgspec.DecodeError, RecursionError):
        code = ""
    if _CODE.fullmatch(code):
        return GatewayRefusal(code, status)
    # A proxy's page, a redirect: whoever answered, it was not the gateway.
    return Unavailable(f"status {status} without a code")
