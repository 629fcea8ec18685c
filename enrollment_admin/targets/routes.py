"""Targets of a unit: those in force with their legal basis and progress, and a new one."""

from __future__ import annotations

from flask import Blueprint, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.reports import charts, statistics_client
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import beside, language, outcome_of, page, typed
from verification.messages.statistics import NewTarget, TargetsSet

SETTERS = frozenset({"supervisor", "district_chief"})
"""Who sets targets, each in their own area."""

_FIELDS = ("definition", "unit", "starts_on", "ends_on", "amount", "basis")


def targets_blueprint(backend: BackendClient) -> Blueprint:
    """/reports/targets."""
    blueprint = Blueprint("targets", __name__, url_prefix="/reports/targets")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return _page(backend, request.args.get("unit", session["officer"]["unit"] or "").strip())

    @blueprint.post("")
    def set_target() -> ResponseReturnValue:
        filled = {name: typed(name) for name in _FIELDS}
        return outcome_of(
            lambda: _set(officers_backend(backend), filled),
            target=url_for("targets.listed", unit=filled["unit"]),
            done="done.target_set",
            again=lambda faults: _page(backend, session["officer"]["unit"] or "", filled, faults),
            status=201,
        )

    return blueprint


def _set(officers: BackendClient, filled: dict[str, str]) -> TargetsSet:
    amount = filled["amount"].replace(".", "")
    is_number = amount.isascii() and amount.isdecimal() and len(amount) <= 12
    # What is no number counts as none, which is refused beside its field.
    target = NewTarget(
        definition=filled["definition"],
        unit=filled["unit"],
        starts_on=filled["starts_on"],
        ends_on=filled["ends_on"],
        amount=int(amount) if is_number else 0,
        basis=filled["basis"],
    )
    return beside(lambda: statistics_client.set_target(officers, target), {"UNIT_UNKNOWN": "unit"})


def _page(
    backend: BackendClient,
    unit: str,
    filled: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = statistics_client.report(officers, {"unit": unit} if unit else {})
    counters = statistics_client.definitions(officers).counters
    return page(
        "targets.html",
        422 if faults else 200,
        report=found,
        progress=charts.progress(found.targets),
        counters={each.id: each.en if language() == "en" else each.vi for each in counters},
        sets=not SETTERS.isdisjoint(session["officer"]["roles"]),
        filled=filled or {"unit": unit},
        faults=faults or {},
    )
