"""The teller's page: one page, one task, one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from reader_agent.ui.page import counter_page
from reader_agent.ui.texts import LANGUAGES

_STATIC = Path(__file__).parent / "static"
# The types are said here: what a counter's Windows believes of ".js" is in its registry.
_FILES = {
    "counter.css": "text/css; charset=utf-8",
    "counter.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
# Nothing from elsewhere, nothing inline, and no other page may frame this one: a portrait is on it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What this counter's page offers."""

    purposes: tuple[str, ...]
    language: str


def page_blueprint(settings: PageSettings) -> Blueprint:
    """The page and its files."""
    blueprint = Blueprint("page", __name__)

    @blueprint.get("/")
    def counter() -> ResponseReturnValue:
        asked = request.args.get("lang", settings.language)
        language = asked if asked in LANGUAGES else settings.language
        return counter_page(language, settings.purposes)

    @blueprint.get(f"/ui/<any({', '.join(map(repr, _FILES))}):name>")
    def file(name: str) -> ResponseReturnValue:
        return Response((_STATIC / name).read_bytes(), content_type=_FILES[name])

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    return blueprint
