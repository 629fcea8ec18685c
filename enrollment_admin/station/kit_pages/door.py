"""The kit's door: who can open an officer's signing key is that officer; no network is asked."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.station.officer_keys import OfficerKeys
from enrollment_admin.station.refusals import PassphraseWrong
from enrollment_admin.ui.pages import error_page, form_token, page, typed, wants_json
from enrollment_admin.ui.sessions import new_session, require_form_token
from verification.errors import OfficerSessionEnded

ROLES = ("capture",)
"""What an officer does here; everything else is done at an office."""


def require_signed_in() -> None:
    """A guard: an officer of this kit is signed in, and forms carry the token."""
    if "officer" not in session:
        raise OfficerSessionEnded("nobody is signed in")
    require_form_token()


def signed_in() -> str:
    """Who is signed in."""
    return str(session["officer"]["id"])


def door_blueprint(keys: OfficerKeys) -> Blueprint:
    """/login and /logout."""
    blueprint = Blueprint("sign_in", __name__)

    @blueprint.get("/login")
    def form() -> ResponseReturnValue:
        if wants_json():
            return jsonify(csrf_token=form_token())
        return page("kit/sign_in.html", officers=keys.names(), officer_typed="", code=None)

    @blueprint.post("/login")
    def sign_in() -> ResponseReturnValue:
        return _sign_in(keys, typed("officer"), request.form.get("passphrase", ""))

    @blueprint.post("/logout")
    def sign_out() -> ResponseReturnValue:
        new_session()
        return redirect(url_for("sign_in.form"), 303)

    return blueprint


def _sign_in(keys: OfficerKeys, officer: str, passphrase: str) -> ResponseReturnValue:
    try:
        keys.open(officer, passphrase)
    except PassphraseWrong as fault:
        if wants_json():
            return error_page(fault)
        return page("kit/sign_in.html", 403, officers=keys.names(), officer_typed=officer, code=fault.code)
    new_session()
    session.permanent = True
    session["officer"] = {"id": officer, "name": officer, "roles": list(ROLES)}
    if wants_json():
        return jsonify(officer=officer, csrf_token=form_token())
    return redirect("/", 303)
