"""The door: signing in and out, and the guards of every other page."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.ui.pages import error_page, form_token, page, wants_json
from enrollment_admin.ui.sessions import new_session, require_form_token
from verification.errors import OfficerSessionEnded
from verification.messages.enrollment import OfficerCredentials


def require_officer() -> None:
    """A guard: an officer must be signed in, and forms must carry the token."""
    if "token" not in session:
        raise OfficerSessionEnded("nobody is signed in")
    require_form_token()


def officers_backend(backend: BackendClient) -> BackendClient:
    """The backend on behalf of the officer of this session."""
    return backend.with_token(str(session["token"]))


def sign_in_blueprint(backend: BackendClient) -> Blueprint:
    """/login and /logout."""
    blueprint = Blueprint("sign_in", __name__)

    @blueprint.get("/login")
    def form() -> ResponseReturnValue:
        if wants_json():
            return jsonify(csrf_token=form_token())
        return page("login.html", officer_typed="", code=None)

    @blueprint.post("/login")
    def sign_in() -> ResponseReturnValue:
        return _sign_in(backend)

    @blueprint.post("/logout")
    def sign_out() -> ResponseReturnValue:
        return _sign_out(backend)

    return blueprint


def _sign_in(backend: BackendClient) -> ResponseReturnValue:
    typed = request.form.get("officer", "").strip()
    credentials = OfficerCredentials(officer=typed, password=request.form.get("password", ""))
    try:
        opened = backend.sign_in(credentials)
    except BackendRefused as fault:
        if wants_json():
            return error_page(fault)
        return page("login.html", fault.status, officer_typed=typed, code=fault.answered_code)
    new_session()
    officer = {
        "id": opened.officer,
        "name": opened.name,
        "roles": list(opened.roles),
        "unit": opened.unit,
    }
    session.update(token=opened.token, officer=officer)
    if wants_json():
        return jsonify(officer=opened.officer, roles=opened.roles, csrf_token=form_token())
    return redirect(url_for("review.home"), 303)


def _sign_out(backend: BackendClient) -> ResponseReturnValue:
    token = session.get("token")
    new_session()
    if token:
        # The cookie is gone in any case; a backend that is down ends the session by itself in time.
        with suppress(BackendUnavailable):
            backend.with_token(str(token)).sign_out()
    return redirect(url_for("sign_in.form"), 303)
