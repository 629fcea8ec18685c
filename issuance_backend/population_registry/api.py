"""The registry over HTTP: one blueprint a guard, because each names its own role."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.reads.api import note_reading
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.population_registry.service import RegistryDesk
from issuance_backend.service_tokens import calling_service
from verification.messages.person_query import PersonQuery
from verification.messages.registry_access import stated

QUERY_ROLE = "person.query"
"""May ask whether attributes agree."""

READ_ROLE = "registry.read"
"""May read whole entries."""


def queries_blueprint(desk: RegistryDesk, book: ReadBook) -> Blueprint:
    """POST /v1/person-queries."""
    blueprint = Blueprint("person_queries", __name__, url_prefix="/v1/person-queries")

    @blueprint.post("")
    def ask() -> ResponseReturnValue:
        query = read_body(PersonQuery)
        said = desk.answer(query)
        if said.found:
            book.note(query.citizen_number, calling_service().name, stated(query.purpose, query.agency))
        return answer(said)

    return blueprint


def persons_blueprint(desk: RegistryDesk, book: ReadBook) -> Blueprint:
    """GET /v1/persons/{citizen_number}."""
    blueprint = Blueprint("persons", __name__, url_prefix="/v1/persons")

    @blueprint.get("/<citizen_number>")
    def read(citizen_number: str) -> ResponseReturnValue:
        extract = desk.extract(citizen_number)
        note_reading(book, extract.citizen_number)
        return answer(extract)

    return blueprint
