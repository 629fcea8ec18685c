"""Electronic accounts: ordered, listed by state, approved by another officer, held and closed."""

from __future__ import annotations

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.accounts import accounts_client
from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, beside, outcome_of, page, refused, typed
from verification.errors import CitizenNumberMalformed
from verification.identity.citizen_number import CitizenNumber
from verification.messages.delivery import AccountOrder, AccountSuspension, AccountView

STATES = ("captured", "sent_with_card", "approved", "active", "suspended", "closed")
"""The lists, in the order of an account's life."""

_BESIDE = {
    "DOSSIER_UNKNOWN": "dossier",
    "STATE_NOT_ALLOWED": "citizen_number",
    "HOLDER_DECEASED": "citizen_number",
}
"""Beside which field of an order a refusal is told: that of an open account is the number's."""

REASONS = ("investigation", "fraud", "loss", "data_error")


def accounts_blueprint(backend: BackendClient) -> Blueprint:
    """/accounts."""
    blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return _page(backend, request.args.get("state", ""), _digits(request.args.get("citizen_number", "")))

    @blueprint.post("")
    def order() -> ResponseReturnValue:
        number = _digits(typed("citizen_number"))
        wanted = AccountOrder(number, typed("dossier") or None)
        return outcome_of(
            lambda: beside(lambda: accounts_client.order(officers_backend(backend), wanted), _BESIDE),
            target=url_for("accounts.listed"),
            done="done.account_ordered",
            again=lambda faults: _page(backend, "", "", faults),
            status=201,
        )

    @blueprint.post("/<account>/approve")
    def approve(account: str) -> ResponseReturnValue:
        return _step(backend, account, "approval", "done.account_approved")

    @blueprint.post("/<account>/suspend")
    def suspend(account: str) -> ResponseReturnValue:
        why = AccountSuspension(typed("reason"))
        return _step(backend, account, "suspension", "done.account_suspended", why)

    @blueprint.post("/<account>/resume")
    def resume(account: str) -> ResponseReturnValue:
        return _step(backend, account, "resumption", "done.account_resumed")

    @blueprint.post("/<account>/close")
    def close(account: str) -> ResponseReturnValue:
        return _step(backend, account, "closure", "done.account_closed", AccountSuspension(typed("reason")))

    return blueprint


def _digits(text: str) -> str:
    return "".join(text.split())


def _page(
    backend: BackendClient, state: str, number: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    """The accounts of a number, or else of a state; ``faults`` are those of the form of an order."""
    officers, roles = officers_backend(backend), frozenset(session["officer"]["roles"])
    code = following = None
    accounts: list[AccountView] = []
    if number:
        try:
            accounts = accounts_client.of_number(officers, str(CitizenNumber(number)))
        except CitizenNumberMalformed as fault:
            code = fault.code
    else:
        state = state or STATES[0]
        found = accounts_client.in_state(officers, state, request.args.get("cursor"))
        accounts = list(found.entries)
        following = found.cursor and url_for("accounts.listed", state=state, cursor=found.cursor)
    return page(
        "accounts.html",
        422 if faults or code else 200,
        accounts=accounts,
        state=state,
        states=STATES,
        number=number,
        code=code,
        following=following,
        roles=roles,
        officer=session["officer"]["id"],
        reasons=REASONS,
        faults=faults or {},
        filled=request.form,
    )


def _step(
    backend: BackendClient, account: str, step: str, done: str, why: AccountSuspension | None = None
) -> ResponseReturnValue:
    target = url_for("accounts.listed", state=typed("list") or None, citizen_number=typed("number") or None)
    try:
        changed = accounts_client.step(officers_backend(backend), account, step, why)
    except BackendRefused as fault:
        return refused(fault, target)
    return answer(changed, target, done)
