"""The teller's page: one page, one task, one verdict."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from reader_agent.ui.texts import LANGUAGES, texts
from verification.messages.fault_catalogue import fault_catalogue

# Nothing from elsewhere, nothing inline, and no other page may frame this one: a portrait is on it.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
_POLICY += "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
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


def ui_blueprint(settings: PageSettings) -> Blueprint:
    """The page and its two files."""
    blueprint = Blueprint(
        "ui", __name__, template_folder="templates", static_folder="static", static_url_path="/ui"
    )

    @blueprint.get("/")
    def counter() -> ResponseReturnValue:
        asked = request.args.get("lang", settings.language)
        language = asked if asked in LANGUAGES else settings.language
        return render_template(
            "counter.html",
            language=language,
            other="en" if language == "vi" else "vi",
            t=texts(language),
            purposes=settings.purposes,
            page_texts={**texts(language), **_fault_sentences(language)},
        )

    @blueprint.after_request
    def harden(response: Response) -> Response:
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return blueprint


def _fault_sentences(language: str) -> dict[str, str]:
    """What is said beside a field or as a hint, by fault code."""
    return {
        f"fault_{code}": f"{entry.text(language).what} {entry.text(language).next}"
        for code, entry in fault_catalogue().items()
    }
