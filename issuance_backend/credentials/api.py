"""Cards and electronic accounts over HTTP: for officers, and the questions of other programs."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.credentials import account_repository
from issuance_backend.credentials.account_office import AccountOffice
from issuance_backend.credentials.repository import LIST_KEY
from issuance_backend.credentials.service import DeliveryDesk
from issuance_backend.credentials.shipping_desk import ShippingDesk
from issuance_backend.credentials.suspension_desk import SuspensionDesk
from issuance_backend.credentials.undelivered_desk import UndeliveredDesk
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.service_tokens import calling_service
from verification.messages.credential_status import CredentialStatusQuery
from verification.messages.delivery import (
    AccountOrder,
    AccountSuspension,
    BoxPacking,
    BoxScan,
    BoxSeal,
    CardSuspension,
    HandOver,
    HolderConfirmation,
)

STATUS_ROLE = "status.query"
"""May ask for the state of a card."""

ACTIVATION_ROLE = "account.activate"
"""May report that a citizen signed in with an account for the first time."""


def credentials_blueprint(desk: DeliveryDesk) -> Blueprint:
    """/v1/credentials, for officers: lists and the hand-over."""
    blueprint = Blueprint("credentials", __name__, url_prefix="/v1/credentials")

    @blueprint.get("")
    def cards() -> ResponseReturnValue:
        number = request.args.get("citizen_number", "")
        return page_answer(desk.cards_of(acting_officer(), number, read_page(LIST_KEY)))

    @blueprint.get("/work-list")
    def work_list() -> ResponseReturnValue:
        state = request.args.get("state", "")
        return page_answer(desk.work_list(acting_officer(), state, read_page(LIST_KEY)))

    @blueprint.post("/<card>/holder-confirmation")
    def confirm_holder(card: str) -> ResponseReturnValue:
        return answer(desk.confirm_holder(acting_officer(), card, read_body(HolderConfirmation)))

    @blueprint.post("/<card>/handover")
    def hand_over(card: str) -> ResponseReturnValue:
        # Without a body: another officer has confirmed the holder.
        proof = read_body(HandOver) if request.content_length else HandOver()
        return answer(desk.hand_over(acting_officer(), card, proof))

    return blueprint


def suspensions_blueprint(desk: SuspensionDesk) -> Blueprint:
    """What ends or interrupts a card's life, for officers."""
    blueprint = Blueprint("suspensions", __name__, url_prefix="/v1/credentials/<card>")

    @blueprint.post("/loss-report")
    def report_lost(card: str) -> ResponseReturnValue:
        return answer(desk.report_lost(acting_officer(), card))

    @blueprint.post("/suspension")
    def suspend(card: str) -> ResponseReturnValue:
        return answer(desk.suspend(acting_officer(), card, read_body(CardSuspension)))

    @blueprint.post("/resumption")
    def resume(card: str) -> ResponseReturnValue:
        return answer(desk.resume(acting_officer(), card))

    @blueprint.post("/revocation")
    def revoke(card: str) -> ResponseReturnValue:
        return answer(desk.revoke(acting_officer(), card, read_body(CardSuspension)))

    return blueprint


def undelivered_blueprint(desk: UndeliveredDesk) -> Blueprint:
    """What becomes of cards that nobody fetched, for officers."""
    blueprint = Blueprint("undelivered", __name__, url_prefix="/v1/credentials/<card>")

    @blueprint.post("/return")
    def return_to_centre(card: str) -> ResponseReturnValue:
        return answer(desk.return_to_centre(acting_officer(), card))

    @blueprint.post("/destruction")
    def destroy(card: str) -> ResponseReturnValue:
        return answer(desk.destroy(acting_officer(), card))

    return blueprint


def status_blueprint(desk: DeliveryDesk) -> Blueprint:
    """POST /v1/credential-status-queries, for the gateway."""
    blueprint = Blueprint("credential_status", __name__, url_prefix="/v1/credential-status-queries")

    @blueprint.post("")
    def status() -> ResponseReturnValue:
        return answer(desk.status(read_body(CredentialStatusQuery)))

    return blueprint


def boxes_blueprint(desk: ShippingDesk) -> Blueprint:
    """/v1/boxes."""
    blueprint = Blueprint("boxes", __name__, url_prefix="/v1/boxes")

    @blueprint.get("")
    def boxes() -> ResponseReturnValue:
        state = request.args.get("state", "")
        return page_answer(desk.listed(acting_officer(), state, read_page(LIST_KEY)))

    @blueprint.post("")
    def pack() -> ResponseReturnValue:
        return answer(desk.pack(acting_officer(), read_body(BoxPacking)), 201)

    @blueprint.get("/waiting-offices")
    def waiting_offices() -> ResponseReturnValue:
        return answer(desk.waiting_offices(acting_officer()))

    @blueprint.get("/waiting-cards")
    def waiting_cards() -> ResponseReturnValue:
        unit = request.args.get("unit", "")
        return page_answer(desk.waiting_cards(acting_officer(), unit, read_page(LIST_KEY)))

    @blueprint.get("/<box>")
    def view(box: str) -> ResponseReturnValue:
        return answer(desk.view(acting_officer(), box))

    @blueprint.post("/<box>/dispatch")
    def dispatch(box: str) -> ResponseReturnValue:
        return answer(desk.dispatch(acting_officer(), box, read_body(BoxSeal)))

    @blueprint.post("/<box>/receipt")
    def receive(box: str) -> ResponseReturnValue:
        return answer(desk.receive(acting_officer(), box, read_body(BoxScan)))

    return blueprint


def accounts_blueprint(office: AccountOffice) -> Blueprint:
    """/v1/accounts."""
    blueprint = Blueprint("accounts", __name__, url_prefix="/v1/accounts")

    @blueprint.get("")
    def accounts() -> ResponseReturnValue:
        number = request.args.get("citizen_number", "")
        return answer(office.of_number(acting_officer(), number))

    @blueprint.get("/work-list")
    def work_list() -> ResponseReturnValue:
        state = request.args.get("state", "")
        asked = read_page(account_repository.LIST_KEY)
        return page_answer(office.work_list(acting_officer(), state, asked))

    @blueprint.post("")
    def order() -> ResponseReturnValue:
        return answer(office.order(acting_officer(), read_body(AccountOrder)), 201)

    @blueprint.post("/<account>/approval")
    def approve(account: str) -> ResponseReturnValue:
        return answer(office.approve(acting_officer(), account))

    @blueprint.post("/<account>/suspension")
    def suspend(account: str) -> ResponseReturnValue:
        return answer(office.suspend(acting_officer(), account, read_body(AccountSuspension)))

    @blueprint.post("/<account>/resumption")
    def resume(account: str) -> ResponseReturnValue:
        return answer(office.resume(acting_officer(), account))

    @blueprint.post("/<account>/closure")
    def close(account: str) -> ResponseReturnValue:
        return answer(office.close(acting_officer(), account, read_body(AccountSuspension)))

    return blueprint


def activations_blueprint(office: AccountOffice) -> Blueprint:
    """/v1/account-activations, for the program where citizens sign in."""
    blueprint = Blueprint("account_activations", __name__, url_prefix="/v1/account-activations")

    @blueprint.post("/<account>")
    def activate(account: str) -> ResponseReturnValue:
        return answer(office.activate(account, calling_service().name))

    return blueprint
