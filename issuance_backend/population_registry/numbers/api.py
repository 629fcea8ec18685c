"""Citizen numbers over HTTP."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.population_registry.numbers.service import NumberOffice
from issuance_backend.service_tokens import calling_service
from verification.messages.registry_numbers import NumberWanted

NUMBER_ROLE = "number.issue"
"""May reserve and issue citizen numbers."""


def numbers_blueprint(office: NumberOffice) -> Blueprint:
    """/v1/number-reservations."""
    blueprint = Blueprint("numbers", __name__, url_prefix="/v1/number-reservations")

    @blueprint.post("")
    def reserve() -> ResponseReturnValue:
        return answer(office.reserve(calling_service().name, read_body(NumberWanted)), 201)

    @blueprint.post("/<request_id>/confirmation")
    def confirm(request_id: str) -> ResponseReturnValue:
        return answer(office.confirm(calling_service().name, request_id))

    @blueprint.delete("/<request_id>")
    def release(request_id: str) -> ResponseReturnValue:
        office.release(calling_service().name, request_id)
        return "", 204

    return blueprint


def number_blocks_blueprint(office: NumberOffice) -> Blueprint:
    """GET /v1/number-blocks[?alarming=true]."""
    blueprint = Blueprint("number_blocks", __name__, url_prefix="/v1/number-blocks")

    @blueprint.get("")
    def blocks() -> ResponseReturnValue:
        alarming = request.args.get("alarming") == "true"
        return page_answer(office.blocks(read_page(1), alarming=alarming))

    return blueprint
