"""The work list, one dossier, and the decision of another officer."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, error_page, form_token, page, refused, wants_json
from verification.messages.enrollment import DossierReturn

STATES = ("validated", "returned", "approved", "completed", "withdrawn")
RETURN_ITEMS = ("portrait", "particulars", "identification", "place_of_residence")


def review_blueprint(backend: BackendClient) -> Blueprint:
    """The work list and one dossier."""
    blueprint = Blueprint("review", __name__)

    @blueprint.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for("review.work_list"), 303)

    @blueprint.get("/dossiers")
    def work_list() -> ResponseReturnValue:
        return _work_list(backend, request.args.get("state", ""), request.args.get("cursor"))

    @blueprint.get("/dossiers/<dossier>")
    def dossier(dossier: str) -> ResponseReturnValue:
        return _dossier_page(backend, dossier)

    @blueprint.get("/dossiers/<dossier>/portrait.jpg")
    def portrait(dossier: str) -> ResponseReturnValue:
        return Response(officers_backend(backend).portrait(dossier), content_type="image/jpeg")

    return blueprint


def decisions_blueprint(backend: BackendClient) -> Blueprint:
    """What is decided on one dossier."""
    blueprint = Blueprint("decisions", __name__, url_prefix="/dossiers/<dossier>")

    @blueprint.post("/approve")
    def approve(dossier: str) -> ResponseReturnValue:
        return _decide(backend, dossier, "approval", "done.approved")

    @blueprint.post("/withdraw")
    def withdraw(dossier: str) -> ResponseReturnValue:
        return _decide(backend, dossier, "withdrawal", "done.withdrawn")

    @blueprint.post("/return")
    def send_back(dossier: str) -> ResponseReturnValue:
        return _send_back(backend, dossier)

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


def _dossier_page(
    backend: BackendClient, dossier: str, status: int = 200, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    view = officers_backend(backend).dossier(dossier)
    if wants_json():
        return jsonify(
            id=view.id,
            state=view.state,
            credential=view.credential,
            credential_state=view.credential_state,
            csrf_token=form_token(),
        )
    roles = set(session["officer"]["roles"])
    return page(
        "dossier.html",
        status,
        dossier=view,
        roles=roles,
        mine=view.captured_by == session["officer"]["id"],
        return_items=RETURN_ITEMS,
        returned_items=view.returned.items if view.returned else (),
        faults=faults or {},
        typed={"items": request.form.getlist("items"), "comment": request.form.get("comment", "")},
    )


def _decide(backend: BackendClient, dossier: str, step: str, done: str) -> ResponseReturnValue:
    target = url_for("review.dossier", dossier=dossier)
    try:
        view = officers_backend(backend).decide(dossier, step)
    except BackendRefused as fault:
        return refused(fault, target)
    return answer(view, target, done)


def _send_back(backend: BackendClient, dossier: str) -> ResponseReturnValue:
    reasons = DossierReturn(
        items=tuple(request.form.getlist("items")), comment=request.form.get("comment", "")
    )
    target = url_for("review.dossier", dossier=dossier)
    try:
        view = officers_backend(backend).send_back(dossier, reasons)
    except BackendRefused as fault:
        if fault.fields and not wants_json():
            return _dossier_page(backend, dossier, 422, fault.fields)
        return error_page(fault) if wants_json() else refused(fault, target)
    return answer(view, target, "done.returned")
