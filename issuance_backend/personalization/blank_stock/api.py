"""Blanks over HTTP, for officers."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.personalization.blank_stock.repository import LIST_KEY
from issuance_backend.personalization.blank_stock.service import StockOffice
from verification.messages.production import BlankDelivery, BlankSerials, StockCount


def stock_blueprint(office: StockOffice) -> Blueprint:
    """/v1/blank-stock: the books, deliveries and counts."""
    blueprint = Blueprint("blank_stock", __name__, url_prefix="/v1/blank-stock")

    @blueprint.get("")
    def books() -> ResponseReturnValue:
        return answer(office.books(acting_officer()))

    @blueprint.get("/ranges")
    def ranges() -> ResponseReturnValue:
        return page_answer(office.ranges(acting_officer(), read_page(LIST_KEY)))

    @blueprint.post("/ranges")
    def receive() -> ResponseReturnValue:
        return answer(office.receive(acting_officer(), read_body(BlankDelivery)), 201)

    @blueprint.post("/counts")
    def count() -> ResponseReturnValue:
        return answer(office.count(acting_officer(), read_body(StockCount)), 201)

    @blueprint.post("/write-offs")
    def write_off() -> ResponseReturnValue:
        return answer(office.write_off(acting_officer(), read_body(BlankSerials)))

    @blueprint.get("/spoiled")
    def spoiled() -> ResponseReturnValue:
        return page_answer(office.spoiled(acting_officer(), read_page(LIST_KEY)))

    return blueprint


def destructions_blueprint(office: StockOffice) -> Blueprint:
    """/v1/blank-destructions: two officers, neither of them the operator."""
    blueprint = Blueprint("blank_destructions", __name__, url_prefix="/v1/blank-destructions")

    @blueprint.get("")
    def waiting() -> ResponseReturnValue:
        return answer(office.open_destructions(acting_officer()))

    @blueprint.post("")
    def propose() -> ResponseReturnValue:
        return answer(office.propose_destruction(acting_officer(), read_body(BlankSerials)), 201)

    @blueprint.post("/<destruction>/confirmation")
    def confirm(destruction: str) -> ResponseReturnValue:
        return answer(office.confirm_destruction(acting_officer(), destruction))

    @blueprint.post("/<destruction>/cancellation")
    def cancel(destruction: str) -> ResponseReturnValue:
        return answer(office.cancel_destruction(acting_officer(), destruction))

    return blueprint
