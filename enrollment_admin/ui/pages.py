"""How every page is made: language, form token, headers, error sentences, HTML or JSON."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from enrollment_admin.refusals import BackendRefused, FormTokenInvalid
from enrollment_admin.ui.navigation import ENTRIES, Entry, entries_for
from enrollment_admin.ui.translations_file import LANGUAGES, sentences
from monitoring.harness import STATUSES, log_unexpected, status_of
from monitoring.problem import problem
from verification.errors import FieldsRefused, OfficerSessionEnded, VerificationError
from verification.messages.fault_catalogue import FaultText, fault
from verification.messages.national_time import VIETNAM

Message = TypeVar("Message", bound=msgspec.Struct)

STATION = "station"
"""The pages where pictures are taken, at an office and at a kit."""

UPLOADING = {
    STATION: "PORTRAIT_TOO_LARGE",
    "counter": "COUNTER_SCAN_NO_PICTURE",
    "counter_prints": "PRINT_TOO_LARGE",
    "investigations": "BODY_TOO_LARGE",
    "dc01_scans": "DC01_SCAN_TOO_LARGE",
    "approval_lists": "BODY_TOO_LARGE",
}
"""The blueprints whose forms carry pictures, or long lists, and what one that is too large is told."""

_STATUSES = {**STATUSES, OfficerSessionEnded: 401, FormTokenInvalid: 403}
_HTTP_CODES = {404: "ADDRESS_UNKNOWN", 405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def prepare(app: Flask, entries: tuple[Entry, ...] = ENTRIES) -> None:
    """Give every template its sentences and the pages of the top line, and every answer its headers."""

    def protect(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(protect)
    app.context_processor(lambda: _for_templates(entries))
    app.template_filter("moment")(local_moment)
    app.template_filter("day")(local_day)
    app.template_filter("amount")(amount)
    app.template_filter("decimal")(decimal)


def language() -> str:
    """The language of this session: what was chosen, else what the browser prefers, else Vietnamese."""
    chosen = session.get("language") or request.accept_languages.best_match(LANGUAGES)
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def sentence(key: str) -> str:
    """A sentence of the pages in the session's language."""
    return sentences(language())[key]


def sentence_or(key: str, otherwise: str) -> str:
    """A sentence where there is one: names of states come from the backend, which may know more of them."""
    return sentences(language()).get(key, otherwise)


def state_of(kind: str, state: str) -> str:
    """What a state of a kind of record is called; of one that no page knows, its own word."""
    prefix = {"dossier": "state.", "card": "card.", "box": "box."}.get(kind, f"stage.{kind}.")
    return sentence_or(prefix + state, state)


def decimal(text: str) -> str:
    """A decimal number as the backend writes it, with the comma that people here read."""
    whole, point, part = text.partition(".")
    grouped = amount(int(whole)) if whole.lstrip("-").isdecimal() else whole
    return f"{grouped}{point}{part}" if language() == "en" else f"{grouped}{point and ','}{part}"


def typed(name: str) -> str:
    """What a field of the form carried, without the spaces around it."""
    return request.form.get(name, "").strip()


def typed_words(name: str) -> tuple[str, ...]:
    """What was typed or scanned into a field, apart at spaces, commas and lines."""
    return tuple(request.form.get(name, "").replace(",", " ").split())


