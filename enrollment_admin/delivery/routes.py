"""Handing cards over, and taking reports of lost ones."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, page, refused
from verification.errors import CitizenNumberMalformed
from verification.identity.citizen_number import CitizenNumber


def delivery_blueprint(backend: BackendClient) -> Blueprint:
    """/credentials."""
    blueprint = Blueprint("delivery", __name__, url_prefix="/credentials")

    @blueprint.get("")
    def cards() -> ResponseReturnValue:
        number = "".join(request.args.get("citizen_number", "").split())
        return _cards_page(backend, number)

    @blueprint.post("/<card>/hand-over")
    def hand_over(card: str) -> ResponseReturnValue:
        return _step(backend, card, "handover", "done.handed_over")

    @blueprint.post("/<card>/report-lost")
    def report_lost(card: str) -> ResponseReturnValue:
        return _step(backend, card, "loss-report", "done.reported_lost")

    return blueprint


def _cards_page(backend: BackendClient, number: str) -> ResponseReturnValue:
    if not number:
        return page("cards.html", number="", cards=None, code=None)
    try:
        asked = str(CitizenNumber(number))
    except CitizenNumberMalformed as fault:
        return page("cards.html", 422, number=number, cards=None, code=fault.code)
    return page("cards.html", number=asked, cards=officers_backend(backend).cards(asked), code=None)


def _step(backend: BackendClient, card: str, step: str, done: str) -> ResponseReturnValue:
    try:
        summary = officers_backend(backend).card_step(card, step)
    except BackendRefused as fault:
        return refused(fault, url_for("delivery.cards"))
    return answer(summary, url_for("review.dossier", dossier=summary.dossier), done)
