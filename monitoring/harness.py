"""What every web program of ours has: request ids, an access log, metrics, health, and one error table."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from flask import Blueprint, Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, TooManyRequests

from monitoring.call_limits import WINDOW_SECONDS, CallLimits
from monitoring.problem import problem
from verification.errors import (
    AccessDenied,
    CardCommunication,
    LimitExceeded,
    MalformedDocument,
    Refused,
    Unavailable,
    UntrustedDocument,
    VerificationError,
)

Guard = Callable[[], ResponseReturnValue | None]
"""Runs before every request of a blueprint; answers to refuse, raises, or returns None to let pass."""

STATUSES: Mapping[type[VerificationError], int] = {
    LimitExceeded: 413,
    MalformedDocument: 422,
    UntrustedDocument: 422,
    AccessDenied: 403,
    Refused: 403,
    CardCommunication: 409,
    Unavailable: 503,
}

_HTTP_CODES = {
    400: "REQUEST_MALFORMED",
    401: "NOT_AUTHENTICATED",
    403: "NOT_PERMITTED",
    404: "ADDRESS_UNKNOWN",
    405: "METHOD_NOT_ALLOWED",
    413: "BODY_TOO_LARGE",
    415: "CONTENT_TYPE_WRONG",
    429: "TOO_MANY_REQUESTS",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

logger = logging.getLogger(__name__)


def open_to_all() -> None:
    """The guard of a blueprint that anybody may call: said in the open, not forgotten."""


def public(limits: CallLimits) -> Guard:
    """The guard of a blueprint that anybody may call, though not too often; raises TooManyRequests."""

    def guard() -> None:
        if not limits.admits(request.remote_addr or ""):
            raise TooManyRequests(retry_after=WINDOW_SECONDS)

    return guard


class Awaited(NamedTuple):
    """A part for which some work waits while it does not answer: that is said, and the rest goes on."""

    answers: bool


Readiness = Callable[[], Mapping[str, bool | Awaited]]


def mount(app: Flask, blueprint: Blueprint, *, guard: Guard) -> None:
    """Register a blueprint behind its guard; there is no way to mount one without."""
    blueprint.before_request(guard)
    app.register_blueprint(blueprint)
    app.extensions.setdefault("guards", {})[blueprint.name] = guard


def instrument(
    app: Flask,
    service: str,
    *,
    ready: Readiness,
    statuses: Mapping[type[VerificationError], int] | None = None,
    exports_metrics: bool = True,
    logs_reading: bool = True,
) -> None:
    """Add request ids, access log, metrics, health addresses and error answers to ``app``.

    ``ready`` names the parts without which the program cannot work, and whether each does; and those that are
    awaited.
    ``statuses`` extends the table from error class to HTTP status; the most specific class wins.
    ``exports_metrics=False`` leaves out the metrics, their address and their library's memory.
    ``logs_reading=False`` logs a GET that found what it asked for at DEBUG only.
    """
    _add_request_log(app, logging.INFO if logs_reading else logging.DEBUG)
    _add_error_answers(app, {**STATUSES, **(statuses or {})})
    health = _health(ready)
    if exports_metrics:
        _add_metrics(app, health, service)
    mount(app, health, guard=open_to_all)


def status_of(error: VerificationError, statuses: Mapping[type[VerificationError], int]) -> int:
    """The HTTP status for an error: that of the nearest class in the table, 500 when there is none."""
    return next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), 500)


def log_unexpected(error: Exception) -> None:
    """Tell the operator of an error that nobody foresaw, with the request that met it."""
    logger.error(
        "unexpected error",
        exc_info=(type(error), error, error.__traceback__),
        extra={"request_id": g.get("request_id")},
    )


def _add_request_log(app: Flask, level_of_reading: int) -> None:
    def begin() -> None:
        offered = request.headers.get("X-Request-Id", "")
        g.request_id = offered if _REQUEST_ID.fullmatch(offered) else secrets.token_hex(8)
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        only_read = request.method == "GET" and response.status_code < 400
        logger.log(
            level_of_reading if only_read else logging.INFO,
            "request answered",
            extra={
                "request_id": g.get("request_id"),
                "route": _route(),
                "method": request.method,
                "status": response.status_code,
                "ms": round(_seconds() * 1000, 1),
            },
        )
        return response

    app.before_request(begin)
    app.after_request(end)


def _route() -> str:
    """The rule and never the path, which a caller writes."""
    return request.url_rule.rule if request.url_rule else "unknown"


def _seconds() -> float:
    now = time.perf_counter()
    return now - float(g.get("began", now))


def _add_error_answers(app: Flask, statuses: Mapping[type[VerificationError], int]) -> None:
    def ours(error: VerificationError) -> Response:
        status = status_of(error, statuses)
        level = logging.ERROR if status == 500 else logging.INFO
        logger.log(level, "request refused", extra={"code": error.code, "request_id": g.get("request_id")})
        return problem(status, error.code)

    def flasks(error: HTTPException) -> Response:
        status = error.code or 500
        answer = problem(status, _HTTP_CODES.get(status, "INTERNAL_ERROR"))
        if status == 405:
            answer.headers.update({k: v for k, v in error.get_headers() if k == "Allow"})
        return answer

    def unknown(error: Exception) -> Response:
        log_unexpected(error)
        return problem(500, "INTERNAL_ERROR")

    app.register_error_handler(VerificationError, ours)
    app.register_error_handler(HTTPException, flasks)
    app.register_error_handler(Exception, unknown)


def _health(ready: Readiness) -> Blueprint:
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return jsonify(status="alive")

    @health.get("/readyz")
    def readyz() -> ResponseReturnValue:
        said = ready()
        is_ready = all(part for part in said.values() if isinstance(part, bool))
        parts = {name: part if isinstance(part, bool) else part.answers for name, part in said.items()}
        return jsonify(ready=is_ready, parts=parts), 200 if is_ready else 503

    return health


def _add_metrics(app: Flask, health: Blueprint, service: str) -> None:
    # Only here: a program that exports no metrics does not hold their library in memory.
    from monitoring import metrics  # noqa: PLC0415

    def count(response: Response) -> Response:
        metrics.HTTP_REQUESTS.labels(service, _route(), request.method, response.status_code).inc()
        metrics.HTTP_SECONDS.labels(service, _route()).observe(_seconds())
        return response

    app.after_request(count)

    @health.get("/metrics")
    def metrics_text() -> ResponseReturnValue:
        if request.remote_addr not in {"127.0.0.1", "::1", None}:
            return problem(403, "NOT_PERMITTED")
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
