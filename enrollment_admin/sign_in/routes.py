"""The door: signing in and out, and the guards of every other page."""

from __future__ import annotations

import hmac
from contextlib import suppress

from flask import Blueprint, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused, BackendUnavailable, FormTokenInvalid
from enrollment_admin.ui.pages import UPLOADING, error_page, form_token, page, wants_json
from verification.errors import OfficerSessionEnded
from verification.messages.enrollment import OfficerCredentials

MAX_PLAIN_FORM_BYTES = 64 * 1024
"""A form without a picture; anybody may send one to the sign-in page."""


def require_form_token() -> None:
    """A guard: a form must carry its session's token; raises FormTokenInvalid."""
    if request.blueprint != UPLOADING:
        request.max_content_length = MAX_PLAIN_FORM_BYTES
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    offered = request.form.get("csrf_token", "")
    expected = str(session.get("form_token", ""))
    if not expected or not hmac.compare_digest(offered.encode(), expected.encode()):
        raise FormTokenInvalid("no token, or another session's")


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
    _new_session()  # one from before signing in must not live on with more rights
    officer = {"id": opened.officer, "name": opened.name, "roles": list(opened.roles)}
    session.update(token=opened.token, officer=officer)
    if wants_json():
        return jsonify(officer=opened.officer, roles=opened.roles, csrf_token=form_token())
    return redirect(url_for("review.home"), 303)


def _sign_out(backend: BackendClient) -> ResponseReturnValue:
    token = session.get("token")
    _new_session()
    if token:
        # The cookie is gone in any case; a backend that is down ends the session by itself in time.
        with suppress(BackendUnavailable):
            backend.with_token(str(token)).sign_out()
    return redirect(url_for("sign_in.form"), 303)


def _new_session() -> None:
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
