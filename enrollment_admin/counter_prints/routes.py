"""The prints of a capture at a counter: a scanner's files come in, and each finger says how it stands."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage, MultiDict

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.counter import counter_client
from enrollment_admin.forms.routes import exceptions_today, file_response
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import error_page, form_token, outcome_of, page, typed, wants_json
from verification.capture_form.scanned_prints import finger_of, print_type
from verification.errors import FieldsRefused
from verification.fingerprint.print_attempts import OTHER_FINGER, TWO_FINGERS
from verification.messages.asked_prints import FINGER_ITEMS, FINGERPRINTS
from verification.messages.counter_capture import CounterCapture, CounterPrints
from verification.messages.enrollment_packet import CaptureException
from verification.messages.prints_taken import CaptureMethod


def counter_prints_blueprint(backend: BackendClient) -> Blueprint:
    """/counter/<capture>/prints."""
    blueprint = Blueprint("counter_prints", __name__, url_prefix="/counter/<capture>")

    @blueprint.get("/prints")
    def prints(capture: str) -> ResponseReturnValue:
        return _prints_page(backend, capture)

    @blueprint.post("/prints")
    def take(capture: str) -> ResponseReturnValue:
        try:
            taken = read_prints(request.files, typed("capture_method"))
        except FieldsRefused as fault:
            if wants_json():
                return error_page(fault)
            return _prints_page(backend, capture, dict(fault.fields))
        return _step(backend, capture, lambda officers: counter_client.take(officers, capture, taken))

    @blueprint.get("/prints/<item>")
    def picture(capture: str, item: str) -> Response:
        return file_response(counter_client.print_picture(officers_backend(backend), capture, item))

    @blueprint.post("/prints/<item>/drop")
    def drop(capture: str, item: str) -> ResponseReturnValue:
        return _step(backend, capture, lambda officers: counter_client.drop(officers, capture, item))

    @blueprint.post("/reasons")
    def state_reason(capture: str) -> ResponseReturnValue:
        stated = CaptureException(typed("item"), typed("code"))
        return _step(
            backend, capture, lambda officers: counter_client.state_reason(officers, capture, stated)
        )

    return blueprint


def read_prints(files: MultiDict[str, FileStorage], method: str) -> CounterPrints:
    """The prints that were chosen, finger by finger or as a scanner's files; raises FieldsRefused."""
    chosen = {item: files[item].read() for item in FINGER_ITEMS if item in files}
    for upload in files.getlist(FINGERPRINTS):
        if upload.filename:
            chosen[finger_of(upload.filename)] = upload.read()
    taken = {item: content for item, content in chosen.items() if content}
    if not taken:
        raise FieldsRefused({FINGERPRINTS: "FIELD_MISSING"})
    for item, content in taken.items():
        print_type(item, content)
    is_ink = method == CaptureMethod.INK_RESCAN
    return CounterPrints(taken, CaptureMethod.INK_RESCAN if is_ink else CaptureMethod.DEVICE)


def _step(
    backend: BackendClient, capture: str, act: Callable[[BackendClient], CounterCapture]
) -> ResponseReturnValue:
    return outcome_of(
        lambda: act(officers_backend(backend)),
        target=url_for("counter_prints.prints", capture=capture),
        done="done.counter_prints",
        again=lambda faults: _prints_page(backend, capture, faults),
    )


def _prints_page(
    backend: BackendClient, which: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = counter_client.capture(officers, which)
    if wants_json():
        fingers = {each.item: each.state for each in found.fingers}
        return jsonify(csrf_token=form_token(), fingers=fingers, missing=found.missing)
    stated = exceptions_today(officers)
    return page(
        "counter_prints.html",
        422 if faults else 200,
        found=found,
        is_mine=found.officer == session["officer"]["id"],
        reasons={each.code.upper(): each for each in stated if each.item == FINGERPRINTS},
        known_fields={FINGERPRINTS, *FINGER_ITEMS},
        other_finger=(OTHER_FINGER, TWO_FINGERS),
        faults=faults or {},
    )
