"""GET /v1/person-reads/{citizen_number}, and what the other routes say of who is asking."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.service_tokens import calling_service
from verification.messages.registry_access import HEADER, read_statement

READ_LOG_ROLE = "registry.read_log"
"""May see who read a person's entry, to tell the person."""


def reads_blueprint(book: ReadBook) -> Blueprint:
    """Who read a person's entry."""
    blueprint = Blueprint("person_reads", __name__, url_prefix="/v1/person-reads")

    @blueprint.get("/<citizen_number>")
    def reads(citizen_number: str) -> ResponseReturnValue:
        return answer(book.of_person(citizen_number))

    return blueprint


def note_reading(book: ReadBook, citizen_number: str) -> None:
    """Record that the calling program reads an entry, for whom its statement says."""
    book.note(citizen_number, calling_service().name, read_statement(request.headers.get(HEADER, "")))
