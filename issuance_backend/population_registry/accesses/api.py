"""GET /v1/person-reads/{citizen_number}."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer
from issuance_backend.population_registry.accesses.service import AccessLog

READ_LOG_ROLE = "registry.read_log"
"""May see who read a person's entry, to tell the person."""


def reads_blueprint(log: AccessLog) -> Blueprint:
    """Who read a person's entry."""
    blueprint = Blueprint("person_reads", __name__, url_prefix="/v1/person-reads")

    @blueprint.get("/<citizen_number>")
    def reads(citizen_number: str) -> ResponseReturnValue:
        return answer(log.of_person(citizen_number))

    @blueprint.get("/<citizen_number>/numbers")
    def numbers(citizen_number: str) -> ResponseReturnValue:
        return answer(log.numbers(citizen_number))

    return blueprint
