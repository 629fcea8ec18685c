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
from enrollment_admin.ui.chosen_prints import chosen_prints
from enrollment_admin.ui.pages import error_page, form_token, outcome_of, page, typed, wants_json
from verification.capture_form.scanned_prints import print_type
from verification.errors import FieldsRefused
from verification.fingerprint.print_attempts import OTHER_FINGER, TWO_FINGERS
from verification.messages.asked_prints import (
    ALL_SLAPS,
    FINGER_ITEMS,
    FINGERPRINTS,
    SLAP_ITEMS,
    excusable_fingers,
)
from verification.messages.counter_capture import CounterCapture, CounterPrints
from verification.messages.enrollment_packet import CaptureException
from verification.messages.hand_photos import HAND_PHOTOS


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

    _add_statements(blueprint, backend)
    return blueprint


def _add_statements(blueprint: Blueprint, backend: BackendClient) -> None:
    """What an officer says: which scanner is here, and why something has no print."""

    @blueprint.post("/scanner")
    def tell_scanner(capture: str) -> ResponseReturnValue:
        takes_slaps = typed("takes_slaps") == "yes"
        return _step(
            backend,
            capture,
            lambda officers: counter_client.tell_scanner(officers, capture, takes_slaps=takes_slaps),
            done="done.counter_scanner",
        )

    @blueprint.post("/reasons")
    def state_reason(capture: str) -> ResponseReturnValue:
        stated = CaptureException(typed("item"), typed("code"))
        return _step(
            backend, capture, lambda officers: counter_client.state_reason(officers, capture, stated)
        )


def read_prints(files: MultiDict[str, FileStorage], method: str) -> CounterPrints:
    """The prints that were chosen, and photographs of hands; raises FieldsRefused."""
    taken, taken_by = chosen_prints(files, method)
    for item, content in taken.items():
        if item not in HAND_PHOTOS:
            print_type(item, content)
    return CounterPrints(taken, taken_by)


def _step(
    backend: BackendClient,
    capture: str,
    act: Callable[[BackendClient], CounterCapture],
    done: str = "done.counter_prints",
) -> ResponseReturnValue:
    return outcome_of(
        lambda: act(officers_backend(backend)),
        target=url_for("counter_prints.prints", capture=capture),
        done=done,
        again=lambda faults: _prints_page(backend, capture, faults),
    )


def _prints_page(
    backend: BackendClient, which: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    found = counter_client.capture(officers, which)
    if wants_json():
        fingers = {each.item: each.state for each in found.fingers}
        slaps = {each.item: each.state for each in found.slaps}
        photos = {each.item: each.is_here for each in found.hand_photos}
        said = {"fingers": fingers, "slaps": slaps, "hand_photos": photos, "missing": found.missing}
        return jsonify(csrf_token=form_token(), slap_scanner=found.slap_scanner, **said)
    stated = exceptions_today(officers)
    return page(
        "counter_prints.html",
        422 if faults else 200,
        found=found,
        is_mine=found.officer == session["officer"]["id"],
        reasons={each.code.upper(): each for each in stated if each.item in {FINGERPRINTS, ALL_SLAPS}},
        open_fingers=_open_fingers(found),
        known_fields={FINGERPRINTS, *FINGER_ITEMS, *SLAP_ITEMS, *HAND_PHOTOS},
        other_finger=(OTHER_FINGER, TWO_FINGERS),
        faults=faults or {},
    )


def _open_fingers(found: CounterCapture) -> list[str]:
    """The fingers that may have a reason: those without a print, and those of a slap that was sent back."""
    fingers = {each.item: each for each in found.fingers}
    slaps = [each.item for each in found.slaps]
    named = {each.item for each in found.print_reasons} | {item for item in fingers if fingers[item].is_here}
    if FINGERPRINTS in named:
        return []
    asked = excusable_fingers(fingers, slaps, is_answer=found.dossier is not None)
    return [item for item in asked if item not in named]
