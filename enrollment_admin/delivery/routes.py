"""Handing cards over, and taking reports of lost ones."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, error_page, page


def delivery_blueprint(backend: BackendClient) -> Blueprint:
    """/credentials."""
    blueprint = Blueprint("delivery", __name__, url_prefix="/credentials")

    @blueprint.get("")
    def cards() -> ResponseReturnValue:
        number = "".join(request.args.get("citizen_number", "").split())
        found = officers_backend(backend).cards(number) if number else None
        return page("cards.html", number=number, cards=found)

    @blueprint.post("/<card>/hand-over")
    def hand_over(card: str) -> ResponseReturnValue:
        return _step(backend, card, "handover", "done.handed_over")

    @blueprint.post("/<card>/report-lost")
    def report_lost(card: str) -> ResponseReturnValue:
        return _step(backend, card, "loss-report", "done.reported_lost")

    return blueprint


def _step(backend: BackendClient, card: str, step: str, done: str) -> ResponseReturnValue:
    try:
        summary = officers_backend(backend).card_step(card, step)
    except BackendRefused as fault:
        return error_page(fault)
    return answer(summary, url_for("review.dossier", dossier=summary.dossier), done)