def whole_number(name: str) -> int:
    """A field that must be a whole number; what is none counts as none, which the backend refuses."""
    text = typed(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else -1


def amount(value: int) -> str:
    """A number as people here read it: dots between the thousands, commas in English."""
    grouped = f"{value:,}"
    return grouped if language() == "en" else grouped.replace(",", ".")


def fault_text(code: str) -> FaultText:
    """What happened and what to do, in the session's language."""
    return fault(code).text(language())


def form_token() -> str:
    """The token that this session's forms carry."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(24)
    return str(session["form_token"])


def wants_json() -> bool:
    """Whether the caller asked for JSON rather than a page."""
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"]


def page(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    """A page."""
    return render_template(template, **values), status


def answer(message: msgspec.Struct | None, target: str, done: str, status: int = 200) -> ResponseReturnValue:
    """After a step: the message as JSON, or the next page with a sentence that it was done."""
    if wants_json():
        content = msgspec.json.encode(message) if message is not None else b"{}"
        return Response(content, status, content_type="application/json")
    flash(done, "done")
    return redirect(target, 303)


def refused(fault_: BackendRefused, target: str) -> ResponseReturnValue:
    """After a refused step: the problem as JSON, or the same page with the reason on top."""
    if wants_json() or fault_.status == 401:
        return error_page(fault_)
    flash(fault_.answered_code, "fault")
    return redirect(target, 303)


def outcome_of(
    act: Callable[[], msgspec.Struct | None],
    *,
    target: str,
    done: str,
    again: Callable[[dict[str, str]], ResponseReturnValue],
    status: int = 200,
) -> ResponseReturnValue:
    """Carry out a step and answer: done, refused, or the form once more with faults beside their fields."""
    try:
        message = act()
    except BackendRefused as fault_:
        if fault_.fields and not wants_json():
            return again(fault_.fields)
        return refused(fault_, target)
    return answer(message, target, done, status)


def beside(act: Callable[[], Message], fields: Mapping[str, str]) -> Message:
    """Carry out a step; a refusal with one of these codes is told beside the field that it belongs to."""
    try:
        return act()
    except BackendRefused as fault_:
        field = fields.get(fault_.answered_code)
        if field is None:
            raise
        raise BackendRefused(422, fault_.answered_code, {field: fault_.answered_code}) from None


def shown_outcome(
    act: Callable[[], Message],
    *,
    target: str,
    again: Callable[[dict[str, str]], ResponseReturnValue],
    shown: Callable[[Message], ResponseReturnValue],
) -> ResponseReturnValue:
    """As ``outcome_of``, where what was answered has a page of its own."""
    try:
        message = act()
    except BackendRefused as fault_:
        return again(fault_.fields) if fault_.fields and not wants_json() else refused(fault_, target)
    if wants_json():
        return Response(msgspec.json.encode(message), content_type="application/json")
    return shown(message)


def error_page(error: VerificationError) -> ResponseReturnValue:
    """The answer to an error that no page of its own explains."""
    code, status, fields = error.code, status_of(error, _STATUSES), {}
    if isinstance(error, BackendRefused):
        code, status, fields = error.answered_code, error.status, error.fields
    elif isinstance(error, FieldsRefused):
        fields = error.fields
    if wants_json():
        return problem(status, code, language=language(), **({"fields": fields} if fields else {}))
    if code == OfficerSessionEnded.code:
        _sign_out_with_word(code)
        return redirect(url_for("sign_in.form"), 303)
    return page("error.html", status, code=code, fields=fields)


def _sign_out_with_word(code: str) -> None:
    """Forget the session but not its language; somebody who never signed in is told nothing of an end."""
    was_signed_in, chosen = "officer" in session, session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen
    if was_signed_in:
        flash(code, "fault")


def http_error_page(error: HTTPException) -> ResponseReturnValue:
    """The answer to an address or a method that does not exist, or a form that is too large."""
    status = error.code or 500
    code = _HTTP_CODES.get(status, "REQUEST_MALFORMED" if status < 500 else "INTERNAL_ERROR")
    if status == 413:
        code = UPLOADING.get(request.blueprint or "", code)
    if wants_json():
        return problem(status, code, language=language())
    return page("error.html", status, code=code)


def unexpected_error_page(error: Exception) -> ResponseReturnValue:
    """The answer to an error that nobody foresaw: to people a page as any other, with no detail of it."""
    log_unexpected(error)
    if wants_json():
        return problem(500, "INTERNAL_ERROR", language=language())
    return page("error.html", 500, code="INTERNAL_ERROR")


def local_moment(text: str) -> str:
    """A recorded moment as people here read it."""
    return datetime.fromisoformat(text).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")


def local_day(text: str | None) -> str:
    """An ISO date as people here read it; of one that is known in part what is known."""
    return "/".join(reversed(text.split("-"))) if text else ""


def _first_page() -> str:
    """The list that this page is of, from its beginning."""
    kept = {name: value for name, value in request.args.items() if not name.endswith("cursor")}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path


def _for_templates(entries: tuple[Entry, ...]) -> dict[str, Any]:
    return {
        "first_page": _first_page,
        "t": sentence,
        "t_or": sentence_or,
        "state_of": state_of,
        "fault": fault_text,
        "form_token": form_token,
        "language": language(),
        "officer": session.get("officer"),
        "entries": entries_for(session["officer"]["roles"], entries) if "officer" in session else (),
    }
