"""Capturing a dossier: the number, the registry's particulars, what is new, the portrait."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.counter import counter_client
from enrollment_admin.forms.routes import exceptions_today
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.station.capture_form import EDITABLE, CaptureForm, read_form
from enrollment_admin.terms_form import terms_choices
from enrollment_admin.ui.pages import answer, error_page, page, wants_json
from verification.errors import DossierAlreadyOpen, FieldsRefused
from verification.messages.enrollment import MAX_PORTRAIT_BYTES, DossierView, PersonExtract
from verification.messages.forms import FormException
from verification.messages.national_time import vietnam_date

ALL_ITEMS = frozenset({"portrait", *EDITABLE})
"""What a first capture takes at the counter."""


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
    typed = {name: getattr(view.person, name) for name in EDITABLE if name in _returned_items(view)}
    form = CaptureForm(secrets.token_urlsafe(24), view.citizen_number, typed, b"", "")
    return _form_page(backend, form, _standing(officers, view), view)


def _capture(backend: BackendClient, form: CaptureForm, dossier: str | None) -> ResponseReturnValue:
    try:
        return _send_capture(backend, form, dossier)
    except BackendUnavailable as fault:
        return error_page(fault) if wants_json() else _retry_page(form, dossier, fault.code)


def _send_capture(backend: BackendClient, form: CaptureForm, dossier: str | None) -> ResponseReturnValue:
    officers = officers_backend(backend)
    extract, former = None, None
    try:
        former = officers.dossier(dossier) if dossier else None
        extract = _standing(officers, former) if former else officers.prefill(form.citizen_number)
        if len(form.portrait) > MAX_PORTRAIT_BYTES:
            # Refused here: the backend would not even read so much.
            raise BackendRefused(422, FieldsRefused.code, {"portrait": "PORTRAIT_TOO_LARGE"})
        begun = counter_client.begin(officers, form.message(extract, is_first=former is None), dossier)
    except FieldsRefused as fault:
        if wants_json() or extract is None:
            return error_page(fault)
        return _form_page(backend, form, extract, former, dict(fault.fields))
    except BackendRefused as fault:
        if extract is None and fault.status == 503 and not wants_json():
            return _retry_page(form, dossier, fault.answered_code)
        if wants_json() or fault.status == 401 or extract is None:
            return error_page(fault)
        faults = fault.fields or {"": fault.answered_code}
        return _form_page(backend, form, extract, former, faults)
    return answer(begun, url_for("counter.capture", capture=begun.id), "done.counter_begun", 201)


def _retry_page(form: CaptureForm, dossier: str | None, code: str) -> ResponseReturnValue:
    """The capture, kept on a page until it can be sent; sent twice it is still one capture."""
    return page("retry.html", 503, form=form, dossier=dossier, code=code)


def _form_page(
    backend: BackendClient,
    form: CaptureForm,
    extract: PersonExtract,
    former: DossierView | None = None,
    faults: dict[str, str] | None = None,
) -> ResponseReturnValue:
    return page(
        "capture.html",
        422 if faults else 200,
        form=form,
        extract=extract,
        dossier=former.id if former else None,
        items=_returned_items(former) if former else ALL_ITEMS,
        needs_kit=former is not None and _needs_kit(former),
        faults=faults or {},
        # A portrait that was accepted is kept over a fault elsewhere; a refused one is taken again.
        kept="" if faults and "portrait" in faults else form.portrait_text,
        engine=officers_backend(backend).portrait_gate().engine,
        exceptions=_exceptions(backend, extract, former),
        terms_said=form.terms,
        **terms_choices(vietnam_date(datetime.now(UTC))),
    )


def _exceptions(
    backend: BackendClient, extract: PersonExtract, former: DossierView | None
) -> list[FormException]:
    """What the officer may state: why the registry has no value, or why none is typed."""
    asked = {name for name in EDITABLE if former is None or name in _returned_items(former)}
    if former is None or "particulars" in _returned_items(former):
        asked |= {name for name in ("father", "mother") if not getattr(extract.person, name)}
    if not asked:
        return []
    return [each for each in exceptions_today(officers_backend(backend)) if each.item in asked]


def _needs_kit(former: DossierView) -> bool:
    """Whether something of it is a kit's to take again: a form that a kit printed."""
    captured = [step.event for step in former.steps if step.event in {"capture", "receive"}]
    return "form" in _returned_items(former) and captured[-1] == "receive"


def _returned_items(view: DossierView) -> frozenset[str]:
    return frozenset(view.returned.items if view.returned else ())


def _standing(officers: BackendClient, view: DossierView) -> PersonExtract:
    """The particulars that stand; from the registry once more where it is they that were returned."""
    if "particulars" in _returned_items(view):
        registered = officers.prefill(view.citizen_number)
        kept = {name: getattr(view.person, name) for name in EDITABLE}
        return msgspec.structs.replace(registered, person=msgspec.structs.replace(registered.person, **kept))
    return _extract_of(view)


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
