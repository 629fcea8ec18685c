"""Cards over HTTP: for officers, and the status question of other programs."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.credentials.repository import LIST_KEY
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from verification.messages.credential_status import CredentialStatusQuery

STATUS_ROLE = "status.query"
"""May ask for the state of a card."""


def credentials_blueprint(desk: DeliveryDesk) -> Blueprint:
    """/v1/credentials, for officers."""
    blueprint = Blueprint("credentials", __name__, url_prefix="/v1/credentials")

    @blueprint.get("")
    def cards() -> ResponseReturnValue:
        number = request.args.get("citizen_number", "")
        return page_answer(desk.cards_of(acting_officer(), number, read_page(LIST_KEY)))

    @blueprint.post("/<card>/handover")
    def hand_over(card: str) -> ResponseReturnValue:
        return answer(desk.hand_over(acting_officer(), card))

    @blueprint.post("/<card>/loss-report")
    def report_lost(card: str) -> ResponseReturnValue:
        return answer(desk.report_lost(acting_officer(), card))

    return blueprint


def status_blueprint(desk: DeliveryDesk) -> Blueprint:
    """POST /v1/credential-status-queries, for the gateway."""
    blueprint = Blueprint("credential_status", __name__, url_prefix="/v1/credential-status-queries")

    @blueprint.post("")
    def status() -> ResponseReturnValue:
        return answer(desk.status(read_body(CredentialStatusQuery)))

    return blueprint
