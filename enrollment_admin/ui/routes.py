"""Choosing the language."""

from __future__ import annotations

import re

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from enrollment_admin.ui.translations_file import LANGUAGES

# An absolute address would lead elsewhere. A browser drops tabs and takes a backslash for a slash before
# it looks where an address leads: neither may stand in it.
_OUR_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def language_blueprint() -> Blueprint:
    """POST /language."""
    blueprint = Blueprint("language", __name__)

    @blueprint.post("/language")
    def choose() -> ResponseReturnValue:
        chosen = request.form.get("language", "")
        if chosen in LANGUAGES:
            session["language"] = chosen
        back = request.form.get("back", "")
        return redirect(back if _OUR_PATH.fullmatch(back) else "/", 303)

    return blueprint
