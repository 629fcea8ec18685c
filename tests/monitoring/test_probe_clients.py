"""What a probe takes for a refusal: only the one that it expects, by its code."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from monitoring.probe_clients import HttpClient, ProbeFailed, StepRefused, require_refusal

ANSWERS: dict[str, tuple[int, bytes]] = {
    "/refused": (403, json.dumps({"code": "SAME_OFFICER"}).encode()),
    "/fields": (
        422,
        json.dumps({"code": "FIELDS_REFUSED", "fields": {"portrait": "PORTRAIT_TOO_SMALL"}}).encode(),
    ),
    "/broken": (502, b"<html>"),
    "/list": (500, b"[]"),
    "/done": (200, b"{}"),
}


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture(scope="module")
def client() -> Iterator[HttpClient]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield HttpClient(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("/refused", {"SAME_OFFICER"}),
        ("/fields", {"FIELDS_REFUSED", "PORTRAIT_TOO_SMALL"}),
        ("/broken", {"502"}),
        ("/list", {"500"}),
    ],
)
def test_a_refusal_names_every_code_of_it(client: HttpClient, path: str, codes: set[str]) -> None:
    with pytest.raises(StepRefused) as refusal:
        client.get(path)
    assert refusal.value.codes == codes


@pytest.mark.parametrize("code", ["FIELDS_REFUSED", "PORTRAIT_TOO_SMALL"])
def test_the_expected_refusal_is_what_must_happen(client: HttpClient, code: str) -> None:
    require_refusal(code, lambda: client.get("/fields"))


@pytest.mark.parametrize("path", ["/fields", "/broken", "/done"])
def test_another_refusal_or_none_fails_the_probe(client: HttpClient, path: str) -> None:
    with pytest.raises(ProbeFailed):
        require_refusal("SAME_OFFICER", lambda: client.get(path))


def test_a_program_that_is_not_there_has_refused_nothing() -> None:
    with pytest.raises(ProbeFailed) as fault:
        require_refusal("SAME_OFFICER", lambda: HttpClient("http://127.0.0.1:9").get("/"))
    assert not isinstance(fault.value, StepRefused)
