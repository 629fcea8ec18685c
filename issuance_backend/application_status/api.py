"""Where an application stands, over HTTP, for the program that serves the public page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.application_status.service import StatusDesk
from issuance_backend.http_body import answer, read_body
from verification.messages.application_status import ReceiptQuestion

APPLICATION_STATUS_ROLE = "application.status"


def application_status_blueprint(desk: StatusDesk) -> Blueprint:
    """POST /v1/application-status; the code stands in no address, which proxies write down."""
    blueprint = Blueprint("application_status", __name__, url_prefix="/v1/application-status")

    @blueprint.post("")
    def status() -> ResponseReturnValue:
        return answer(desk.of_receipt(read_body(ReceiptQuestion).code))

    return blueprint
