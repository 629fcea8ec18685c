"""Figures of calls: a partner's own, and everybody's with a page of them for the gateway's operator."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer
from gateway.api.guards import caller
from gateway.domain.call_figures import SLOWER, UNMEASURED, CountedCalls
from gateway.domain.line_pages import MOST_LINES, MOST_ROWS
from gateway.services.call_figures import Asked, CallFiguresDesk, CallReport, Lines, Period
from verification.errors import RequestMalformed
from verification.messages.national_time import VIETNAM

_PLACE = ("day", "partner", "product", "purpose", "facility", "outcome", "code")
_TEXTS = Path(__file__).with_name("texts.json")


@cache
def page_texts() -> Mapping[str, Mapping[str, str]]:
    """The words of the page by language."""
    texts: dict[str, dict[str, str]] = json.loads(_TEXTS.read_text(encoding="utf-8"))
    return texts


def definitions() -> dict[str, str]:
    """What is counted, in each language."""
    return {language: texts["definition"] for language, texts in page_texts().items()}


def partner_figures_blueprint(desk: CallFiguresDesk) -> Blueprint:
    """GET of a partner's own calls."""
    blueprint = Blueprint("partner_figures", __name__)

    @blueprint.get("/v1/figures/calls")
    def get_own_calls() -> ResponseReturnValue:
        return _told(desk, desk.of(caller(), _period()))

    return blueprint


def operator_figures_blueprint(desk: CallFiguresDesk) -> Blueprint:
    """GET of all calls, as data and as a page."""
    blueprint = Blueprint("operator_figures", __name__, template_folder="templates")

    @blueprint.get("/v1/operator/figures/calls")
    def get_all_calls() -> ResponseReturnValue:
        return _told(desk, desk.of_all(_period()))

    @blueprint.get("/operator/figures")
    def show_calls() -> ResponseReturnValue:
        return _page(desk.report(desk.of_all(_period()), _lines()))

    return blueprint


def _period() -> Period:
    return Period(_day("since"), _day("until"))


def _lines(most: int = MOST_LINES) -> Lines:
    asked = request.args
    limit = asked.get("limit", str(most))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 5 and 1 <= int(limit) <= most):
        raise RequestMalformed(f"limit is 1 to {most}")
    return Lines(
        limit=int(limit),
        results_after=asked.get("results_after"),
        facilities_after=asked.get("facilities_after"),
        calls_after=asked.get("calls_after"),
    )


def _day(name: str) -> date | None:
    text = request.args.get(name, "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and day.isoformat() != text:
        raise RequestMalformed(f"{name} must be a day as 2026-11-30")
    return day


def _told(desk: CallFiguresDesk, asked: Asked) -> Response:
    form = request.args.get("format", "json")
    if form == "json":
        return answer(desk.report(asked, _lines()))
    if form != "csv":
        raise RequestMalformed("format is json or csv")
    calls, following = desk.counts(asked, _lines(MOST_ROWS))
    response = Response(_csv(calls, asked.at.isoformat(timespec="milliseconds")), mimetype="text/csv")
    if following:
        days = {"since": asked.since.isoformat(), "until": asked.until.isoformat()}
        further = urlencode({**request.args.to_dict(), **days, "calls_after": following})
        response.headers["Link"] = f'<{request.path}?{further}>; rel="next"'
    name = f"calls-{asked.since}-{asked.until}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _csv(calls: Iterable[CountedCalls], as_of: str) -> str:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow((*_PLACE, "latency", "calls", "as_of"))
    for each in calls:
        place = (getattr(each, name) for name in _PLACE)
        lines.writerow((*place, _latency(each.up_to_ms), each.calls, as_of))
    return text.getvalue()


def _latency(up_to_ms: int) -> str:
    """The limit of the class in milliseconds, or why there is none."""
    return {SLOWER: "slower", UNMEASURED: "unmeasured"}.get(up_to_ms, str(up_to_ms))


def _page(report: CallReport) -> Response:
    language = "en" if request.args.get("lang") == "en" else "vi"
    nonce = secrets.token_urlsafe(16)
    most = max((line.calls for line in report.services), default=0)
    page = render_template(
        "figures.html",
        texts=page_texts()[language],
        language=language,
        report=report,
        as_of=datetime.fromisoformat(report.as_of).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S"),
        most=most,
        limit=request.args.get("limit", MOST_LINES),
        nonce=nonce,
    )
    response = Response(page, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    return response
