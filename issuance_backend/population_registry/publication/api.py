"""Publications over HTTP for registrars, deliveries for those who receive them."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.population_registry.publication.domain import PublicationState
from issuance_backend.population_registry.publication.repository import DELIVERY_KEY, PUBLICATION_KEY
from issuance_backend.population_registry.publication.service import PublicationOffice
from issuance_backend.population_registry.reads.api import noting_by
from issuance_backend.population_registry.reads.service import ReadBook
from issuance_backend.service_tokens import calling_service
from verification.errors import FieldsRefused
from verification.messages.publication import PublicationProposal, Receiver, SignOff
from verification.messages.registry_access import Purpose

PUBLISH_ROLE = "person.publish"
"""May propose, sign and follow publications."""

RECEIVE_ROLE = "person.receive"
"""May fetch and acknowledge its own deliveries."""

_MAX_MINUTES = 525_600


def publications_blueprint(office: PublicationOffice, book: ReadBook) -> Blueprint:
    """/v1/publications, with the receivers and the acknowledgements that are missing."""
    blueprint = Blueprint("publications", __name__, url_prefix="/v1/publications")

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return answer(office.propose(read_body(PublicationProposal)), 201)

    @blueprint.put("/receivers")
    def subscribe() -> ResponseReturnValue:
        return answer(office.subscribe(calling_service().name, read_body(Receiver)))

    @blueprint.get("")
    def in_state() -> ResponseReturnValue:
        return page_answer(office.in_state(_state(), read_page(PUBLICATION_KEY)))

    @blueprint.get("/missing-acknowledgements")
    def missing() -> ResponseReturnValue:
        return page_answer(office.missing(read_page(DELIVERY_KEY), _older_than()))

    @blueprint.get("/<publication>")
    def view(publication: str) -> ResponseReturnValue:
        return answer(office.view(publication))

    @blueprint.get("/<publication>/values")
    def values(publication: str) -> ResponseReturnValue:
        officer = request.args.get("officer", "")
        note = noting_by(book, officer, Purpose.PUBLICATION_CHECK)
        return answer(office.values(publication, officer, note))

    @blueprint.post("/<publication>/signature")
    def sign(publication: str) -> ResponseReturnValue:
        return answer(office.sign(publication, read_body(SignOff)))

    return blueprint


def deliveries_blueprint(office: PublicationOffice) -> Blueprint:
    """/v1/deliveries, the calling receiver's own."""
    blueprint = Blueprint("deliveries", __name__, url_prefix="/v1/deliveries")

    @blueprint.get("")
    def deliveries() -> ResponseReturnValue:
        return page_answer(office.deliveries(calling_service().name, read_page(DELIVERY_KEY)))

    @blueprint.post("/<delivery>/acknowledgement")
    def acknowledge(delivery: str) -> ResponseReturnValue:
        office.acknowledge(calling_service().name, delivery)
        return "", 204

    return blueprint


def _state() -> PublicationState:
    try:
        return PublicationState(request.args.get("state", ""))
    except ValueError:
        raise FieldsRefused({"state": "FIELD_CHARACTERS"}) from None


def _older_than() -> timedelta:
    text = request.args.get("older_than_minutes", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= _MAX_MINUTES):
        raise FieldsRefused({"older_than_minutes": "FIELD_CHARACTERS"})
    return timedelta(minutes=int(text))
