"""Searches by warrant: asked with pictures, and told who was found once a second investigator released it."""

from __future__ import annotations

import secrets
from datetime import date

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient, Listed
from enrollment_admin.investigations import investigations_client
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import outcome_of, page, typed
from verification.errors import FieldsRefused
from verification.messages.asked_prints import SINGLE_FINGERS, finger_item
from verification.messages.biometric_search import (
    Investigation,
    InvestigationEntry,
    InvestigationPictures,
    Warrant,
)

FINGERS = tuple(finger_item(position) for position in SINGLE_FINGERS)
ROLE = "investigator"


def investigations_blueprint(backend: BackendClient) -> Blueprint:
    """/investigations, for investigators; which there were, for auditors too."""
    blueprint = Blueprint("investigations", __name__, url_prefix="/investigations")

    @blueprint.get("")
    def new() -> ResponseReturnValue:
        number = request.args.get("task", "").strip()
        return redirect(url_for("investigations.show", task=number), 303) if number else _form_page({})

    @blueprint.post("")
    def search() -> ResponseReturnValue:
        task = typed("task_id") or _new_task()
        return outcome_of(
            lambda: _search(backend, task),
            target=url_for("investigations.show", task=task),
            done="done.investigation_asked",
            again=_form_page,
        )

    @blueprint.get("/requests/")
    def listed() -> ResponseReturnValue:
        found = _listed(backend, request.args.get("cursor"))
        following = found.cursor and url_for("investigations.listed", cursor=found.cursor)
        may_open = ROLE in session["officer"]["roles"]
        return page("investigation_list.html", found=found.entries, following=following, may_open=may_open)

    @blueprint.get("/<task>")
    def show(task: str) -> ResponseReturnValue:
        found = investigations_client.investigation(officers_backend(backend), task)
        return page("investigation.html", found=found, may_release=_may_release(found))

    @blueprint.post("/<task>/release")
    def release(task: str) -> ResponseReturnValue:
        target = url_for("investigations.show", task=task)
        return outcome_of(
            lambda: investigations_client.release(officers_backend(backend), task),
            target=target,
            done="done.investigation_released",
            again=lambda _faults: redirect(target, 303),
        )

    return blueprint


def _listed(backend: BackendClient, cursor: str | None) -> Listed[InvestigationEntry]:
    try:
        return investigations_client.investigations(officers_backend(backend), cursor)
    except BackendRefused as fault:
        # An office without galleries has no such list, and nothing was asked for there.
        if fault.status != 404:
            raise
        return Listed((), None)


def _search(backend: BackendClient, task: str) -> Investigation:
    try:
        asked = InvestigationPictures(
            task_id=task,
            warrant=_warrant(),
            gallery=typed("gallery"),
            portrait=_picture("portrait"),
            prints={p: content for p in SINGLE_FINGERS if (content := _picture(finger_item(p)))},
        )
    except FieldsRefused as fault:
        raise BackendRefused(422, fault.code, dict(fault.fields)) from None
    return investigations_client.search(officers_backend(backend), asked)


def _warrant() -> Warrant:
    """The warrant as it was typed; raises FieldsRefused: without one nothing is sent."""
    faults = {name: "FIELD_MISSING" for name in ("number", "authority", "gallery") if not typed(name)}
    days: dict[str, date] = {}
    for name in ("valid_from", "valid_through"):
        try:
            days[name] = date.fromisoformat(typed(name))
        except ValueError:
            faults[name] = "FIELD_DATE" if typed(name) else "FIELD_MISSING"
    if faults:
        raise FieldsRefused(faults)
    return Warrant(number=typed("number"), authority=typed("authority"), **days)


def _picture(name: str) -> bytes:
    sent = request.files.get(name)
    return sent.read() if sent else b""


def _new_task() -> str:
    return f"inv-{secrets.token_hex(8)}"


def _may_release(found: Investigation) -> bool:
    """The backend decides; this only keeps a button from a page that would be refused."""
    is_open = found.released_by is None and bool(found.task.candidates)
    return is_open and found.requested_by != session["officer"]["id"]


def _form_page(faults: dict[str, str]) -> ResponseReturnValue:
    """The form; what was typed stays, pictures have to be chosen again."""
    if ROLE not in session["officer"]["roles"]:
        raise BackendRefused(403, "OFFICER_ROLE_MISSING", {})
    # What gave a picture a fault may be answered by another picture: that is another request.
    return page(
        "investigations.html",
        422 if faults else 200,
        faults=faults,
        typed=request.form,
        task_id=_new_task(),
        fingers=FINGERS,
    )
