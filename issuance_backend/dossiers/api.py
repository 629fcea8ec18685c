"""Dossiers over HTTP, for officers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.repository import LIST_KEY
from issuance_backend.dossiers.service import ApplicationOffice
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.officers.domain import Officer
from verification.messages.enrollment import DossierCapture, DossierReturn, PortraitGate

Produce = Callable[[Officer, str], None]
"""Make, or make again, the card of an approved dossier."""


def prefill_blueprint(office: ApplicationOffice) -> Blueprint:
    """What a capture needs before it begins."""
    blueprint = Blueprint("prefill", __name__, url_prefix="/v1")

    @blueprint.get("/prefill/<citizen_number>")
    def prefill(citizen_number: str) -> ResponseReturnValue:
        return answer(office.prefill(acting_officer(), citizen_number))

    @blueprint.get("/portrait-gate")
    def portrait_gate() -> ResponseReturnValue:
        return answer(PortraitGate(engine=office.portrait_engine))

    return blueprint


def dossiers_blueprint(office: ApplicationOffice) -> Blueprint:
    """/v1/dossiers: capturing and looking."""
    blueprint = Blueprint("dossiers", __name__, url_prefix="/v1/dossiers")

    @blueprint.post("")
    def capture() -> ResponseReturnValue:
        return answer(office.capture(acting_officer(), read_body(DossierCapture)), 201)

    @blueprint.get("")
    def work_list() -> ResponseReturnValue:
        state = request.args.get("state", "")
        return page_answer(office.work_list(acting_officer(), state, read_page(LIST_KEY)))

    @blueprint.get("/<dossier>")
    def view(dossier: str) -> ResponseReturnValue:
        return answer(office.view(acting_officer(), dossier))

    @blueprint.get("/<dossier>/portrait.jpg")
    def portrait(dossier: str) -> ResponseReturnValue:
        picture = Response(office.portrait(acting_officer(), dossier), content_type="image/jpeg")
        picture.headers["Cache-Control"] = "no-store"
        return picture

    return blueprint


def decisions_blueprint(office: ApplicationOffice, produce: Produce) -> Blueprint:
    """What officers decide on one dossier."""
    blueprint = Blueprint("dossier_decisions", __name__, url_prefix="/v1/dossiers")

    @blueprint.post("/<dossier>/recapture")
    def recapture(dossier: str) -> ResponseReturnValue:
        return answer(office.recapture(acting_officer(), dossier, read_body(DossierCapture)))

    @blueprint.post("/<dossier>/approval")
    def approve(dossier: str) -> ResponseReturnValue:
        return answer(office.approve(acting_officer(), dossier))

    @blueprint.post("/<dossier>/return")
    def send_back(dossier: str) -> ResponseReturnValue:
        return answer(office.send_back(acting_officer(), dossier, read_body(DossierReturn)))

    @blueprint.post("/<dossier>/withdrawal")
    def withdraw(dossier: str) -> ResponseReturnValue:
        return answer(office.withdraw(acting_officer(), dossier))

    @blueprint.post("/<dossier>/production")
    def production(dossier: str) -> ResponseReturnValue:
        produce(acting_officer(), dossier)
        return answer(office.view(acting_officer(), dossier))

    return blueprint
