"""A capture at the counter on its way to being sealed: printed, signed, answered for."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, jsonify, request, session, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.counter import counter_client
from enrollment_admin.forms.routes import exceptions_today
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.consent_languages import LANGUAGES_OF_CONSENT
from enrollment_admin.ui.pages import answer, form_token, outcome_of, page, refused, typed, wants_json
from verification.messages.asked_prints import is_best_available
from verification.messages.counter_capture import CitizenAgreement, CounterCapture, SupervisorAnswer
from verification.messages.enrollment import OfficerCredentials

SIGNATURE, SCAN = "signature", "scan"
HERE = "supervisor"
"""The field in which a supervisor who stands beside the captor signs in for one answer."""


def counter_blueprint(backend: BackendClient) -> Blueprint:
    """/counter: what waits, and one capture until it is a dossier."""
    blueprint = Blueprint("counter", __name__, url_prefix="/counter")

    @blueprint.get("")
    def waiting() -> ResponseReturnValue:
        return _waiting_page(backend)

    @blueprint.get("/<capture>")
    def capture(capture: str) -> ResponseReturnValue:
        return _capture_page(backend, capture)

    @blueprint.get("/<capture>/form.pdf")
    def form(capture: str) -> ResponseReturnValue:
        file = counter_client.form(officers_backend(backend), capture)
        response = Response(file.content, content_type=file.content_type)
        response.headers["Content-Disposition"] = file.disposition
        return response

    @blueprint.post("/<capture>/agreement")
    def sign(capture: str) -> ResponseReturnValue:
        given = {name: request.files[name].read() for name in (SIGNATURE, SCAN) if name in request.files}
        agreement = CitizenAgreement(
            language=typed("language"), **given, cannot_sign="cannot_sign" in request.form
        )
        return outcome_of(
            lambda: counter_client.sign(officers_backend(backend), capture, agreement),
            target=url_for("counter.capture", capture=capture),
            done="done.counter_signed",
            again=lambda faults: _capture_page(backend, capture, faults),
        )

    @blueprint.post("/<capture>/seal")
    def seal(capture: str) -> ResponseReturnValue:
        return _seal(backend, capture)

    return blueprint


def counter_steps_blueprint(backend: BackendClient) -> Blueprint:
    """/counter/<capture>: the steps that carry nothing."""
    blueprint = Blueprint("counter_steps", __name__, url_prefix="/counter/<capture>")

    def step(capture: str, name: str, done: str) -> ResponseReturnValue:
        return outcome_of(
            lambda: counter_client.step(officers_backend(backend), capture, name),
            target=url_for("counter.capture", capture=capture),
            done=done,
            again=lambda faults: _capture_page(backend, capture, faults),
        )

    @blueprint.post("/form")
    def check_form(capture: str) -> ResponseReturnValue:
        return step(capture, "form", "done.counter_form")

    @blueprint.post("/answer")
    def answer_for(capture: str) -> ResponseReturnValue:
        seen = SupervisorAnswer(typed("form") or None, typed("unsigned") or None)
        is_here = HERE in request.form
        return outcome_of(
            lambda: (
                _answered_here(backend, capture, seen)
                if is_here
                else counter_client.answer_for(officers_backend(backend), capture, seen)
            ),
            target=url_for("counter.capture", capture=capture),
            done="done.counter_answered",
            again=lambda faults: _capture_page(backend, capture, faults),
        )

    @blueprint.post("/withdrawal")
    def withdraw(capture: str) -> ResponseReturnValue:
        return step(capture, "withdrawal", "done.counter_withdrawn")

    return blueprint


def _answered_here(backend: BackendClient, which: str, seen: SupervisorAnswer) -> CounterCapture:
    """A supervisor's word on the captor's page, in a session of the supervisor's own that ends with it.

    The captor's session stays as it is. Raises BackendRefused with what is wrong beside the field.
    """
    credentials = OfficerCredentials(typed(HERE), request.form.get("password", ""))
    try:
        theirs = backend.with_token(backend.sign_in(credentials).token)
        try:
            return counter_client.answer_for(theirs, which, seen)
        finally:
            with suppress(BackendUnavailable):
                theirs.sign_out()
    except BackendRefused as fault:
        # A 401 here is the supervisor's: the captor is not signed out for it.
        raise BackendRefused(422, fault.answered_code, {HERE: fault.answered_code}) from None


def _seal(backend: BackendClient, capture: str) -> ResponseReturnValue:
    try:
        view = counter_client.seal(officers_backend(backend), capture)
    except BackendRefused as fault:
        if fault.fields and not wants_json():
            return _capture_page(backend, capture, fault.fields)
        return refused(fault, url_for("counter.capture", capture=capture))
    return answer(view, url_for("review.dossier", dossier=view.id), "done.captured", 201)


def _waiting_page(backend: BackendClient) -> ResponseReturnValue:
    found = counter_client.waiting(officers_backend(backend), request.args.get("cursor"))
    following = found.cursor and url_for("counter.waiting", cursor=found.cursor)
    if wants_json():
        entries = [{"id": each.id, "missing": each.missing} for each in found.entries]
        return jsonify(csrf_token=form_token(), captures=entries, next=following)
    return page("counter_list.html", captures=found.entries, following=following)


def _capture_page(
    backend: BackendClient, which: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = counter_client.capture(officers, which)
    if wants_json():
        return jsonify(csrf_token=form_token(), id=found.id, state=found.state, missing=found.missing)
    known = {each.code: each for each in exceptions_today(officers)}
    return page(
        "counter.html",
        422 if faults else 200,
        found=found,
        is_mine=found.officer == session["officer"]["id"],
        may_answer=_may_answer(found),
        may_answer_here=_waits_for_supervisor(found) and found.officer == session["officer"]["id"],
        best=[each.item for each in found.print_reasons if is_best_available(each.item, each.code)],
        stated=[known[code] for code in found.exceptions if code in known],
        languages=LANGUAGES_OF_CONSENT,
        faults=faults or {},
    )


def _may_answer(found: CounterCapture) -> bool:
    """Whether a supervisor other than its officer may answer now for what is missing."""
    is_supervisor = "supervisor" in session["officer"]["roles"]
    is_another = found.officer != session["officer"]["id"]
    return is_supervisor and is_another and _waits_for_supervisor(found)


def _waits_for_supervisor(found: CounterCapture) -> bool:
    return found.form is not None and "supervisor" in found.missing
