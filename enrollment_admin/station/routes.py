"""Capturing a dossier: the number, the registry's particulars, what is new, the portrait."""

from __future__ import annotations

import secrets

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.station.capture_form import CaptureForm, read_form
from enrollment_admin.ui.pages import answer, error_page, page, wants_json
from verification.errors import DossierAlreadyOpen, FieldsRefused
from verification.messages.enrollment import MAX_PORTRAIT_BYTES, DossierView, PersonExtract


def station_blueprint(backend: BackendClient) -> Blueprint:
    """/dossiers/new, and the forms that open a dossier or capture one again."""
    blueprint = Blueprint("station", __name__)

    @blueprint.get("/dossiers/new")
    def new() -> ResponseReturnValue:
        number = "".join(request.args.get("citizen_number", "").split())
        return _start(backend, number) if number else page("number.html", number="", code=None)

    @blueprint.post("/dossiers")
    def capture() -> ResponseReturnValue:
        return _capture(backend, read_form(request.form, request.files), None)

    @blueprint.get("/dossiers/<dossier>/recapture")
    def again(dossier: str) -> ResponseReturnValue:
        return _start_again(backend, dossier)

    @blueprint.post("/dossiers/<dossier>/recapture")
    def recapture(dossier: str) -> ResponseReturnValue:
        return _capture(backend, read_form(request.form, request.files), dossier)

    return blueprint


def _start(backend: BackendClient, number: str) -> ResponseReturnValue:
    try:
        extract = officers_backend(backend).prefill(number)
    except BackendRefused as fault:
        if wants_json() or fault.status == 401:
            return error_page(fault)
        code = fault.fields.get("citizen_number", fault.answered_code)
        return page("number.html", fault.status, number=number, code=code)
    if extract.open_dossier:
        return page(
            "number.html", 409, number=number, code=DossierAlreadyOpen.code, open_dossier=extract.open_dossier
        )
    return _form_page(backend, CaptureForm.of(extract), extract)


def _start_again(backend: BackendClient, dossier: str) -> ResponseReturnValue:
    officers = officers_backend(backend)
    view = officers.dossier(dossier)
    if view.state != "returned":
        return redirect(url_for("review.dossier", dossier=dossier), 303)
    form = CaptureForm(
        capture_id=secrets.token_urlsafe(24),
        citizen_number=view.citizen_number,
        typed={
            "place_of_residence": view.person.place_of_residence,
            "identification": view.person.identification,
        },
        portrait=b"",
        reason="",
    )
    return _form_page(backend, form, _extract_of(view), dossier)


def _capture(backend: BackendClient, form: CaptureForm, dossier: str | None) -> ResponseReturnValue:
    try:
        return _send_capture(backend, form, dossier)
    except BackendUnavailable as fault:
        return error_page(fault) if wants_json() else _retry_page(form, dossier, fault.code)


def _send_capture(backend: BackendClient, form: CaptureForm, dossier: str | None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    extract = None
    try:
        extract = _extract_of(officers.dossier(dossier)) if dossier else officers.prefill(form.citizen_number)
        if len(form.portrait) > MAX_PORTRAIT_BYTES:
            # Refused here: the backend would not even read so much.
            raise BackendRefused(422, FieldsRefused.code, {"portrait": "PORTRAIT_TOO_LARGE"})
        view = officers.capture(form.message(extract), dossier)
    except BackendRefused as fault:
        if extract is None and fault.status == 503 and not wants_json():
            return _retry_page(form, dossier, fault.answered_code)
        if wants_json() or fault.status == 401 or extract is None:
            return error_page(fault)
        faults = fault.fields or {"": fault.answered_code}
        return _form_page(backend, form, extract, dossier, faults)
    return answer(view, url_for("review.dossier", dossier=view.id), "done.captured", 201)


def _retry_page(form: CaptureForm, dossier: str | None, code: str) -> ResponseReturnValue:
    """The capture, kept on a page until it can be sent; sent twice it is still one capture."""
    return page("retry.html", 503, form=form, dossier=dossier, code=code)


def _form_page(
    backend: BackendClient,
    form: CaptureForm,
    extract: PersonExtract,
    dossier: str | None = None,
    faults: dict[str, str] | None = None,
) -> ResponseReturnValue:
    return page(
        "capture.html",
        422 if faults else 200,
        form=form,
        extract=extract,
        dossier=dossier,
        faults=faults or {},
        # A portrait that was accepted is kept over a fault elsewhere; a refused one is taken again.
        kept="" if faults and "portrait" in faults else form.portrait_text,
        engine=officers_backend(backend).portrait_gate().engine,
    )


def _extract_of(view: DossierView) -> PersonExtract:
    """The particulars of a dossier in the shape that the form shows."""
    return PersonExtract(
        citizen_number=view.citizen_number,
        person=view.person,
        life_status="alive",
        birth_registration_place="",
        blood_group=None,
        marital_status="",
        household_head="",
        relation_to_head="",
        occupation="",
        phone=None,
    )
