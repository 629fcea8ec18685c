"""The counter's own small WSGI layer: routes behind guards, problems for errors, a request log.

A counter machine must stay within 45 MB before its first face. Flask with what it loads costs 8 MB of
them for a dozen addresses (measured, see DECISIONS.md), so this program does without.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from verification.errors import (
    AccessDenied,
    CardCommunication,
    LimitExceeded,
    MalformedDocument,
    Refused,
    Unavailable,
    VerificationError,
)
from verification.messages.fault_catalogue import fault

STATUSES: Mapping[type[VerificationError], int] = {
    LimitExceeded: 413,
    MalformedDocument: 422,
    AccessDenied: 403,
    Refused: 403,
    CardCommunication: 409,
    Unavailable: 503,
}
MAX_BODY_BYTES = 16_384
_PROBLEM = "application/problem+json"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_PARAMETER = re.compile(r"<(\w+)>")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One answer; ``body`` may be a stream. ``on_close`` runs when it ended or the caller left."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    on_close: Callable[[], None] = lambda: None


class HttpRefusal(Exception):
    """The request is not HTTP as this program speaks it; ``code`` is in the fault catalogue."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


Handler = Callable[..., Response]
"""Takes the request and the path's parameters by name."""

Guard = Callable[[Request], None]
"""Raises to refuse."""


class Route(NamedTuple):
    """``GET /v1/sessions/<session_id>`` and who answers it."""

    method: str
    path: str
    handler: Handler


class _Mounted(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    route: str
    handler: Handler
    guard: Guard


class WebApp:
    """A WSGI program."""

    def __init__(self, statuses: Mapping[type[VerificationError], int]) -> None:
        """``statuses`` extends the table from error class to HTTP status; the nearest class wins."""
        self._statuses = {**STATUSES, **statuses}
        self._mounted: list[_Mounted] = []

    @property
    def guards(self) -> Mapping[str, Guard]:
        """The guard of every route."""
        return {f"{mounted.method} {mounted.route}": mounted.guard for mounted in self._mounted}

    def mount(self, routes: Iterable[Route], *, guard: Guard) -> None:
        """Add routes behind their guard; there is no way to mount one without."""
        for route in routes:
            pattern = re.compile(_PARAMETER.sub(r"(?P<\1>[A-Za-z0-9_.-]{1,64})", route.path))
            self._mounted.append(_Mounted(route.method, pattern, route.path, route.handler, guard))

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """PEP 3333."""
        began = time.perf_counter()
        offered = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else secrets.token_hex(8)
        route, response = self._answer(environ, request_id)
        _log(environ["REQUEST_METHOD"], route, response.status, request_id, began)
        response.headers["X-Request-Id"] = request_id
        return _send(response, environ["REQUEST_METHOD"], start_response)

    def _answer(self, environ: Mapping[str, Any], request_id: str) -> tuple[str, Response]:
        language = "en" if environ.get("HTTP_ACCEPT_LANGUAGE", "").strip().startswith("en") else "vi"
        route = "unknown"
        try:
            request = _read_request(environ)
            mounted, parameters = self._route(request)
            route = mounted.route
            mounted.guard(request)
            return route, mounted.handler(request, **parameters)
        except VerificationError as error:
            return route, problem(self._status_of(error), error.code, language, request_id)
        except HttpRefusal as refusal:
            return route, problem(refusal.status, refusal.code, language, request_id)
        except Exception:
            # The edge of the program: what nobody expected becomes 500 without detail, and the log
            # writes its type and place only.
            logger.exception("unexpected error", extra={"request_id": request_id, "route": route})
            return route, problem(500, VerificationError.code, language, request_id)

    def _route(self, request: Request) -> tuple[_Mounted, dict[str, str]]:
        method = "GET" if request.method == "HEAD" else request.method
        found = [(mounted, mounted.pattern.fullmatch(request.path)) for mounted in self._mounted]
        fitting = [(mounted, match) for mounted, match in found if match is not None]
        for mounted, match in fitting:
            if mounted.method == method:
                return mounted, match.groupdict()
        # A foreign page may not even learn which addresses there are.
        for guard in {mounted.guard for mounted in self._mounted}:
            guard(request)
        raise HttpRefusal(405, "METHOD_NOT_ALLOWED") if fitting else HttpRefusal(404, "ADDRESS_UNKNOWN")

    def _status_of(self, error: VerificationError) -> int:
        return next((self._statuses[kind] for kind in type(error).__mro__ if kind in self._statuses), 500)


def problem(status: int, code: str, language: str, request_id: str) -> Response:
    """RFC 9457 problem details: a code, a sentence, the next step; no internals."""
    entry = fault(code)
    text = entry.text(language)
    body = {
        "type": f"urn:problem:{code.lower().replace('_', '-')}",
        "title": text.what,
        "status": status,
        "code": code,
        "retryable": entry.retryable,
        "owner": entry.owner,
        "next_step": text.next,
        "next_step_vi": entry.vi.next,
        "request_id": request_id,
    }
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, _PROBLEM)


def _read_request(environ: Mapping[str, Any]) -> Request:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise HttpRefusal(400, "REQUEST_MALFORMED")
    if int(length) > MAX_BODY_BYTES:
        raise HttpRefusal(413, "BODY_TOO_LARGE")
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "/"),
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), max_num_fields=8)),
        headers=headers,
        body=environ["wsgi.input"].read(int(length)),
    )


def _send(response: Response, method: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = {"Content-Type": response.content_type, "Cache-Control": "no-store", **response.headers}
    if isinstance(response.body, bytes):
        headers["Content-Length"] = str(len(response.body))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(headers.items()))
    if isinstance(response.body, bytes):
        return [] if method == "HEAD" else [response.body]
    return _Stream(response.body, response.on_close)


class _Stream:
    """Closes also when the page leaves in the middle, or before the first part."""

    def __init__(self, parts: Iterable[bytes], on_close: Callable[[], None]) -> None:
        self._parts = iter(parts)
        self._on_close = on_close

    def __iter__(self) -> _Stream:
        return self

    def __next__(self) -> bytes:
        return next(self._parts)

    def close(self) -> None:
        self._on_close()


def _log(method: str, route: str, status: int, request_id: str, began: float) -> None:
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    fields = {
        "request_id": request_id,
        "route": route,
        "method": method,
        "status": status,
        "ms": milliseconds,
    }
    # A page asks several times a second, all day: what only looked and found is not worth a line.
    level = logging.DEBUG if method == "GET" and status < HTTPStatus.BAD_REQUEST else logging.INFO
    logger.log(level, "request answered", extra=fields)
