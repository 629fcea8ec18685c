"""What a browser's session is made of: its cookie, its form token, and how a new one begins."""

from __future__ import annotations

import hmac

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from enrollment_admin.refusals import FormTokenInvalid
from enrollment_admin.ui.pages import UPLOADING

MAX_FORM_BYTES = 14 * 1024 * 1024
"""A picture that is too large by half must arrive whole, to be refused beside its field."""

MAX_PLAIN_FORM_BYTES = 64 * 1024
"""A form without a picture; anybody may send one to the sign-in page."""


class LoopbackAwareSessions(SecureCookieSessionInterface):
    """Session cookies go over TLS only, except to the machine that the pages run on."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the cookie is marked Secure."""
        del app
        return request.host.partition(":")[0] not in {"127.0.0.1", "localhost"}


def keep_sessions(app: Flask, cookie: str, secret: str | bytes) -> None:
    """Sessions in a signed cookie of this name, and forms no larger than a picture."""
    app.secret_key = secret
    app.session_interface = LoopbackAwareSessions()
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES,
        SESSION_COOKIE_NAME=cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )


def require_form_token() -> None:
    """A guard: a form must carry its session's token; raises FormTokenInvalid."""
    if request.blueprint not in UPLOADING:
        request.max_content_length = MAX_PLAIN_FORM_BYTES
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    offered = request.form.get("csrf_token", "")
    expected = str(session.get("form_token", ""))
    if not expected or not hmac.compare_digest(offered.encode(), expected.encode()):
        raise FormTokenInvalid("no token, or another session's")


def new_session() -> None:
    """Forget all but the language: a session from before signing in does not live on with more rights."""
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
