"""What officers decide on one dossier: every form of its page ends here."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.approval_lists.routes import signing_page
from enrollment_admin.backend_client import BackendClient
from enrollment_admin.forms.routes import file_response
from enrollment_admin.review.routes import dossier_page
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, typed
from verification.messages.dossier_decisions import CaseHold, LookupAnswer, LookupRequest, RejectionReason
from verification.messages.enrollment import DossierReturn


def decisions_blueprint(backend: BackendClient) -> Blueprint:
    """What checkers and approvers decide."""
    blueprint = Blueprint("decisions", __name__, url_prefix="/dossiers/<dossier>")

    @blueprint.post("/check")
    def check(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "check", "done.checked")

    @blueprint.post("/approve")
    def approve(dossier: str) -> ResponseReturnValue:
        back = url_for("review.dossier", dossier=dossier)
        return signing_page(
            backend, (dossier,), back, lambda faults: dossier_page(backend, dossier, 422, faults)
        )

    @blueprint.post("/approve-centrally")
    def approve_centrally(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "central-approval", "done.approved_centrally")

    @blueprint.post("/withdraw")
    def withdraw(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "withdrawal", "done.withdrawn")

    @blueprint.post("/return")
    def send_back(dossier: str) -> ResponseReturnValue:
        reasons = DossierReturn(items=tuple(request.form.getlist("items")), comment=typed("comment"))
        return _step(backend, dossier, "return", "done.returned", reasons)

    return blueprint


def lookups_blueprint(backend: BackendClient) -> Blueprint:
    """Asking the archive."""
    blueprint = Blueprint("lookups", __name__, url_prefix="/dossiers/<dossier>/archive-lookup")

    @blueprint.post("")
    def ask(dossier: str) -> ResponseReturnValue:
        asked = LookupRequest(reason=typed("reason"))
        return _step(backend, dossier, "archive-lookup", "done.archive_asked", asked)

    @blueprint.post("/approve")
    def approve_lookup(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "archive-lookup/approval", "done.lookup_approved")

    @blueprint.post("/result")
    def answer_lookup(dossier: str) -> ResponseReturnValue:
        said = LookupAnswer(result=typed("result"), note=typed("note"))
        return _step(backend, dossier, "archive-lookup/result", "done.lookup_answered", said)

    return blueprint


def legal_blueprint(backend: BackendClient) -> Blueprint:
    """What the law stops: rejection by two officers, and holds of a case."""
    blueprint = Blueprint("legal", __name__, url_prefix="/dossiers/<dossier>")

    @blueprint.post("/reject")
    def propose_rejection(dossier: str) -> ResponseReturnValue:
        reason = RejectionReason(
            reason=typed("reason"), legal_basis=typed("legal_basis"), comment=typed("comment")
        )
        return _step(backend, dossier, "rejection", "done.rejection_proposed", reason)

    @blueprint.post("/reject/confirm")
    def confirm_rejection(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "rejection/confirmation", "done.rejected")

    @blueprint.get("/rejection-notice.pdf")
    def notice(dossier: str) -> ResponseReturnValue:
        path = f"/v1/dossiers/{quote(dossier, safe='')}/rejection-notice.pdf"
        return file_response(officers_backend(backend).file(path))

    @blueprint.post("/rejection-notice/handover")
    def hand_over_notice(dossier: str) -> ResponseReturnValue:
        return _step(backend, dossier, "rejection-notice/handover", "done.notice_handed_over")

    @blueprint.post("/suspend")
    def suspend(dossier: str) -> ResponseReturnValue:
        hold = CaseHold(case_id=typed("case_id"))
        return _step(backend, dossier, "suspension", "done.suspended", hold)

    @blueprint.post("/resume")
    def resume(dossier: str) -> ResponseReturnValue:
        hold = CaseHold(case_id=typed("case_id"))
        return _step(backend, dossier, "resumption", "done.resumed", hold)

    return blueprint


def _step(
    backend: BackendClient, dossier: str, step: str, done: str, message: msgspec.Struct | None = None
) -> ResponseReturnValue:
    return outcome_of(
        lambda: officers_backend(backend).dossier_step(dossier, step, message),
        target=url_for("review.dossier", dossier=dossier),
        done=done,
        again=lambda faults: dossier_page(backend, dossier, 422, faults),
    )
