"""Events over HTTP, for the programs that follow this office."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.outbox.domain import Ask, Topic, ask, followed
from issuance_backend.outbox.service import NoticeBoard
from issuance_backend.service_tokens import calling_service
from verification.messages.event_feed import PositionReached

EVENT_ROLES = tuple(topic.role for topic in Topic)
"""Each topic has its own role; a caller with any of them may ask, and sees only its topics."""


def events_blueprint(board: NoticeBoard) -> Blueprint:
    """/v1/events."""
    blueprint = Blueprint("events", __name__, url_prefix="/v1/events")

    @blueprint.get("")
    def events() -> ResponseReturnValue:
        return answer(board.after(calling_service().name, _asked()))

    @blueprint.get("/position")
    def position() -> ResponseReturnValue:
        return answer(board.position(calling_service().name))

    @blueprint.put("/position")
    def confirm() -> ResponseReturnValue:
        return answer(board.confirm(calling_service().name, read_body(PositionReached).position))

    return blueprint


def _asked() -> Ask:
    return ask(followed(calling_service().roles), request.args.to_dict())
