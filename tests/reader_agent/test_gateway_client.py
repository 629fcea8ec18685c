"""The gateway client against servers that are slow, wrong, or gone."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from monitoring.environment import ConfigurationFault
from reader_agent.gateway_client import MAX_ANSWER_BYTES, GatewayClient, Signatory
from reader_agent.refusals import GatewayAnswerMalformed, GatewayRefusal
from tests.support import pki
from tests.support.counter_bench import DEVICE_KEY, HttpGateway, serving
from tests.support.stopwatch import within
from verification.errors import Unavailable
from verification.messages.verification_session import ChipSessionRequest, Consent, SessionRequest

REQUEST = SessionRequest(purpose="bank.counter.identify", consent=Consent("2026-1", "vi"))


def client(url: str, seconds: float = 2.0) -> GatewayClient:
    return GatewayClient(
        url, Signatory("c-1", DEVICE_KEY, lambda: pki.NOW, secrets.token_bytes), seconds=seconds
    )


def _read_request(connection: socket.socket) -> None:
    """All of it: closing with unread bytes would reset the connection and spoil the answer."""
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        stream.read(length)


@contextmanager
def raw_server(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Answers one connection with whatever ``speak`` sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                _read_request(connection)
                try:
                    speak(connection)
                except OSError:
                    return  # the client had enough

        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_a_session_is_opened_with_a_signature_that_the_gateway_accepts() -> None:
    with serving(HttpGateway()) as gateway:
        opened = client(gateway.url).open_session(REQUEST)
    assert opened.policy.head_turn_required
    assert gateway.requests == [REQUEST]


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable):
        client(f"http://127.0.0.1:{port}").open_session(REQUEST)
    assert not client(f"http://127.0.0.1:{port}").is_reachable()


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.alone
@pytest.mark.parametrize("speak", [lambda _c: time.sleep(3), _drip], ids=["silent", "dripping"])
def test_a_slow_gateway_is_given_up_at_the_deadline(speak: Callable[[socket.socket], None]) -> None:
    with raw_server(speak) as url, within(1.5), pytest.raises(Unavailable):
        client(url, seconds=0.4).open_session(REQUEST)


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        b"\x00\x01 not http\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 999999 x\r\n\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(answered: bytes) -> None:
    with (
        raw_server(lambda connection: connection.sendall(answered)) as url,
        pytest.raises((Unavailable, GatewayAnswerMalformed)),
    ):
        client(url).open_session(REQUEST)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[" * 100_000, b'{"id":1}', b"\xff", b"x" * (MAX_ANSWER_BYTES + 1)]
)
def test_an_answer_outside_the_contract_is_refused(body: bytes) -> None:
    with (
        raw_server(lambda connection: connection.sendall(http("201 Created", body))) as url,
        pytest.raises(GatewayAnswerMalformed),
    ):
        client(url).open_session(REQUEST)


def test_a_redirect_is_not_followed() -> None:
    moved = http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:1/")
    with raw_server(lambda connection: connection.sendall(moved)) as url, pytest.raises(Unavailable):
        client(url).open_session(REQUEST)


def test_a_problem_keeps_code_and_status() -> None:
    refused = http("410 Gone", msgspec.json.encode({"code": "SESSION_EXPIRED"}))
    with (
        raw_server(lambda connection: connection.sendall(refused)) as url,
        pytest.raises(GatewayRefusal) as fault,
    ):
        client(url).open_session(REQUEST)
    assert (fault.value.answered_code, fault.value.status) == ("SESSION_EXPIRED", 410)


@pytest.mark.parametrize("code", ["<script>", "lower", "", "A" * 80])
def test_a_code_that_is_none_is_not_passed_on(code: str) -> None:
    refused = http("400 Bad Request", msgspec.json.encode({"code": code}))
    with raw_server(lambda connection: connection.sendall(refused)) as url, pytest.raises(Unavailable):
        client(url).open_session(REQUEST)


@pytest.mark.parametrize("session", ["../x", "a/b", "", "a b", "x" * 65])
def test_a_session_id_cannot_change_the_address(session: str) -> None:
    with pytest.raises(GatewayAnswerMalformed):
        client("http://127.0.0.1:1").start_chip_session(session, ChipSessionRequest(b"", 1))


def test_an_address_without_a_host_is_a_fault_of_the_settings() -> None:
    with pytest.raises(ConfigurationFault):
        client("http://")
