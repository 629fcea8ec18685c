"""What kits take along, for the office that seals it for them."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_page
from issuance_backend.population_registry.extracts.service import ExtractDesk
from issuance_backend.population_registry.reads.api import note_commune
from issuance_backend.population_registry.reads.service import ReadBook

EXTRACT_ROLE = "registry.extract"
"""May take a whole commune's entries, and the filters of everybody."""


def extracts_blueprint(desk: ExtractDesk, book: ReadBook) -> Blueprint:
    """/v1/communes and /v1/known-filters."""
    blueprint = Blueprint("commune_extracts", __name__, url_prefix="/v1")

    @blueprint.get("/communes/<code>")
    def commune(code: str) -> ResponseReturnValue:
        return answer(desk.commune(code))

    @blueprint.get("/communes/<code>/residents")
    def residents(code: str) -> ResponseReturnValue:
        page = desk.residents(code, read_page(1))
        note_commune(book, code)
        return page_answer(page)

    @blueprint.get("/known-filters")
    def filters() -> ResponseReturnValue:
        response = Response(desk.filters(), content_type="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
