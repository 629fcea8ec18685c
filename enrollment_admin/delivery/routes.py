"""Cards at the office: found, handed over, reported lost, sent back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.delivery import cards_client
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.review.routes import dossier_page
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.navigation import DOSSIER_ROLES
from enrollment_admin.ui.pages import answer, page, refused, typed, wants_json
from verification.errors import CitizenNumberMalformed
from verification.identity.citizen_number import CitizenNumber
from verification.messages.capture_terms import OldCard
from verification.messages.delivery import CardSuspension, ConfirmationReason, HandOver, HolderConfirmation

CARD_STATES = (
    "qa_passed",
    "at_office",
    "undelivered",
    "returned_to_centre",
    "withdrawn",
    "suspended",
    "spoiled",
)
"""The lists of cards, in the order of the work."""

CONFIRMATIONS = tuple(ConfirmationReason)


def delivery_blueprint(backend: BackendClient) -> Blueprint:
    """/credentials: lists, the hand-over, the way back."""
    blueprint = Blueprint("delivery", __name__, url_prefix="/credentials")

    @blueprint.get("")
    def cards() -> ResponseReturnValue:
        number = "".join(request.args.get("citizen_number", "").split())
        return _cards_page(backend, number)

    @blueprint.get("/work-list")
    def work_list() -> ResponseReturnValue:
        return _work_list(backend, request.args.get("state", ""), request.args.get("cursor"))

    @blueprint.post("/<card>/hand-over")
    def hand_over(card: str) -> ResponseReturnValue:
        said = typed("old_card")
        proof = HandOver(
            receipt=typed("receipt") or None,
            old_card=OldCard(said) if said in set(OldCard) else None,
            loss_report=typed("loss_report") or None,
        )
        return _hand_over(backend, card, proof)

    @blueprint.post("/<card>/confirm-holder")
    def confirm_holder(card: str) -> ResponseReturnValue:
        reason = typed("reason")
        if reason not in CONFIRMATIONS:
            return refused(_no_reason(), _back())
        said = HolderConfirmation(ConfirmationReason(reason))
        return _step(backend, card, "holder-confirmation", "done.holder_confirmed", said)

    @blueprint.post("/<card>/return")
    def send_to_centre(card: str) -> ResponseReturnValue:
        return _step(backend, card, "return", "done.returned_to_centre", None)

    @blueprint.post("/<card>/destroy")
    def destroy(card: str) -> ResponseReturnValue:
        return _destroy(backend, card)

    return blueprint


def suspensions_blueprint(backend: BackendClient) -> Blueprint:
    """/credentials/{id}: what ends or interrupts a card's life."""
    blueprint = Blueprint("suspensions", __name__, url_prefix="/credentials/<card>")

    @blueprint.post("/report-lost")
    def report_lost(card: str) -> ResponseReturnValue:
        return _step(backend, card, "loss-report", "done.reported_lost", None)

    @blueprint.post("/suspend")
    def suspend(card: str) -> ResponseReturnValue:
        said = CardSuspension(reason=typed("reason"), case=typed("case") or None)
        return _step(backend, card, "suspension", "done.card_suspended", said)

    @blueprint.post("/resume")
    def resume(card: str) -> ResponseReturnValue:
        return _step(backend, card, "resumption", "done.card_resumed", None)

    @blueprint.post("/revoke")
    def revoke(card: str) -> ResponseReturnValue:
        said = CardSuspension(reason=typed("reason"), case=typed("case") or None)
        return _step(backend, card, "revocation", "done.card_revoked", said)

    return blueprint


def _cards_page(backend: BackendClient, number: str) -> ResponseReturnValue:
    if not number:
        return page("cards.html", number="", cards=None, code=None, states=CARD_STATES)
    try:
        asked = str(CitizenNumber(number))
    except CitizenNumberMalformed as fault:
        return page("cards.html", 422, number=number, cards=None, code=fault.code, states=CARD_STATES)
    found = cards_client.of_number(officers_backend(backend), asked, request.args.get("cursor"))
    following = found.cursor and url_for("delivery.cards", citizen_number=asked, cursor=found.cursor)
    return _listed("cards.html", number=asked, cards=found.entries, following=following, code=None)


def _work_list(backend: BackendClient, state: str, cursor: str | None) -> ResponseReturnValue:
    if not state and not wants_json():
        # Where each list is offered.
        return redirect(url_for("delivery.cards"), 303)
    found = cards_client.in_state(officers_backend(backend), state, cursor)
    following = found.cursor and url_for("delivery.work_list", state=state, cursor=found.cursor)
    return _listed(
        "card_list.html", cards=found.entries, state=state, states=CARD_STATES, following=following
    )


def _listed(template: str, **values: Any) -> ResponseReturnValue:
    """A page of cards; whoever reads no dossiers finds no way to them."""
    roles = frozenset(session["officer"]["roles"])
    return page(template, roles=roles, reads_dossiers=not DOSSIER_ROLES.isdisjoint(roles), **values)


def _destroy(backend: BackendClient, card: str) -> ResponseReturnValue:
    try:
        signed = cards_client.sign_destruction(officers_backend(backend), card)
    except BackendRefused as fault:
        return refused(fault, _back())
    done = "done.destruction_signed" if signed.second_officer is None else "done.card_destroyed"
    return answer(signed, _back(), done)


def _hand_over(backend: BackendClient, card: str, proof: HandOver) -> ResponseReturnValue:
    try:
        summary = cards_client.card_step(officers_backend(backend), card, "handover", proof)
    except BackendRefused as fault:
        if fault.fields and typed("dossier") and not wants_json():
            return dossier_page(backend, typed("dossier"), 422, fault.fields)
        return refused(fault, _back())
    return answer(summary, url_for("review.dossier", dossier=summary.dossier), "done.handed_over")


def _step(
    backend: BackendClient, card: str, step: str, done: str, message: CardMessage | None
) -> ResponseReturnValue:
    try:
        summary = cards_client.card_step(officers_backend(backend), card, step, message)
    except BackendRefused as fault:
        return refused(fault, _back())
    target = _back() if typed("list") else url_for("review.dossier", dossier=summary.dossier)
    return answer(summary, target, done)


CardMessage = HandOver | HolderConfirmation | CardSuspension


def _back() -> str:
    """The dossier or the list that the form stood on, or where the lists are offered."""
    if typed("dossier"):
        return url_for("review.dossier", dossier=typed("dossier"))
    return url_for("delivery.work_list", state=typed("list") or None)


def _no_reason() -> BackendRefused:
    return BackendRefused(422, "FIELD_MISSING", {})
