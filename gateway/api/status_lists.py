"""The list of card states, for agents."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer
from gateway.ports import StatusLists
from gateway.services.status_lists import status_list
from verification.errors import RequestMalformed


def status_lists_blueprint(lists: StatusLists) -> Blueprint:
    """GET of the newest list, or of what changed since an earlier one."""
    blueprint = Blueprint("status_lists", __name__, url_prefix="/v1/status-snapshot")

    @blueprint.get("")
    def get_status_list() -> ResponseReturnValue:
        return answer(status_list(lists, _since(request.args.get("since"))))

    return blueprint


def _since(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise RequestMalformed("since must be a whole number")
    return int(text)
