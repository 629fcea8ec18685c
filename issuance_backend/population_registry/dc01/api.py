"""DC01 forms over HTTP: the work on them under /v1/dc01, and how good they are under /v1/quality-indices."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, picture_answer, read_body, read_page
from issuance_backend.population_registry.dc01.batch_desk import BatchDesk
from issuance_backend.population_registry.dc01.domain import BatchState, FormState
from issuance_backend.population_registry.dc01.form_desk import FormDesk
from issuance_backend.population_registry.dc01.index_desk import IndexDesk
from issuance_backend.population_registry.dc01.measures import IndexName
from issuance_backend.population_registry.dc01.scan_desk import ScanDesk
from issuance_backend.population_registry.reads.api import reading_by
from issuance_backend.service_tokens import calling_service
from issuance_backend.unit_codes import is_unit
from verification.errors import FieldsRefused
from verification.messages.dc01 import (
    MAX_SCAN_REQUEST_BYTES,
    Acting,
    BatchOpened,
    FormCollected,
    FormDecision,
    FormIndexed,
    FormKeyed,
    FormReview,
    FormScanned,
    ResidentList,
)
from verification.messages.registry_access import Purpose, ReadingFor

WORK_ROLE = "dc01.work"
"""May bring forms through the office, for the officers that it signed in."""

QUALITY_ROLE = "quality.read"
"""May read the indices and which forms fail them."""

_SCAN = "dc01_scans.scan"

Choice = TypeVar("Choice", bound=StrEnum)


def forms_blueprint(desk: FormDesk) -> Blueprint:
    """/v1/dc01/forms: one form on its way into a batch."""
    blueprint = Blueprint("dc01_forms", __name__, url_prefix="/v1/dc01/forms")

    @blueprint.post("")
    def plan() -> ResponseReturnValue:
        return answer(desk.plan(read_body(ResidentList)), 201)

    @blueprint.get("")
    def in_state() -> ResponseReturnValue:
        barcode = request.args.get("barcode")
        if barcode is not None:
            return answer(desk.of_barcode(barcode))
        return page_answer(desk.forms(_choice("state", FormState), read_page(1), _area()))

    @blueprint.get("/<form_id>")
    def read(form_id: str) -> ResponseReturnValue:
        return answer(desk.form(form_id))

    @blueprint.post("/<form_id>/collection")
    def collect(form_id: str) -> ResponseReturnValue:
        return answer(desk.collect(form_id, read_body(FormCollected)))

    @blueprint.post("/<form_id>/index")
    def index(form_id: str) -> ResponseReturnValue:
        return answer(desk.index(form_id, read_body(FormIndexed)))

    return blueprint


def scans_blueprint(desk: ScanDesk) -> Blueprint:
    """/v1/dc01/forms/{id}: the picture of a form, and what is keyed of it, for whoever works on it now."""
    blueprint = Blueprint("dc01_scans", __name__, url_prefix="/v1/dc01/forms")

    @blueprint.post("/<form_id>/scan")
    def scan(form_id: str) -> ResponseReturnValue:
        return answer(desk.scan(form_id, read_body(FormScanned)))

    @blueprint.get("/<form_id>/pages/<number>")
    def page(form_id: str, number: str) -> ResponseReturnValue:
        officer, which = asking_officer(), _page_number(number)
        shown = desk.picture(form_id, which, officer, calling_service().name, reading_of(officer))
        return picture_answer(shown.content, shown.media_type)

    @blueprint.get("/<form_id>/values")
    def values(form_id: str) -> ResponseReturnValue:
        officer = asking_officer()
        return answer(desk.values(form_id, officer, calling_service().name, reading_of(officer)))

    return blueprint


def permit_scans() -> None:
    """Before any request: the pictures of a form are larger than whatever else comes here."""
    if request.endpoint == _SCAN:
        request.max_content_length = MAX_SCAN_REQUEST_BYTES


def keyings_blueprint(desk: FormDesk, batches: BatchDesk) -> Blueprint:
    """/v1/dc01/forms/{id}: what officers read on a form, first, blindly again, and corrected."""
    blueprint = Blueprint("dc01_keyings", __name__, url_prefix="/v1/dc01/forms")

    @blueprint.post("/<form_id>/keying")
    def key(form_id: str) -> ResponseReturnValue:
        return answer(desk.key(form_id, read_body(FormKeyed)))

    @blueprint.post("/<form_id>/correction")
    def correct(form_id: str) -> ResponseReturnValue:
        return answer(desk.correct(form_id, read_body(FormKeyed)))

    @blueprint.post("/<form_id>/review")
    def review(form_id: str) -> ResponseReturnValue:
        return answer(desk.review(form_id, read_body(FormReview)))

    @blueprint.post("/<form_id>/second-keying")
    def key_again(form_id: str) -> ResponseReturnValue:
        batches.key_again(form_id, read_body(FormKeyed))
        return "", 204

    @blueprint.post("/<form_id>/decision")
    def decide(form_id: str) -> ResponseReturnValue:
        batches.decide(form_id, read_body(FormDecision))
        return "", 204

    return blueprint


def batches_blueprint(desk: BatchDesk, forms: FormDesk) -> Blueprint:
    """/v1/dc01/batches: forms that are judged together."""
    blueprint = Blueprint("dc01_batches", __name__, url_prefix="/v1/dc01/batches")

    @blueprint.post("")
    def open_batch() -> ResponseReturnValue:
        return answer(desk.open(read_body(BatchOpened)), 201)

    @blueprint.get("")
    def batches() -> ResponseReturnValue:
        state = _choice("state", BatchState) if "state" in request.args else None
        return page_answer(desk.batches(read_page(1), state, request.args.get("unit"), _area()))

    @blueprint.get("/<batch_id>")
    def read(batch_id: str) -> ResponseReturnValue:
        return answer(desk.batch(batch_id))

    @blueprint.post("/<batch_id>/sample")
    def draw(batch_id: str) -> ResponseReturnValue:
        return answer(desk.draw(batch_id, read_body(Acting).officer))

    @blueprint.post("/<batch_id>/matching")
    def match(batch_id: str) -> ResponseReturnValue:
        return answer({"matched": forms.match(desk.batch(batch_id).id)})

    return blueprint


def checks_blueprint(desk: BatchDesk, forms: FormDesk) -> Blueprint:
    """/v1/dc01: what there is to do for an officer, and what the blind check says of clerks."""
    blueprint = Blueprint("dc01_checks", __name__, url_prefix="/v1/dc01")

    @blueprint.get("/waiting")
    def waiting() -> ResponseReturnValue:
        return answer(forms.waiting(_area()))

    @blueprint.get("/keyings/next")
    def next_form() -> ResponseReturnValue:
        form = forms.next_to_key(asking_officer(), _area())
        return ("", 204) if form is None else answer(form)

    @blueprint.get("/second-keyings/next")
    def next_keying() -> ResponseReturnValue:
        task = desk.next_keying(asking_officer(), _area())
        return ("", 204) if task is None else answer(task)

    @blueprint.get("/differences/next")
    def next_difference() -> ResponseReturnValue:
        task = desk.next_difference(asking_officer(), _area())
        return ("", 204) if task is None else answer(task)

    @blueprint.get("/clerk-rates")
    def clerk_rates() -> ResponseReturnValue:
        return answer(desk.clerk_rates(request.args.get("area", "")))

    return blueprint


def quality_blueprint(desk: IndexDesk) -> Blueprint:
    """/v1/quality-indices?area=&on= and the forms that fail one of them."""
    blueprint = Blueprint("quality_indices", __name__, url_prefix="/v1/quality-indices")

    @blueprint.get("")
    def indices() -> ResponseReturnValue:
        return answer(desk.indices(request.args.get("area", ""), asked_day()))

    @blueprint.get("/<index>/failing")
    def failing(index: str) -> ResponseReturnValue:
        name = _one_of("index", IndexName, index)
        return page_answer(desk.failing(request.args.get("area", ""), name, asked_day(), read_page(1)))

    return blueprint


def asked_day() -> date | None:
    """The day that ``on`` names; raises FieldsRefused for one that is none."""
    text = request.args.get("on")
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldsRefused({"on": "FIELD_DATE"}) from None


def asking_officer() -> str:
    """Who asks through the calling program; raises FieldsRefused where nobody is named."""
    officer = request.args.get("officer", "")
    if not officer:
        raise FieldsRefused({"officer": "FIELD_MISSING"})
    return officer


def _page_number(text: str) -> int:
    """The page of an address; what is no page's number leads to none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) == 1 else 0


def reading_of(officer: str) -> ReadingFor:
    """For whom a picture is looked at: the calling program names the officer and says where they work."""
    return reading_by(officer, Purpose.POPULATION_FORM)


def _area() -> str | None:
    """The unit that ``area`` names, None without one; raises FieldsRefused for what is none."""
    area = request.args.get("area")
    if area is not None and not is_unit(area):
        raise FieldsRefused({"area": "FIELD_CHARACTERS"})
    return area


def _choice(name: str, kind: type[Choice]) -> Choice:
    return _one_of(name, kind, request.args.get(name, ""))


def _one_of(name: str, kind: type[Choice], text: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise FieldsRefused({name: "FIELD_CHARACTERS"}) from None
