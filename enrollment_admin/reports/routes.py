"""Figures for whoever leads: drawn, with what lies behind each, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec
from flask import Blueprint, Response, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.reports import charts, statistics_client
from enrollment_admin.reports import leaderboard as board
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import (
    error_page,
    fault_text,
    form_token,
    language,
    page,
    sentence_or,
    wants_json,
)
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.statistics import (
    CauseDefinition,
    ClockDefinition,
    CounterDefinition,
    Definitions,
    MeasureDefinition,
    Report,
    TextFindings,
    TextToCheck,
)

LEADERS = frozenset({"supervisor", "team_leader", "district_chief", "auditor"})
"""Who sees what each officer of their area was sent back."""

PERIODS = ("day", "week", "month", "year")
_ASKED = ("unit", "as_of", "period")
_UNIT_COUNTER = "captured"
TEXTS_OF_CAUSES = {
    "returns": "item.",
    "exceptions": "exception.",
    "outcomes": "finding.",
    "checks": "checks.",
    "fee_reasons": "terms.",
    "exemptions": "exemption.",
    "vehicles": "vehicle.",
    "plate_givers": "police.",
}
"""Under which keys the codes of a cause are named."""


def reports_blueprint(backend: BackendClient) -> Blueprint:
    """/reports."""
    blueprint = Blueprint("reports", __name__, url_prefix="/reports")

    @blueprint.get("")
    def report() -> ResponseReturnValue:
        return _report_page(backend)

    @blueprint.get("/report.<any(csv, xlsx, pdf):form>")
    def export(form: str) -> ResponseReturnValue:
        made = statistics_client.exported(officers_backend(backend), form, _asked())
        response = Response(made.content, content_type=made.content_type)
        response.headers["Content-Disposition"] = made.disposition
        return response

    @blueprint.get("/leaderboard")
    def leaderboard() -> ResponseReturnValue:
        return _leaderboard_page(backend)

    @blueprint.get("/returns")
    def returns() -> ResponseReturnValue:
        return _returns_page(backend)

    @blueprint.get("/records")
    def records() -> ResponseReturnValue:
        return _records_page(backend)

    @blueprint.get("/text")
    def text() -> ResponseReturnValue:
        return page("text_check.html", typed="", found=None, faults={})

    @blueprint.post("/text")
    def check_text() -> ResponseReturnValue:
        return _check_text(backend)

    return blueprint


def _asked() -> dict[str, str]:
    """What the address asks for; a field that was left empty asks for nothing."""
    return {name: request.args[name].strip() for name in _ASKED if request.args.get(name, "").strip()}


def _report_page(backend: BackendClient) -> ResponseReturnValue:
    officers, asked = officers_backend(backend), _asked()
    faults: dict[str, str] = {}
    try:
        found = statistics_client.report(officers, asked)
    except BackendRefused as fault:
        if wants_json() or fault.status not in {404, 422}:
            return error_page(fault)
        faults = fault.fields or {"unit": fault.answered_code}
        found = statistics_client.report(officers, {})
    if wants_json():
        return redirect(_address("reports.export", {**asked, "form": "csv"}), 303)
    words = statistics_client.definitions(officers)
    return page(
        "report.html",
        422 if faults else 200,
        report=found,
        check=statistics_client.record_check(officers),
        asked=asked,
        faults=faults,
        periods=PERIODS,
        leads=not LEADERS.isdisjoint(session["officer"]["roles"]),
        titles=_titles(words),
        funnels=_funnels(found),
        causes=charts.causes(found),
        cause_text=_cause_text,
        stays=charts.stays(found.turnarounds),
        in_words=charts.in_words,
        fingers=charts.fingers(found.parts),
        units=charts.by_unit(found.units, _UNIT_COUNTER),
        clocks=[(clock, charts.slices(clock)) for clock in found.clocks],
        clock_parts=charts.CLOCK_PARTS,
        progress=charts.progress(found.targets),
    )


def _funnels(found: Report) -> dict[str, tuple[charts.Bar, ...]]:
    """The cards', and the electronic identities' where there are any, by the key of their heading."""
    accounts = charts.funnel(found, found.account_funnel)
    cards = {"reports.funnel": charts.funnel(found, found.funnel)}
    return cards | ({"reports.account_funnel": accounts} if any(each.amount for each in accounts) else {})


def _cause_text(cause: str, code: str) -> str:
    """What a code of a cause is called; of one that no page knows, its own word."""
    if cause == "spoilage" and code in fault_catalogue():
        return fault_text(code).what
    return sentence_or(TEXTS_OF_CAUSES.get(cause, "") + code, code)


def _leaderboard_page(backend: BackendClient) -> ResponseReturnValue:
    """The units of a report by published criteria; all of them as they stood at the report's moment."""
    officers, asked = officers_backend(backend), _asked()
    found = statistics_client.report(officers, asked)
    criteria = board.criteria_on(date.fromisoformat(found.period_to))
    places = board.board(
        (
            board.standing(
                statistics_client.report(officers, {"unit": unit, "as_of": found.as_of}),
                found.targets,
                criteria,
            )
            for unit in board.contenders(found, criteria)
        ),
        criteria,
    )
    if wants_json():
        ranked = [
            {"unit": each.standing.unit, "rank": each.rank, "points": str(each.total)} for each in places
        ]
        return jsonify(criteria=criteria.id, version=criteria.version, places=ranked)
    return page("leaderboard.html", report=found, asked=asked, criteria=criteria, places=places)


