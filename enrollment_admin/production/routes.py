"""Batches of cards: made by an operator, worked off by workers, looked at by quality officers."""

from __future__ import annotations

from flask import Blueprint, Response, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.production import production_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, typed, whole_number
from verification.messages.production import BatchOrder, FaultReport

FAULTS_SEEN = ("surface_damaged", "print_faded", "cut_wrong", "chip_loose")


def production_blueprint(backend: BackendClient) -> Blueprint:
    """/production."""
    blueprint = Blueprint("production", __name__)

    @blueprint.get("/production")
    def batches() -> ResponseReturnValue:
        return _batches_page(backend, request.args.get("cursor"))

    @blueprint.post("/production")
    def make() -> ResponseReturnValue:
        order = BatchOrder(limit=whole_number("limit"), unit=typed("unit") or None)
        return outcome_of(
            lambda: production_client.make_batch(officers_backend(backend), order),
            target=url_for("production.batches"),
            done="done.batch_made",
            again=lambda faults: _batches_page(backend, None, faults),
            status=201,
        )

    @blueprint.get("/production/<batch>")
    def orders(batch: str) -> ResponseReturnValue:
        return _orders_page(backend, batch)

    @blueprint.post("/dossiers/<dossier>/production")
    def release(dossier: str) -> ResponseReturnValue:
        return outcome_of(
            lambda: production_client.release(officers_backend(backend), dossier),
            target=_batch_or(url_for("review.dossier", dossier=dossier)),
            done="done.produced",
            again=lambda _faults: _batches_page(backend, None),
        )

    @blueprint.get("/production/cards/<card>/<any(front,back):face>.png")
    def printed(card: str, face: str) -> ResponseReturnValue:
        found = production_client.printed_face(officers_backend(backend), card, face)
        return Response(found.content, content_type="image/png")

    @blueprint.post("/production/cards/<card>/refuse")
    def refuse(card: str) -> ResponseReturnValue:
        report = FaultReport(fault=typed("fault"))
        return outcome_of(
            lambda: production_client.refuse_card(officers_backend(backend), card, report),
            target=_batch_or(url_for("production.batches")),
            done="done.card_refused",
            again=lambda faults: _orders_page(backend, typed("batch"), faults),
        )

    return blueprint


def _batch_or(otherwise: str) -> str:
    batch = typed("batch")
    return url_for("production.orders", batch=batch) if batch else otherwise


def _batches_page(
    backend: BackendClient, cursor: str | None, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    found = production_client.batches(officers_backend(backend), cursor)
    following = found.cursor and url_for("production.batches", cursor=found.cursor)
    return page(
        "batches.html",
        422 if faults else 200,
        batches=found.entries,
        following=following,
        roles=frozenset(session["officer"]["roles"]),
        faults=faults or {},
        typed=request.form,
    )


def _orders_page(
    backend: BackendClient, batch: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    return page(
        "batch.html",
        422 if faults else 200,
        batch=batch,
        orders=production_client.orders_of(officers_backend(backend), batch),
        roles=frozenset(session["officer"]["roles"]),
        faults_seen=FAULTS_SEEN,
        faults=faults or {},
    )
