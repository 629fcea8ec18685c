"""Choosing the language."""

from __future__ import annotations

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.ui.translations_file import LANGUAGES


def language_blueprint() -> Blueprint:
    """POST /language."""
    blueprint = Blueprint("language", __name__)

    @blueprint.post("/language")
    def choose() -> ResponseReturnValue:
        chosen = request.form.get("language", "")
        if chosen in LANGUAGES:
            session["language"] = chosen
        # Only a path of ours is returned to: an absolute address would lead elsewhere.
        back = request.form.get("back", "")
        safe = back.startswith("/") and not back.startswith(("//", "/\\"))
        return redirect(back if safe else url_for("review.work_list"), 303)

    return blueprint
