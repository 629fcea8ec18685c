"""What a commune's officer reports of the people who live there: one page an event."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, page, refused, typed, wants_json
from verification.messages.life_event import (
    Death,
    Divorce,
    LifeEventSeen,
    LifeEventView,
    Marriage,
    Move,
)

KINDS: Mapping[str, tuple[str, ...]] = {
    "death": ("citizen_number", "spouse_number"),
    "move": ("citizen_number", "current_residence", "permanent_residence"),
    "marriage": ("citizen_number", "spouse_number"),
    "divorce": ("citizen_number", "spouse_number"),
}
"""What each event asks for, beside its day and its document."""

_BESIDE = {"REGISTRY_PERSON_UNKNOWN": "citizen_number", "STATE_NOT_ALLOWED": "citizen_number"}
"""Refusals of what was typed, and the field they stand beside."""

Faults = dict[str, str]


def life_events_blueprint(backend: BackendClient) -> Blueprint:
    """/registry/life-events: a death, a move, a marriage or a divorce."""
    blueprint = Blueprint("life_events", __name__, url_prefix="/registry/life-events")

    @blueprint.get("")
    def new() -> ResponseReturnValue:
        return _form_page(request.args.get("state", ""))

    @blueprint.post("")
    def report() -> ResponseReturnValue:
        return _report(backend)

    return blueprint


def _form_page(kind: str, status: int = 200, faults: Faults | None = None) -> ResponseReturnValue:
    kind = kind if kind in KINDS else next(iter(KINDS))
    return page(
        "life_event.html",
        status,
        kind=kind,
        kinds=tuple(KINDS),
        fields=KINDS[kind],
        # The same page sent twice is the same report.
        report_id=typed("report_id") or secrets.token_hex(16),
        faults=faults or {},
        typed=request.form,
    )


def _report(backend: BackendClient) -> ResponseReturnValue:
    kind = typed("kind")
    day = _day(typed("occurred_on"))
    if day is None:
        return _form_page(kind, 422, {"occurred_on": "FIELD_DATE"})
    seen = LifeEventSeen(typed("report_id"), day, typed("document"), _event(kind))
    try:
        made = officers_backend(backend).ask("POST", "/v1/registry-life-events", LifeEventView, seen)
    except BackendRefused as refusal:
        code = refusal.answered_code
        faults = refusal.fields or ({_BESIDE[code]: code} if code in _BESIDE else {})
        if faults and not wants_json():
            return _form_page(kind, 422, faults)
        return refused(refusal, url_for("life_events.new", state=kind))
    return answer(made, url_for("life_events.new", state=kind), "done.life_event", 201)


def _event(kind: str) -> Death | Move | Marriage | Divorce:
    number, spouse = typed("citizen_number"), typed("spouse_number")
    if kind == "move":
        return Move(number, typed("current_residence"), typed("permanent_residence") or None)
    if kind == "marriage":
        return Marriage(number, spouse)
    if kind == "divorce":
        return Divorce(number, spouse)
    return Death(number, spouse or None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