def _returns_page(backend: BackendClient) -> ResponseReturnValue:
    """Captures of a period that were sent back, for whoever leads those who captured."""
    asked = _asked()
    found = statistics_client.returns(officers_backend(backend), asked)
    if wants_json():
        return jsonify(msgspec.to_builtins(found))
    return page("returns.html", report=found, asked=asked, periods=PERIODS)


def _address(endpoint: str, values: Mapping[str, str]) -> str:
    return url_for(endpoint, _anchor=None, _method=None, _scheme=None, _external=None, **values)


def _titles(words: Definitions) -> dict[str, str]:
    """What every counter, cause, measure and time limit is called in the session's language."""
    named: tuple[CounterDefinition | CauseDefinition | MeasureDefinition | ClockDefinition, ...] = (
        *words.counters,
        *words.causes,
        *words.measures,
        *words.clocks,
    )
    return {each.id: each.en if language() == "en" else each.vi for each in named}


def _records_page(backend: BackendClient) -> ResponseReturnValue:
    asked, figure = _asked(), request.args.get("figure", "")
    officers = officers_backend(backend)
    found = statistics_client.records(officers, figure, asked, request.args.get("cursor"))
    following = found.cursor and _address(
        "reports.records", {**asked, "figure": figure, "cursor": found.cursor}
    )
    if wants_json():
        return jsonify(subjects=[entry.subject for entry in found.entries], next=following)
    titles = _titles(statistics_client.definitions(officers))
    title = titles.get(figure.removeprefix("measured."))
    if figure.startswith("missing."):
        title = f"{sentence_or('reports.kits', figure)}: {figure.removeprefix('missing.')}"
    if figure.startswith("band.") and figure.count(".") == 3:
        part, band = figure.split(".")[2:]
        title = f"{sentence_or('field.finger_' + part, part)}: {sentence_or('band.' + band, band)}"
    if figure.startswith("cause.") and figure.count(".") == 2:
        _, cause, code = figure.split(".")
        title = f"{titles.get(cause, cause)}: {_cause_text(cause, code)}"
    return page(
        "records.html",
        records=found.entries,
        figure=figure,
        stock=figure.split(".") if title is None else (),
        title=title,
        asked=asked,
        following=following,
    )


def _check_text(backend: BackendClient) -> ResponseReturnValue:
    typed = request.form.get("text", "")
    found: TextFindings | None = None
    faults: dict[str, str] = {}
    try:
        found = statistics_client.check_text(officers_backend(backend), TextToCheck(text=typed))
    except BackendRefused as fault:
        if wants_json() or not fault.fields:
            return error_page(fault)
        faults = fault.fields
    if wants_json():
        return jsonify(
            csrf_token=form_token(), findings=[each.code for each in found.findings] if found else []
        )
    return page("text_check.html", 422 if faults else 200, typed=typed, found=found, faults=faults)
