"""What the counter can do now."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from flask import Blueprint
from flask.typing import ResponseReturnValue

from reader_agent.api.bodies import answer


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


def status_blueprint(status: Callable[[], CounterStatus]) -> Blueprint:
    """The status address."""
    blueprint = Blueprint("status", __name__)

    @blueprint.get("/v1/status")
    def show() -> ResponseReturnValue:
        return answer(status())

    return blueprint
