"""Which other program is calling, shown by a bearer token of which only the SHA-256 is kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from flask import g, request
from flask.typing import ResponseReturnValue

from issuance_backend.refusals import ServiceNotPermitted
from monitoring.environment import ConfigurationFault
from monitoring.harness import Guard


class ServiceCaller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One program that may call: the hash of its token, and what it may ask."""

    sha256: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallingService:
    """The program whose token this request brought."""

    name: str
    roles: frozenset[str]


def load_callers(path: Path) -> dict[str, ServiceCaller]:
    """The callers by name from a JSON file; raises ConfigurationFault."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, ServiceCaller])
    except (OSError, msgspec.DecodeError) as fault:
        raise ConfigurationFault(f"service tokens {path.name}: {type(fault).__name__}") from None


def bearer_token() -> str:
    """The token of this request's Authorization header, empty when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def require_service(callers: dict[str, ServiceCaller], *roles: str) -> Callable[[], None]:
    """A guard that lets only callers with one of these roles pass; raises ServiceNotPermitted."""

    def guard() -> None:
        offered = hashlib.sha256(bearer_token().encode()).hexdigest()
        for name, caller in callers.items():
            if hmac.compare_digest(offered, caller.sha256) and set(roles).intersection(caller.roles):
                g.service = CallingService(name, frozenset(caller.roles))
                return
        raise ServiceNotPermitted("no caller with this token has the role")

    return guard


def service_or(guard: Guard, callers: dict[str, ServiceCaller], *roles: str) -> Guard:
    """A guard that lets callers with one of these roles pass, and asks ``guard`` about everybody else."""
    service = require_service(callers, *roles)

    def either() -> ResponseReturnValue | None:
        try:
            service()
        except ServiceNotPermitted:
            return guard()
        return None

    return either


def calling_service() -> CallingService:
    """The program that the guard let pass."""
    service: CallingService = g.service
    return service
