"""Requests that no program of ours would send, to every program's real address: a coded answer, in words."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.running_stand import HTTP_SECONDS, Reply, RunningStand, http
from verification.messages.fault_catalogue import fault_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.needs_models]

JSON = {"Content-Type": "application/json", "X-Agent-Client": "tests"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain", "X-Agent-Client": "tests"}
SESSIONS = "/v1/verification-sessions"
TWENTY_MEGABYTES = 20_000_000


class Bad(NamedTuple):
    """One request and what must be answered."""

    program: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    status: int
    code: str


BAD = [
    Bad("agent", "POST", "/v1/sessions", TEXT, b"{}", 415, "CONTENT_TYPE_WRONG"),
    Bad("agent", "POST", "/v1/sessions", JSON, b"{", 400, "REQUEST_MALFORMED"),
    Bad("agent", "POST", "/v1/sessions", JSON, b"[" * 9_000, 400, "REQUEST_MALFORMED"),
    Bad("agent", "POST", "/v1/sessions", JSON, b'{"x":"' + b"y" * 20_000 + b'"}', 413, "BODY_TOO_LARGE"),
    Bad(
        "agent",
        "POST",
        "/v1/sessions",
        {**JSON, "Origin": "http://evil.example"},
        b"{}",
        403,
        "ORIGIN_NOT_ALLOWED",
    ),
    Bad("agent", "POST", "/v1/sessions", {**JSON, "Host": "evil.example"}, b"{}", 403, "HOST_NOT_ALLOWED"),
    Bad("agent", "GET", "/v1/sessions/cs_nobody", JSON, None, 404, "COUNTER_SESSION_UNKNOWN"),
    Bad("agent", "GET", "/nothing", JSON, None, 404, "ADDRESS_UNKNOWN"),
    Bad("agent", "DELETE", "/v1/status", JSON, None, 405, "METHOD_NOT_ALLOWED"),
    Bad("gateway", "POST", SESSIONS, JSON, b"{}", 401, "SIGNATURE_INVALID"),
    Bad("gateway", "POST", SESSIONS, JSON, b"x" * 70_000, 413, "BODY_TOO_LARGE"),
    Bad("gateway", "POST", "/v1/oauth/token", JSON, b"{}", 415, "CONTENT_TYPE_WRONG"),
    Bad("gateway", "POST", "/v1/oauth/token", FORM, b"a=1", 400, "REQUEST_MALFORMED"),
    Bad("gateway", "POST", "/v1/oauth/token", FORM, b"a=" + b"1" * 9_000, 413, "BODY_TOO_LARGE"),
    Bad("gateway", "GET", "/v1/log/inclusion?sequence=9&size=-1", {}, None, 400, "REQUEST_MALFORMED"),
    Bad("gateway", "GET", "/nothing", {}, None, 404, "ADDRESS_UNKNOWN"),
    Bad("gateway", "DELETE", SESSIONS, {}, None, 405, "METHOD_NOT_ALLOWED"),
    Bad("registry", "POST", "/v1/person-queries", JSON, b"{}", 401, "SERVICE_NOT_PERMITTED"),
    Bad("registry", "GET", "/v1/persons/001090123456", {}, None, 401, "SERVICE_NOT_PERMITTED"),
    Bad("registry", "GET", "/nothing", {}, None, 404, "ADDRESS_UNKNOWN"),
    Bad("issuance", "POST", "/v1/credential-status-queries", JSON, b"{}", 401, "SERVICE_NOT_PERMITTED"),
    Bad("issuance", "POST", "/v1/officer-sessions", JSON, b"{", 400, "REQUEST_MALFORMED"),
    Bad("issuance", "GET", "/nothing", {}, None, 404, "ADDRESS_UNKNOWN"),
    Bad("wallet", "PUT", "/slots/0", JSON, b"{", 400, "REQUEST_MALFORMED"),
    Bad("wallet", "PUT", "/slots/0", JSON, b"x" * 2_000, 413, "BODY_TOO_LARGE"),
]


@pytest.fixture(scope="module", autouse=True)
def next_customers(stand: RunningStand) -> Iterator[None]:
    """After all of it a customer is verified at once, at both counters."""
    yield
    stand.require_next_customer(stand.socket_counter)
    stand.require_next_customer(stand.counter)


def send(stand: RunningStand, bad: Bad, language: str) -> Reply:
    headers = {**bad.headers, "Accept-Language": language}
    reply = http(bad.method, stand.addresses.url(bad.program) + bad.path, bad.body, headers)
    stand.bodies.append(reply.body)
    return reply


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.program}-{bad.code}-{bad.path}")
def test_a_bad_request_is_answered_with_a_code_and_a_sentence(stand: RunningStand, bad: Bad) -> None:
    for language in ("vi", "en"):
        reply = send(stand, bad, language)
        assert (reply.status, reply.json["code"]) == (bad.status, bad.code), reply.body[:300]
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        text = fault_catalogue()[bad.code].text(language)
        assert (reply.json["title"], reply.json["next_step"]) == (text.what, text.next)
        assert reply.json["request_id"] == reply.headers["X-Request-Id"]


def raw(stand: RunningStand, program: str, sent: bytes) -> bytes:
    """What a program answers to bytes of ours; it must answer or hang up, in time."""
    port = urlsplit(stand.addresses.url(program)).port
    with socket.create_connection(("127.0.0.1", port), timeout=HTTP_SECONDS) as connection:
        connection.sendall(sent)
        # Whoever hung up already cannot be told that there is no more.
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        answered = b""
        while part := connection.recv(65_536):
            answered += part
    return answered


@pytest.mark.parametrize("program", ["agent", "gateway", "admin", "registry", "issuance"])
@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # somebody speaks TLS to us
        b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x00" * 1_000,
    ],
    ids=["tls", "long-target", "many-headers", "negative-length", "two-lengths", "zeros"],
)
def test_what_is_not_http_is_refused_and_the_program_goes_on(
    stand: RunningStand, program: str, sent: bytes
) -> None:
    began = time.monotonic()
    try:
        answered = raw(stand, program, sent)
    except (ConnectionResetError, BrokenPipeError):
        answered = b""  # it hung up while we still spoke: also an answer
    assert time.monotonic() - began < 5
    status = answered.split(b" ", 2)[1:2]
    assert not status or status[0][:1] == b"4", answered[:200]
    assert b"Traceback" not in answered
    assert http("GET", stand.addresses.url(program) + "/healthz").status == 200


@pytest.mark.parametrize(
    ("program", "method", "path"),
    [
        ("gateway", "POST", SESSIONS),
        ("gateway", "PUT", f"{SESSIONS}/vs_x/evidence"),
        ("gateway", "POST", f"{SESSIONS}/vs_x/chip-session"),
        ("gateway", "POST", "/v1/oauth/token"),
        ("issuance", "POST", "/v1/officer-sessions"),
        ("wallet", "PUT", "/slots/0"),
    ],
)
def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(
    stand: RunningStand, program: str, method: str, path: str
) -> None:
    kind = FORM if path.endswith("token") else JSON
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind['Content-Type']}"]
    lines += [f"Content-Length: {TWENTY_MEGABYTES}", "", ""]
    answered = raw(stand, program, "\r\n".join(lines).encode())
    assert b" 413 " in answered.split(b"\r\n", 1)[0], answered[:300]
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["code"] == "BODY_TOO_LARGE"


def test_a_chunked_body_meets_the_limit_as_well(stand: RunningStand) -> None:
    host = stand.counter.url.removeprefix("http://")
    head = f"POST /v1/sessions HTTP/1.1\r\nHost: {host}\r\nX-Agent-Client: tests\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    answered = raw(stand, "agent", head.encode() + 4 * chunk + b"0\r\n\r\n")
    assert b" 413 " in answered.split(b"\r\n", 1)[0]
    assert json.loads(answered.partition(b"\r\n\r\n")[2])["code"] == "BODY_TOO_LARGE"


def test_callers_that_never_finish_their_request_keep_no_customer_waiting(stand: RunningStand) -> None:
    """Forty half requests at the counter's own address; the teller's page and a visit go on."""
    port = urlsplit(stand.counter.url).port
    with ExitStack() as open_ones:
        for _ in range(40):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            connection.sendall(
                b"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n\r\n{"
            )
        stand.require_next_customer(stand.counter)


def test_watching_pages_keep_no_customer_waiting(stand: RunningStand) -> None:
    """Event streams that somebody left open do not use up the counter's threads."""
    desk = stand.socket_counter
    session = desk.start(stand.holder.access)
    port = urlsplit(desk.url).port
    request = f"GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    with ExitStack() as open_ones:
        for _ in range(12):
            connection = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            connection.sendall(request)
        assert desk.send("DELETE", f"/v1/sessions/{session}").json["state"] == "cancelled"
        stand.require_next_customer(desk)
