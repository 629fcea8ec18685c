"""The teller's page: one page, one task, one verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from string import Template

from reader_agent.api.web import Request, Response, Route
from reader_agent.ui.texts import LANGUAGES, texts
from verification.messages.fault_catalogue import fault_catalogue

STEPS = (
    "opening", "waiting_for_card", "reading", "inspecting", "proving_chip", "comparing_face", "deciding",
)  # fmt: skip

_FOLDER = Path(__file__).parent
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
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})

_PURPOSE = (
    '<p class="purpose">$label: <strong>$name</strong></p><input id="purpose" type="hidden" value="$code">'
)
_PURPOSES = (
    '<div class="field"><label for="purpose">$label</label>'
    '<select id="purpose" name="purpose">$options</select></div>'
)
_OPTION = '<option value="$code">$name</option>'
_STEP = (
    '<li data-step="$step" data-at="pending"><span class="mark" aria-hidden="true"></span>'
    '<span>$name</span> <span class="spoken"></span></li>'
)


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What this counter's page offers."""

    purposes: tuple[str, ...]
    language: str


def page_routes(settings: PageSettings) -> tuple[Route, ...]:
    """The page and its files."""

    def counter(request: Request) -> Response:
        asked = request.query.get("lang", settings.language)
        language = asked if asked in LANGUAGES else settings.language
        return Response(_page(settings.purposes, language), 200, "text/html; charset=utf-8", dict(_HEADERS))

    return (
        Route("GET", "/", counter),
        *(Route("GET", f"/ui/{name}", partial(_file, name)) for name in _FILES),
    )


def _file(name: str, _request: Request) -> Response:
    content = (_FOLDER / "static" / name).read_bytes()
    return Response(content, 200, _FILES[name], dict(_HEADERS))


@cache
def _page(purposes: tuple[str, ...], language: str) -> bytes:
    """The whole page; every word that is put in is escaped here."""
    words = texts(language)
    template = Template((_FOLDER / "templates" / "counter.html").read_text(encoding="utf-8"))
    page = template.substitute(
        _escaped(words),
        language=language,
        other=next(other for other in LANGUAGES if other != language),
        purpose_field=_purpose_field(purposes, words),
        step_list="\n".join(_fill(_STEP, step=step, name=words[f"step_{step}"]) for step in STEPS),
        # In a script element only "<" could end it early.
        page_texts=json.dumps({**words, **_fault_sentences(language)}).replace("<", "\\u003c"),
    )
    return page.encode()


def _purpose_field(purposes: tuple[str, ...], words: Mapping[str, str]) -> str:
    label = words["purpose_label"]
    if len(purposes) == 1:
        return _fill(_PURPOSE, label=label, code=purposes[0], name=words.get(purposes[0], purposes[0]))
    options = "".join(_fill(_OPTION, code=code, name=words.get(code, code)) for code in purposes)
    return Template(_PURPOSES).substitute(_escaped({"label": label}), options=options)


def _fill(template: str, **values: str) -> str:
    return Template(template).substitute(_escaped(values))


def _escaped(words: Mapping[str, str]) -> dict[str, str]:
    return {key: text.translate(_ESCAPED) for key, text in words.items()}


def _fault_sentences(language: str) -> dict[str, str]:
    """What is said beside a field or as a hint, by fault code."""
    return {
        f"fault_{code}": f"{entry.text(language).what} {entry.text(language).next}"
        for code, entry in fault_catalogue().items()
    }
