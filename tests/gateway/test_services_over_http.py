"""The registries over HTTP: whatever is not an answer is "unavailable", never "not found"."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from gateway.adapters.service_http import CardEventsHttp, CredentialStatusHttp, RegistryHttp, ServiceHttp
from gateway.domain.refusals import CardEventsUnavailable, CardStatusUnavailable
from tests.support.stopwatch import within
from verification.errors import RegistryUnavailable
from verification.messages.credential_status import CredentialState, CredentialStatusQuery
from verification.messages.event_feed import FeedPlace
from verification.messages.person_query import PersonQuery

QUERY = PersonQuery("001090123456", "Nguyễn Thị Thử", "1990-01-01", "F")
STATUS = CredentialStatusQuery("0011223344556677")
SECONDS = 0.3


class RawServer:
    """A server that sends exactly these bytes, and keeps what it was sent."""

    def __init__(self, answer: bytes | Callable[[socket.socket], None]) -> None:
        self._answer = answer
        self.received = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._socket.accept()
                connection.settimeout(2)
                with connection:
                    self.received = connection.recv(65_536)
                    if callable(self._answer):
                        self._answer(connection)
                    else:
                        connection.sendall(self._answer)
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[bytes | Callable[[socket.socket], None]], RawServer]]:
    servers: list[RawServer] = []

    def start(answer: bytes | Callable[[socket.socket], None]) -> RawServer:
        servers.append(RawServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def http(status: str, body: bytes, extra: bytes = b"") -> bytes:
    return (
        b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n"
        % (
            status.encode(),
            len(body),
            extra,
        )
        + body
    )


def registry(url: str) -> RegistryHttp:
    return RegistryHttp(ServiceHttp(url, "the-token", SECONDS))


def test_a_person_is_asked_with_the_token_and_answered(serve) -> None:
    body = b'{"found":true,"matched":{"full_name":true},"life_status":"alive"}'
    server = serve(http("200 OK", body))
    answer = registry(server.url).ask(QUERY)
    assert (answer.found, answer.matched, answer.life_status) == (True, {"full_name": True}, "alive")
    assert server.received.startswith(b"POST /v1/person-queries HTTP/1.1")
    assert b"Bearer the-token" in server.received


def test_a_person_who_is_not_there_is_only_said_by_the_registry(serve) -> None:
    assert registry(serve(http("200 OK", b'{"found":false}')).url).ask(QUERY).found is False


def test_a_card_is_asked_for_its_state(serve) -> None:
    server = serve(http("200 OK", json.dumps({"state": "lost", "since": "2026-01-01"}).encode()))
    status = CredentialStatusHttp(ServiceHttp(server.url, "t", SECONDS))
    assert status.ask(STATUS).state is CredentialState.LOST
    assert server.received.startswith(b"POST /v1/credential-status-queries HTTP/1.1")


def feed_of(**changes: object) -> bytes:
    event = {"sequence": 7, "topic": "credential-status", "key": STATUS.status_key, "at": "", "data": {}}
    return json.dumps({"events": [{**event, **changes}], "next": 7, "newest": 7}).encode()


def test_events_about_cards_are_heard(serve) -> None:
    server = serve(http("200 OK", feed_of(data={"state": "lost", "expires_on": "2030-02-28"})))
    (event,) = CardEventsHttp(ServiceHttp(server.url, "t", SECONDS)).after(FeedPlace(6, "ab" * 8)).events
    assert (event.sequence, event.data["state"]) == (7, "lost")
    assert server.received.split(b" ")[1].endswith(b"&after=6&mark=abababababababab")


@pytest.mark.parametrize("changes", [{"key": "no card"}, {"key": ""}, {"data": {"expires_on": "2030-02-30"}}])
def test_an_event_that_cannot_be_about_a_card_is_no_answer(serve, changes: dict[str, object]) -> None:
    server = serve(http("200 OK", feed_of(**changes)))
    with pytest.raises(CardEventsUnavailable):
        CardEventsHttp(ServiceHttp(server.url, "t", SECONDS)).after(FeedPlace(6, "ab" * 8))


def stall(connection: socket.socket) -> None:
    time.sleep(SECONDS * 3)


def cut(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


NO_ANSWERS: list[bytes | Callable[[socket.socket], None]] = [
    http("404 Not Found", b'{"found":false}'),
    http("401 Unauthorized", b"{}"),
    http("500 Internal Server Error", b'{"found":false}'),
    http("503 Service Unavailable", b""),
    http("204 No Content", b""),
    http("302 Found", b"", b"Location: http://127.0.0.1:1/\r\n"),
    http("200 OK", b""),
    http("200 OK", b"<html>maintenance</html>"),
    http("200 OK", b'{"found":"no"}'),
    http("200 OK", b'{"found":true,"matched":{},"life_status":"resting"}'),
    http("200 OK", b"{}"),
    http("200 OK", b"[" * 60_000),
    http("200 OK", b'{"found":false}' + b" " * 70_000),
    b"garbage\r\n\r\n",
    b"",
    stall,
    cut,
]


@pytest.mark.alone
@pytest.mark.parametrize("answer", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_everything_else_is_unavailable(serve, answer) -> None:
    server = serve(answer)
    with within(SECONDS * 6):
        with pytest.raises(RegistryUnavailable):
            registry(server.url).ask(QUERY)
        with pytest.raises(CardStatusUnavailable):
            CredentialStatusHttp(ServiceHttp(server.url, "t", SECONDS)).ask(STATUS)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RegistryUnavailable):
        registry(f"http://127.0.0.1:{port}").ask(QUERY)


@pytest.mark.alone
def test_a_server_that_drips_its_answer_is_given_up(serve) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
        for _ in range(20):
            connection.sendall(b" ")
            time.sleep(SECONDS / 3)

    with within(SECONDS * 3), pytest.raises(RegistryUnavailable):
        registry(serve(drip).url).ask(QUERY)
