"""The teller's page: one page, one task, one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from reader_agent.ui.texts import LANGUAGES, texts
from verification.messages.fault_catalogue import counter_faults

STEPS = (
    "opening", "waiting_for_card", "reading", "inspecting", "proving_chip", "comparing_face", "deciding",
)  # fmt: skip

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
    blueprint = Blueprint("page", __name__, template_folder="templates")

    @blueprint.get("/")
    def counter() -> ResponseReturnValue:
        asked = request.args.get("lang", settings.language)
        language = asked if asked in LANGUAGES else settings.language
        words = texts(language)
        return render_template(
            "counter.html",
            **words,
            language=language,
            other=next(other for other in LANGUAGES if other != language),
            purposes={code: words.get(code, code) for code in settings.purposes},
            step_names={step: words[f"step_{step}"] for step in STEPS},
            page_texts={**words, **_fault_sentences(language)},
        )

    @blueprint.get(f"/ui/<any({', '.join(map(repr, _FILES))}):name>")
    def file(name: str) -> ResponseReturnValue:
        return Response((_STATIC / name).read_bytes(), content_type=_FILES[name])

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    return blueprint


def _fault_sentences(language: str) -> dict[str, str]:
    """What is said beside a field or as a hint, by fault code."""
    return {
        f"fault_{code}": f"{entry.text(language).what} {entry.text(language).next}"
        for code, entry in counter_faults().items()
    }
