"""Boxes of cards: packed and sealed, given to a courier, opened and scanned at the office."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient, Listed
from enrollment_admin.delivery import cards_client
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, typed, typed_words
from verification.messages.delivery import BoxPacking, BoxScan, BoxSeal, WaitingCard

BOX_STATES = ("sealed", "dispatched", "received", "received_short")


def shipping_blueprint(backend: BackendClient) -> Blueprint:
    """/boxes."""
    blueprint = Blueprint("shipping", __name__, url_prefix="/boxes")

    @blueprint.get("")
    def boxes() -> ResponseReturnValue:
        return _boxes_page(backend, request.args.get("state", BOX_STATES[0]), request.args.get("cursor"))

    @blueprint.get("/new")
    def new() -> ResponseReturnValue:
        return _packing_page(backend, request.args.get("unit", "").strip())

    @blueprint.post("")
    def pack() -> ResponseReturnValue:
        packing = BoxPacking(unit=typed("unit"), cards=typed_words("cards"))
        return outcome_of(
            lambda: cards_client.pack(officers_backend(backend), packing),
            target=url_for("shipping.boxes"),
            done="done.packed",
            again=lambda faults: _packing_page(backend, packing.unit, faults),
            status=201,
        )

    @blueprint.get("/<box>")
    def box(box: str) -> ResponseReturnValue:
        return _box_page(backend, box)

    @blueprint.post("/<box>/dispatch")
    def dispatch(box: str) -> ResponseReturnValue:
        seal = BoxSeal(digest="".join(typed_words("digest")))
        return outcome_of(
            lambda: cards_client.dispatch(officers_backend(backend), box, seal),
            target=url_for("shipping.box", box=box),
            done="done.dispatched",
            again=lambda faults: _box_page(backend, box, faults),
        )

    @blueprint.post("/<box>/receipt")
    def receive(box: str) -> ResponseReturnValue:
        scan = BoxScan(cards=typed_words("cards"), close_short="close_short" in request.form)
        return outcome_of(
            lambda: cards_client.receive(officers_backend(backend), box, scan),
            target=url_for("shipping.box", box=box),
            done="done.box_received",
            again=lambda faults: _box_page(backend, box, faults),
        )

    return blueprint


def _boxes_page(backend: BackendClient, state: str, cursor: str | None) -> ResponseReturnValue:
    found = cards_client.boxes(officers_backend(backend), state, cursor)
    following = found.cursor and url_for("shipping.boxes", state=state, cursor=found.cursor)
    return page("boxes.html", boxes=found.entries, state=state, states=BOX_STATES, following=following)


def _packing_page(
    backend: BackendClient, unit: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    """The offices with cards that wait for a box, and those cards where an office was chosen."""
    officers = officers_backend(backend)
    offices = cards_client.waiting_offices(officers)
    waiting: Listed[WaitingCard] = Listed((), None)
    try:
        if unit:
            waiting = cards_client.waiting_cards(officers, unit, request.args.get("cursor"))
    except BackendRefused as fault:
        if "unit" not in fault.fields:
            raise
        faults = {**fault.fields, **(faults or {})}
    return page(
        "packing.html",
        422 if faults else 200,
        unit=unit,
        offices=offices,
        amount=sum(office.cards for office in offices if office.unit in {unit, None}),
        waiting=waiting.entries,
        following=waiting.cursor and url_for("shipping.new", unit=unit, cursor=waiting.cursor),
        faults=faults or {},
    )


def _box_page(backend: BackendClient, box: str, faults: dict[str, str] | None = None) -> ResponseReturnValue:
    return page(
        "box.html",
        422 if faults else 200,
        found=cards_client.box(officers_backend(backend), box),
        faults=faults or {},
        typed=request.form,
    )
