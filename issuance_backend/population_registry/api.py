"""The registry over HTTP: one blueprint a guard, because each names its own role."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.service import RegistryDesk
from verification.messages.person_query import PersonQuery

QUERY_ROLE = "person.query"
"""May ask whether attributes agree."""

READ_ROLE = "registry.read"
"""May read whole entries."""


def queries_blueprint(desk: RegistryDesk) -> Blueprint:
    """POST /v1/person-queries."""
    blueprint = Blueprint("person_queries", __name__, url_prefix="/v1/person-queries")

    @blueprint.post("")
    def ask() -> ResponseReturnValue:
        return answer(desk.answer(read_body(PersonQuery)))

    return blueprint


def persons_blueprint(desk: RegistryDesk) -> Blueprint:
    """GET /v1/persons/{citizen_number}."""
    blueprint = Blueprint("persons", __name__, url_prefix="/v1/persons")

    @blueprint.get("/<citizen_number>")
    def read(citizen_number: str) -> ResponseReturnValue:
        return answer(desk.extract(citizen_number))

    return blueprint
