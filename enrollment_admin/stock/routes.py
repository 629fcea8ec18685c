"""Blank cards: what was delivered, where each is, and their destruction by two officers."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.production import production_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, typed, typed_words, whole_number
from verification.messages.production import BlankDelivery, BlankSerials, StockCount

Step = Callable[[BackendClient], msgspec.Struct | None]


def stock_blueprint(backend: BackendClient) -> Blueprint:
    """/stock."""
    blueprint = Blueprint("stock", __name__, url_prefix="/stock")

    @blueprint.get("")
    def stock() -> ResponseReturnValue:
        return _stock_page(backend)

    @blueprint.post("/deliveries")
    def receive() -> ResponseReturnValue:
        delivery = BlankDelivery(first=typed("first"), last=typed("last"))
        return _step(backend, lambda it: production_client.receive(it, delivery), "done.blanks_received")

    @blueprint.post("/counts")
    def count() -> ResponseReturnValue:
        counted = StockCount(counted=whole_number("counted"))
        return _step(backend, lambda it: production_client.count(it, counted), "done.blanks_counted")

    @blueprint.post("/write-offs")
    def write_off() -> ResponseReturnValue:
        serials = BlankSerials(serials=typed_words("serials"))
        return _step(backend, lambda it: production_client.write_off(it, serials), "done.blanks_written_off")

    @blueprint.post("/destructions")
    def propose() -> ResponseReturnValue:
        serials = BlankSerials(serials=tuple(request.form.getlist("serials")))
        return _step(
            backend,
            lambda it: production_client.propose_destruction(it, serials),
            "done.destruction_proposed",
        )

    @blueprint.post("/destructions/<destruction>/<any(confirmation, cancellation):step>")
    def end(destruction: str, step: str) -> ResponseReturnValue:
        return _step(
            backend,
            lambda it: production_client.end_destruction(it, destruction, step),
            f"done.destruction_{step}",
        )

    return blueprint


def _step(backend: BackendClient, step: Step, done: str) -> ResponseReturnValue:
    return outcome_of(
        lambda: step(officers_backend(backend)),
        target=url_for("stock.stock"),
        done=done,
        again=lambda faults: _stock_page(backend, faults),
    )


def _stock_page(backend: BackendClient, faults: dict[str, str] | None = None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    ranges = production_client.ranges(officers, request.args.get("ranges_cursor"))
    spoiled = production_client.spoiled(officers, request.args.get("spoiled_cursor"))
    return page(
        "stock.html",
        422 if faults else 200,
        books=production_client.books(officers),
        ranges=ranges.entries,
        more_ranges=ranges.cursor and url_for("stock.stock", ranges_cursor=ranges.cursor),
        spoiled=spoiled.entries,
        more_spoiled=spoiled.cursor and url_for("stock.stock", spoiled_cursor=spoiled.cursor),
        destructions=production_client.open_destructions(officers),
        roles=frozenset(session["officer"]["roles"]),
        faults=faults or {},
        typed=request.form,
    )
