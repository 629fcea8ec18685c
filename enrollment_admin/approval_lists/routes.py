"""Lists of local approvals: several dossiers approved in one act, and the signed list of them to look at."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.review.routes import APPROVABLE, work_list_page
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page
from verification.messages.approval_list import ApprovalListSummary, ApprovalListView, ListApproval

_LISTS = "/v1/approval-lists"


def approval_lists_blueprint(backend: BackendClient) -> Blueprint:
    """/approval-lists."""
    blueprint = Blueprint("approval_lists", __name__, url_prefix="/approval-lists")

    @blueprint.get("")
    def lists() -> ResponseReturnValue:
        found = officers_backend(backend).listed(_LISTS, {}, request.args.get("cursor"), ApprovalListSummary)
        following = found.cursor and url_for("approval_lists.lists", cursor=found.cursor)
        return page("approval_lists.html", lists=found.entries, following=following)

    @blueprint.post("")
    def approve() -> ResponseReturnValue:
        chosen = ListApproval(tuple(request.form.getlist("dossiers")))
        return outcome_of(
            lambda: officers_backend(backend).ask("POST", _LISTS, ApprovalListView, chosen),
            target=url_for("approval_lists.lists"),
            done="done.approved_list",
            again=lambda faults: work_list_page(backend, APPROVABLE, None, faults),
            status=201,
        )

    @blueprint.get("/<approval_list>")
    def approval_list(approval_list: str) -> ResponseReturnValue:
        path = f"{_LISTS}/{quote(approval_list, safe='')}"
        return page("approval_list.html", found=officers_backend(backend).ask("GET", path, ApprovalListView))

    return blueprint
