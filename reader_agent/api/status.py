"""What the counter can do now."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from reader_agent.api.bodies import answer
from reader_agent.api.web import Request, Response, Route


class CounterStatus(msgspec.Struct, frozen=True):
    """``fault`` is the code of what is wrong with the reader; ``engine`` says how faces are compared."""

    api_level: int
    version: str
    reader: str | None
    card_present: bool
    busy: bool
    engine: str
    camera: str
    fault: str | None = None


class Health(msgspec.Struct, frozen=True):
    """Whether the program lives, or can work."""

    status: str


def status_routes(status: Callable[[], CounterStatus], is_ready: Callable[[], bool]) -> tuple[Route, ...]:
    """What the counter can do, and the two addresses that a supervisor asks."""

    def readyz(_request: Request) -> Response:
        return answer(Health("ready"), 200) if is_ready() else answer(Health("not ready"), 503)

    return (
        Route("GET", "/v1/status", lambda _request: answer(status())),
        Route("GET", "/healthz", lambda _request: answer(Health("alive"))),
        Route("GET", "/readyz", readyz),
    )
