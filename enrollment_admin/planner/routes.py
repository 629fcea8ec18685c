"""A campaign is planned, and what would be otherwise is seen beside it."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType

import msgspec
from flask import Blueprint, Response, request, session
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.planner import outlook, plans_client
from enrollment_admin.planner.plan_form import MEANS, REST, PlanForm
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import error_page, page, wants_json
from verification.errors import FieldsRefused
from verification.identity.administrative_units import provinces, units_2025
from verification.messages.campaign_plan import Plan, PlanRequest
from verification.messages.national_time import VIETNAM


def planner_blueprint(backend: BackendClient) -> Blueprint:
    """/plans."""
    blueprint = Blueprint("planner", __name__, url_prefix="/plans")

    @blueprint.get("")
    def new() -> ResponseReturnValue:
        _require_leader()
        today = datetime.now(VIETNAM).date()
        return _form_page(PlanForm.of(plans_client.measured_now(officers_backend(backend), today), today))

    @blueprint.post("")
    def plan() -> ResponseReturnValue:
        return _plan(backend, PlanForm.posted(request.form))

    return blueprint


def _require_leader() -> None:
    """Who would be refused the plan is refused its form as well."""
    if "supervisor" not in session["officer"]["roles"]:
        raise BackendRefused(403, "OFFICER_ROLE_MISSING", {})


def _plan(backend: BackendClient, form: PlanForm) -> ResponseReturnValue:
    if "more" in request.form:
        return _form_page(form)
    officers = officers_backend(backend)
    try:
        asked = _asked(officers, form)
        made = plans_client.plan(officers, asked)
    except BackendRefused as fault:
        if wants_json() or not fault.fields:
            return error_page(fault)
        return _form_page(form.refused(fault.fields), 422)
    if wants_json():
        return Response(msgspec.json.encode(made), content_type="application/json")
    return _plan_page(form, asked, made)


def _asked(officers: BackendClient, form: PlanForm) -> PlanRequest:
    """The campaign that was typed; refused as the backend would refuse it."""
    found = plans_client.measured_now(officers, datetime.now(VIETNAM).date())
    try:
        return form.request(found)
    except FieldsRefused as fault:
        raise BackendRefused(422, fault.code, fault.fields) from None


def _plan_page(form: PlanForm, asked: PlanRequest, made: Plan) -> ResponseReturnValue:
    """The plan above its form, beside the one that the form carried."""
    former = outlook.former_outlook(request.form.get("former", ""))
    kept = outlook.outlook(asked, made)
    top, days = outlook.scale(kept, former), len(kept.by_day)
    return _form_page(
        form,
        plan=made,
        asked=asked,
        now=kept,
        before=former,
        kept=msgspec.json.encode(kept).decode("ascii"),
        lines=outlook.lines(asked, made, former),
        top=top,
        curve=outlook.curve(kept.by_day, days, top),
        former_curve=outlook.curve(former.by_day, days, top) if former else "",
        target_height=outlook.HEIGHT * (1 - made.target / top),
    )


def _form_page(form: PlanForm, status: int = 200, **drawn: object) -> ResponseReturnValue:
    plain = {"kept": request.form.get("former", ""), **drawn}
    return page("plan.html", status, form=form, means=MEANS, rests=tuple(REST), unit_names=_names(), **plain)


def _names() -> MappingProxyType[str, str]:
    """Provincial units as they are drawn today, then the provinces that they were."""
    today = {unit.code: unit.name for unit in units_2025().values()}
    former = {each.code: each.name for each in provinces().values()}
    return MappingProxyType(today | former)
