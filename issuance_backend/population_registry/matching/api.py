"""POST /v1/person-matches."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.matching.service import MatchingDesk
from issuance_backend.population_registry.reads.api import note_reading
from issuance_backend.population_registry.reads.service import ReadBook
from verification.messages.person_match import MatchQuery

MATCH_ROLE = "person.match"
"""May ask who in the registry may be meant."""


def matches_blueprint(desk: MatchingDesk, book: ReadBook) -> Blueprint:
    """Candidates for a name with whatever else is known."""
    blueprint = Blueprint("person_matches", __name__, url_prefix="/v1/person-matches")

    @blueprint.post("")
    def find() -> ResponseReturnValue:
        found = desk.find(read_body(MatchQuery))
        note_reading(book, *(each.citizen_number for each in found.candidates))
        return answer(found)

    return blueprint
