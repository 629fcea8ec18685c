"""Captures at counters over HTTP, for the officers who capture and for those who answer for them."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.counter.print_desk import PrintDesk
from issuance_backend.dossiers.counter.repository import LIST_KEY
from issuance_backend.dossiers.counter.service import CounterDesk
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.officers.domain import Officer
from verification.messages.counter_capture import (
    CitizenAgreement,
    CounterPrints,
    CounterScanner,
    SupervisorAnswer,
)
from verification.messages.enrollment import DossierCapture, DossierView
from verification.messages.enrollment_packet import CaptureException

Show = Callable[[Officer, str], DossierView]
"""A whole dossier, as an officer may see it."""


def counter_blueprint(desk: CounterDesk, show: Show) -> Blueprint:
    """/v1/counter-captures: begun, sealed or withdrawn."""
    blueprint = Blueprint("counter_captures", __name__, url_prefix="/v1/counter-captures")

    @blueprint.post("")
    def begin() -> ResponseReturnValue:
        return answer(desk.begin(acting_officer(), read_body(DossierCapture)), 201)

    @blueprint.get("")
    def waiting() -> ResponseReturnValue:
        return page_answer(desk.waiting(acting_officer(), read_page(LIST_KEY)))

    @blueprint.get("/<capture>")
    def view(capture: str) -> ResponseReturnValue:
        return answer(desk.view(acting_officer(), capture))

    @blueprint.post("/<capture>/seal")
    def seal(capture: str) -> ResponseReturnValue:
        return answer(show(acting_officer(), desk.seal(acting_officer(), capture)), 201)

    @blueprint.post("/<capture>/withdrawal")
    def withdraw(capture: str) -> ResponseReturnValue:
        return answer(desk.withdraw(acting_officer(), capture))

    return blueprint


def agreements_blueprint(desk: CounterDesk) -> Blueprint:
    """/v1/counter-captures/<capture>: printed, signed, answered for."""
    blueprint = Blueprint("counter_agreements", __name__, url_prefix="/v1/counter-captures")

    @blueprint.post("/<capture>/form")
    def check_form(capture: str) -> ResponseReturnValue:
        return answer(desk.check_form(acting_officer(), capture))

    @blueprint.get("/<capture>/form.pdf")
    def form(capture: str) -> ResponseReturnValue:
        response = Response(desk.form(acting_officer(), capture), content_type="application/pdf")
        response.headers["Content-Disposition"] = f'inline; filename="{capture}.pdf"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.post("/<capture>/agreement")
    def sign(capture: str) -> ResponseReturnValue:
        return answer(desk.sign(acting_officer(), capture, read_body(CitizenAgreement)))

    @blueprint.post("/<capture>/answer")
    def answer_for(capture: str) -> ResponseReturnValue:
        # Without a body: for the capture as it stands.
        seen = read_body(SupervisorAnswer) if request.content_length else SupervisorAnswer()
        return answer(desk.answer(acting_officer(), capture, seen))

    return blueprint


def counter_prints_blueprint(desk: PrintDesk) -> Blueprint:
    """/v1/counter-captures/<capture>: prints, by which scanner, and reasons for those that are not there."""
    blueprint = Blueprint("counter_prints", __name__, url_prefix="/v1/counter-captures/<capture>")

    @blueprint.post("/prints")
    def take(capture: str) -> ResponseReturnValue:
        return answer(desk.take(acting_officer(), capture, read_body(CounterPrints)))

    @blueprint.get("/prints/<item>")
    def picture(capture: str, item: str) -> ResponseReturnValue:
        found = desk.picture(acting_officer(), capture, item)
        response = Response(found.content, content_type=found.media_type)
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.delete("/prints/<item>")
    def drop(capture: str, item: str) -> ResponseReturnValue:
        return answer(desk.drop(acting_officer(), capture, item))

    @blueprint.post("/scanner")
    def tell_scanner(capture: str) -> ResponseReturnValue:
        takes_slaps = read_body(CounterScanner).takes_slaps
        return answer(desk.tell_scanner(acting_officer(), capture, takes_slaps=takes_slaps))

    @blueprint.post("/reasons")
    def state_reason(capture: str) -> ResponseReturnValue:
        return answer(desk.state_reason(acting_officer(), capture, read_body(CaptureException)))

    return blueprint


def recaptures_blueprint(desk: CounterDesk) -> Blueprint:
    """/v1/dossiers/<dossier>/recapture: what was returned of a dossier is captured again."""
    blueprint = Blueprint("recaptures", __name__, url_prefix="/v1/dossiers/<dossier>/recapture")

    @blueprint.post("")
    def recapture(dossier: str) -> ResponseReturnValue:
        return answer(desk.begin(acting_officer(), read_body(DossierCapture), dossier), 201)

    return blueprint
