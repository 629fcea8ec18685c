"""Batches over HTTP, for officers of the production centre."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.personalization.batches.printed_look import PrintedLook
from issuance_backend.personalization.batches.repository import LIST_KEY
from issuance_backend.personalization.batches.service import ProductionDesk
from verification.messages.production import BatchOrder, FaultReport


def production_blueprint(desk: ProductionDesk) -> Blueprint:
    """/v1/production-batches and the cards that came of them."""
    blueprint = Blueprint("production_batches", __name__, url_prefix="/v1")

    @blueprint.get("/production-batches")
    def batches() -> ResponseReturnValue:
        return page_answer(desk.batches(acting_officer(), read_page(LIST_KEY)))

    @blueprint.post("/production-batches")
    def make() -> ResponseReturnValue:
        return answer(desk.make_batch(acting_officer(), read_body(BatchOrder)), 201)

    @blueprint.get("/production-batches/<batch>")
    def orders(batch: str) -> ResponseReturnValue:
        return answer(desk.orders_of(acting_officer(), batch))

    @blueprint.post("/production-orders/<dossier>/release")
    def release(dossier: str) -> ResponseReturnValue:
        desk.queue(acting_officer(), dossier)
        return "", 204

    @blueprint.post("/produced-cards/<card>/refusal")
    def refuse(card: str) -> ResponseReturnValue:
        desk.refuse_card(acting_officer(), card, read_body(FaultReport))
        return "", 204

    return blueprint


def printed_cards_blueprint(look: PrintedLook) -> Blueprint:
    """/v1/produced-cards: what a quality officer judges by eye."""
    blueprint = Blueprint("printed_cards", __name__, url_prefix="/v1/produced-cards")

    @blueprint.get("/<card>/<any(front,back):face>.png")
    def printed(card: str, face: str) -> ResponseReturnValue:
        faces = look.faces(acting_officer(), card)
        picture = Response(faces.front if face == "front" else faces.back, content_type="image/png")
        picture.headers["Cache-Control"] = "no-store"
        return picture

    return blueprint
