"""Records with their history, and identities, over HTTP: one blueprint a role."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.identities.service import RecordOffice
from issuance_backend.population_registry.reads.api import note_reading
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.service_tokens import calling_service
from verification.errors import FieldsRefused
from verification.messages.registry_records import Enrichment, IdentityClaim, IdentityDecision

REGISTER_ROLE = "person.register"
"""May change what the registry holds of persons."""

ENRICH_ROLE = "person.enrich"
"""May add what another agency knows."""


def records_blueprint(office: RecordOffice, book: ReadBook) -> Blueprint:
    """GET /v1/person-records/{citizen_number}[?valid_on=][&known_at=]."""
    blueprint = Blueprint("person_records", __name__, url_prefix="/v1/person-records")

    @blueprint.get("/<citizen_number>")
    def history(citizen_number: str) -> ResponseReturnValue:
        history = office.history(citizen_number, *_instant())
        note_reading(book, history.citizen_number)
        return answer(history)

    return blueprint


def enrichments_blueprint(office: RecordOffice) -> Blueprint:
    """POST /v1/person-enrichments/{citizen_number}."""
    blueprint = Blueprint("person_enrichments", __name__, url_prefix="/v1/person-enrichments")

    @blueprint.post("/<citizen_number>")
    def enrich(citizen_number: str) -> ResponseReturnValue:
        office.enrich(calling_service().name, citizen_number, read_body(Enrichment))
        return "", 204

    return blueprint


def identities_blueprint(office: RecordOffice) -> Blueprint:
    """POST /v1/identities and /v1/identities/{id}/decision."""
    blueprint = Blueprint("identities", __name__, url_prefix="/v1/identities")

    @blueprint.post("")
    def claim() -> ResponseReturnValue:
        return answer(office.claim(read_body(IdentityClaim)), 201)

    @blueprint.post("/<identity>/decision")
    def decide(identity: str) -> ResponseReturnValue:
        return answer(office.decide(identity, read_body(IdentityDecision)))

    return blueprint


def _instant() -> tuple[date | None, datetime | None]:
    faults: dict[str, str] = {}
    day = moment = None
    try:
        day = date.fromisoformat(request.args["valid_on"]) if "valid_on" in request.args else None
    except ValueError:
        faults["valid_on"] = "FIELD_DATE"
    try:
        moment = _moment(request.args["known_at"]) if "known_at" in request.args else None
    # The last hours of the last year have no name in UTC, where a zone is behind it.
    except (ValueError, OverflowError):
        faults["known_at"] = "FIELD_DATE"
    if faults:
        raise FieldsRefused(faults)
    return day, moment


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)
