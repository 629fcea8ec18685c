"""Who may call: every blueprint is mounted with one of these."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import cast

from flask import g, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import MAX_BODY, read_body
from gateway.domain.partner import Caller
from gateway.domain.refusals import OperatorUnknown, TooManyRequests
from gateway.services.access_control import AccessControl
from monitoring import metrics
from monitoring.harness import Guard
from monitoring.problem import problem
from verification.errors import CallerNotAuthenticated, ClockSkew, SignatureInvalid
from verification.messages.signed_request import ReceivedRequest


def agent_guard(access: AccessControl, base_url: str, limit: int = MAX_BODY) -> Guard:
    """Only an agent, by its signature over this very request, of at most ``limit`` bytes."""

    def require_agent() -> ResponseReturnValue | None:
        return _prove(lambda: access.agent_of(_received(base_url, limit)))

    return require_agent


def caller_guard(access: AccessControl, base_url: str) -> Guard:
    """An agent by its signature, or a partner by its bearer token; not both at once."""

    def require_caller() -> ResponseReturnValue | None:
        bearer = request.headers.get("Authorization")
        if bearer is None:
            return _prove(lambda: access.agent_of(_received(base_url, MAX_BODY)))
        return _prove(lambda: access.partner_of(_bearer_token(bearer)))

    return require_caller


def partner_guard(access: AccessControl) -> Guard:
    """Only a partner's own program, by its bearer token: a counter is not asked what its bank does."""

    def require_partner() -> ResponseReturnValue | None:
        return _prove(lambda: access.partner_of(_bearer_token(request.headers.get("Authorization", ""))))

    return require_partner


def operator_guard(token: str | None) -> Guard:
    """Only whoever operates this gateway: a program by bearer token, a browser by it as a password."""
    wanted = None if token is None else hashlib.sha256(token.encode()).digest()

    def require_operator() -> ResponseReturnValue | None:
        offered = hashlib.sha256(_offered_secret().encode()).digest()
        if wanted is not None and hmac.compare_digest(offered, wanted):
            return None
        metrics.SIGNATURE_FAILURES.labels(OperatorUnknown.code).inc()
        refusal = problem(401, OperatorUnknown.code)
        refusal.headers["WWW-Authenticate"] = 'Basic realm="gateway operator", charset="UTF-8"'
        return refusal

    return require_operator


def _offered_secret() -> str:
    offered = request.authorization
    if offered is None:
        return ""
    return (offered.password if offered.type == "basic" else offered.token) or ""


def caller() -> Caller:
    """The caller that the guard has proven."""
    return cast(Caller, g.caller)


def _prove(prove: Callable[[], Caller]) -> ResponseReturnValue | None:
    try:
        g.caller = prove()
    except ClockSkew as fault:
        metrics.SIGNATURE_FAILURES.labels(fault.code).inc()
        return problem(401, fault.code, clock_offset_ms=fault.offset_ms)
    except TooManyRequests as fault:
        refusal = problem(429, fault.code)
        refusal.headers["Retry-After"] = str(fault.seconds)
        return refusal
    except CallerNotAuthenticated as fault:
        metrics.SIGNATURE_FAILURES.labels(fault.code).inc()
        raise
    return None


def _received(base_url: str, limit: int) -> ReceivedRequest:
    raw = request.environ.get("RAW_URI", "")
    if not raw.startswith("/"):
        raise SignatureInvalid("the request's target is not a path")
    headers = tuple((name, value) for name, value in request.headers.items())
    return ReceivedRequest(request.method, f"{base_url}{raw}", headers, read_body(limit))


def _bearer_token(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or "Signature" in request.headers:
        raise SignatureInvalid("either a bearer token or a message signature")
    return token.strip()
