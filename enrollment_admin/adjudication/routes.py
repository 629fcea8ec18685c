"""Two pictures side by side, and what one examiner finds; how examiners work, for whoever leads them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.adjudication import cases_client
from enrollment_admin.backend_client import BackendClient
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import form_token, outcome_of, page, typed, wants_json
from verification.messages.biometric_search import BaitCase, CaseDecision

DECISIONS = ("same_person", "different_persons", "fraud", "poor_data")
"""In the order of their keys, 1 to 4."""


def adjudication_blueprint(backend: BackendClient) -> Blueprint:
    """/adjudication."""
    blueprint = Blueprint("adjudication", __name__, url_prefix="/adjudication")

    @blueprint.get("")
    def next_case() -> ResponseReturnValue:
        return _case_page(backend)

    @blueprint.get("/<case>/<any(probe, candidate):side>.jpg")
    def picture(case: str, side: str) -> ResponseReturnValue:
        shown = cases_client.picture(officers_backend(backend), case, side)
        return Response(shown, content_type="image/jpeg")

    @blueprint.get("/<case>/prints/<position>/<any(probe, candidate):side>.png")
    def finger(case: str, position: str, side: str) -> ResponseReturnValue:
        shown = cases_client.finger(officers_backend(backend), case, position, side)
        return Response(shown, content_type="image/png")

    @blueprint.post("/<case>")
    def decide(case: str) -> ResponseReturnValue:
        return _decide(backend, case)

    return blueprint


def examiners_blueprint(backend: BackendClient) -> Blueprint:
    """/examiners, for whoever leads them."""
    blueprint = Blueprint("examiners", __name__, url_prefix="/examiners")

    @blueprint.get("")
    def figures() -> ResponseReturnValue:
        return _figures_page(backend)

    @blueprint.post("/baits")
    def lay_bait() -> ResponseReturnValue:
        return _lay_bait(backend)

    return blueprint


def _case_page(
    backend: BackendClient, case_id: str | None = None, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    case = cases_client.case(officers, case_id) if case_id else cases_client.next_case(officers)
    if wants_json():
        return jsonify(csrf_token=form_token(), case=case and {"id": case.case_id, "since": case.opened_at})
    return page(
        "adjudication.html",
        422 if faults else 200,
        case=case,
        sides=cases_client.SIDES,
        decisions=DECISIONS,
        faults=faults or {},
        typed={"decision": request.form.get("decision"), "comment": request.form.get("comment", "")},
    )


def _decide(backend: BackendClient, case_id: str) -> ResponseReturnValue:
    found = CaseDecision(decision=typed("decision"), comment=typed("comment"))
    return outcome_of(
        lambda: cases_client.decide(officers_backend(backend), case_id, found),
        target=url_for("adjudication.next_case"),
        done="done.decided",
        again=lambda faults: _case_page(backend, case_id, faults),
    )


def _figures_page(
    backend: BackendClient, status: int = 200, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    figures = cases_client.figures(officers_backend(backend))
    return page("examiners.html", status, figures=figures, faults=faults or {}, typed=request.form)


def _lay_bait(backend: BackendClient) -> ResponseReturnValue:
    truth = typed("truth")
    if truth not in {"same", "different"}:
        return _figures_page(backend, 422, {"truth": "FIELD_MISSING"})
    bait = BaitCase(
        probe_encounter=typed("probe_encounter"),
        candidate_encounter=typed("candidate_encounter"),
        are_same_person=truth == "same",
    )
    return outcome_of(
        lambda: cases_client.lay_bait(officers_backend(backend), bait),
        target=url_for("examiners.figures"),
        done="done.bait_laid",
        again=lambda faults: _figures_page(backend, 422, faults),
    )
