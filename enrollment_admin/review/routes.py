"""The work list, and one dossier with what its reader may do with it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.forms.routes import forms_of
from enrollment_admin.review.open_acts import Reader, is_barred_by_part, open_acts
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.navigation import entries_for
from enrollment_admin.ui.pages import form_token, page, wants_json

STATES = (
    "received",
    "validated",
    "archive_lookup",
    "dedup_1n",
    "adjudication",
    "central_approved",
    "returned",
    "suspended",
    "completed",
    "rejected",
    "withdrawn",
)
"""The tabs of the work list, in the order of the work."""

RETURN_ITEMS = ("portrait", "fingerprints", "form", "particulars", "identification", "place_of_residence")
LOOKUP_REASONS = ("no_data", "contradicting_data", "paper_prints")
LOOKUP_RESULTS = ("agrees", "contradicts", "nothing")
REJECTION_REASONS = ("duplicate_person", "fraud", "not_entitled", "not_a_citizen", "false_documents")


def review_blueprint(backend: BackendClient) -> Blueprint:
    """The work list and one dossier."""
    blueprint = Blueprint("review", __name__)

    @blueprint.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for(entries_for(session["officer"]["roles"])[0].endpoint), 303)

    @blueprint.get("/dossiers")
    def work_list() -> ResponseReturnValue:
        return _work_list(backend, request.args.get("state", ""), request.args.get("cursor"))

    @blueprint.get("/dossiers/<dossier>")
    def dossier(dossier: str) -> ResponseReturnValue:
        return dossier_page(backend, dossier)

    @blueprint.get("/dossiers/<dossier>/portrait.jpg")
    def portrait(dossier: str) -> ResponseReturnValue:
        return Response(officers_backend(backend).portrait(dossier), content_type="image/jpeg")

    return blueprint


def _work_list(backend: BackendClient, state: str, cursor: str | None) -> ResponseReturnValue:
    found = officers_backend(backend).dossiers(state, cursor)
    following = found.cursor and url_for("review.work_list", state=state or None, cursor=found.cursor)
    if wants_json():
        entries = [{"id": entry.id, "state": entry.state} for entry in found.entries]
        return jsonify(csrf_token=form_token(), dossiers=entries, next=following)
    return page(
        "list.html",
        dossiers=found.entries,
        state=state,
        states=STATES,
        following=following,
        is_first=cursor is None,
    )


def dossier_page(
    backend: BackendClient, dossier: str, status: int = 200, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    """One dossier; after a refused step with the faults beside their fields and what was typed."""
    officers = officers_backend(backend)
    view = officers.dossier(dossier)
    if wants_json():
        return jsonify(
            id=view.id,
            state=view.state,
            search=view.search,
            credential=view.credential,
            credential_state=view.credential_state,
            csrf_token=form_token(),
        )
    roles = frozenset(session["officer"]["roles"])
    reader = Reader(session["officer"]["id"], roles)
    return page(
        "dossier.html",
        status,
        dossier=view,
        roles=roles,
        acts=open_acts(view, reader),
        barred=is_barred_by_part(view, reader),
        forms=forms_of(officers, dossier),
        return_items=RETURN_ITEMS,
        returned_items=view.returned.items if view.returned else (),
        lookup_reasons=LOOKUP_REASONS,
        lookup_results=LOOKUP_RESULTS,
        rejection_reasons=REJECTION_REASONS,
        faults=faults or {},
        refused_step=request.endpoint.rpartition(".")[2] if faults and request.endpoint else "",
        typed=request.form,
        typed_items=request.form.getlist("items"),
    )
