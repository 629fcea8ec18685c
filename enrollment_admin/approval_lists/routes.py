"""Local approval: a list is prepared, its approver signs it in their browser, and what was signed stands."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.review.routes import APPROVABLE, work_list_page
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, shown_outcome, typed
from verification.messages.approval_list import (
    APPROVAL_TYPE,
    ApprovalListSummary,
    ApprovalListView,
    ListApproval,
    PreparedApproval,
    SignedApproval,
)

_LISTS = "/v1/approval-lists"


def approval_lists_blueprint(backend: BackendClient) -> Blueprint:
    """/approval-lists."""
    blueprint = Blueprint("approval_lists", __name__, url_prefix="/approval-lists")

    def chosen_again(faults: dict[str, str]) -> ResponseReturnValue:
        return work_list_page(backend, APPROVABLE, None, faults)

    @blueprint.get("")
    def lists() -> ResponseReturnValue:
        found = officers_backend(backend).listed(_LISTS, {}, request.args.get("cursor"), ApprovalListSummary)
        following = found.cursor and url_for("approval_lists.lists", cursor=found.cursor)
        return page("approval_lists.html", lists=found.entries, following=following)

    @blueprint.post("")
    def prepare() -> ResponseReturnValue:
        chosen = tuple(request.form.getlist("dossiers"))
        return signing_page(backend, chosen, url_for("review.work_list", state=APPROVABLE), chosen_again)

    @blueprint.post("/signed")
    def approve() -> ResponseReturnValue:
        signed = SignedApproval(typed("preparation"), typed("key"), typed("signature"))
        return outcome_of(
            lambda: officers_backend(backend).ask("POST", _LISTS, ApprovalListView, signed),
            target=url_for("approval_lists.lists"),
            done="done.approved_list",
            again=chosen_again,
            status=201,
        )

    @blueprint.get("/key")
    def own_key() -> ResponseReturnValue:
        if "approver" not in session["officer"]["roles"]:
            raise BackendRefused(403, "OFFICER_ROLE_MISSING", {})
        return page("approver_key.html")

    @blueprint.get("/<approval_list>")
    def approval_list(approval_list: str) -> ResponseReturnValue:
        path = f"{_LISTS}/{quote(approval_list, safe='')}"
        return page("approval_list.html", found=officers_backend(backend).ask("GET", path, ApprovalListView))

    return blueprint


def signing_page(
    backend: BackendClient,
    dossiers: tuple[str, ...],
    back: str,
    again: Callable[[dict[str, str]], ResponseReturnValue],
) -> ResponseReturnValue:
    """What an approver would sign for, to look at and to sign; refused, the page that they come from."""
    return shown_outcome(
        lambda: officers_backend(backend).ask(
            "POST", f"{_LISTS}/preparations", PreparedApproval, ListApproval(dossiers)
        ),
        target=back,
        again=again,
        shown=lambda found: page(
            "approval_signing.html",
            found=found,
            kind=APPROVAL_TYPE,
            captors=len({each.captured_by for each in found.dossiers}),
            checked=sum(each.checked_by is not None for each in found.dossiers),
            oldest=min(each.updated_at for each in found.dossiers),
            back=back,
        ),
    )
