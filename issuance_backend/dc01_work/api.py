"""The work on DC01 forms over HTTP, for officers who are signed in."""

from __future__ import annotations

import hashlib

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.dc01_work.service import FormOffice
from issuance_backend.http_body import answer, page_answer, picture_answer, read_body, read_page
from issuance_backend.idempotency.domain import HEADER
from issuance_backend.officers.api import acting_officer
from verification.messages.dc01 import (
    MAX_SCAN_REQUEST_BYTES,
    BatchWanted,
    CorrectionReview,
    PaperCollected,
    PaperIndexed,
    PaperRead,
    PaperScanned,
    ResidentsListed,
)

_SCAN = "dc01_pages.scan"


def work_blueprint(office: FormOffice) -> Blueprint:
    """/v1/dc01-work: what there is to do for the officer."""
    blueprint = Blueprint("dc01_work", __name__, url_prefix="/v1/dc01-work")

    @blueprint.get("")
    def waiting() -> ResponseReturnValue:
        return answer(office.work(acting_officer()))

    @blueprint.get("/key/next")
    def next_keying() -> ResponseReturnValue:
        return _if_any(office.next_keying(acting_officer()))

    @blueprint.get("/key_again/next")
    def next_second_keying() -> ResponseReturnValue:
        return _if_any(office.next_second_keying(acting_officer()))

    @blueprint.get("/decide/next")
    def next_difference() -> ResponseReturnValue:
        return _if_any(office.next_difference(acting_officer()))

    @blueprint.get("/clerk-rates")
    def clerk_rates() -> ResponseReturnValue:
        return answer(office.clerk_rates(acting_officer()))

    return blueprint


def forms_blueprint(office: FormOffice) -> Blueprint:
    """/v1/dc01-forms: forms on their way into a batch."""
    blueprint = Blueprint("dc01_forms", __name__, url_prefix="/v1/dc01-forms")

    @blueprint.post("")
    def plan() -> ResponseReturnValue:
        return answer(office.plan(acting_officer(), read_body(ResidentsListed)), 201)

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        barcode = request.args.get("barcode")
        if barcode is not None:
            return answer(office.of_barcode(acting_officer(), barcode))
        return page_answer(office.forms(acting_officer(), request.args.get("state", ""), read_page(1)))

    @blueprint.get("/<form>")
    def read(form: str) -> ResponseReturnValue:
        return answer(office.form(acting_officer(), form))

    @blueprint.post("/<form>/collection")
    def collect(form: str) -> ResponseReturnValue:
        return answer(office.collect(acting_officer(), form, read_body(PaperCollected)))

    @blueprint.post("/<form>/index")
    def index(form: str) -> ResponseReturnValue:
        return answer(office.index(acting_officer(), form, read_body(PaperIndexed)))

    return blueprint


def pages_blueprint(office: FormOffice) -> Blueprint:
    """/v1/dc01-forms/{form}: its picture, and what is keyed of it, for who works on it now."""
    blueprint = Blueprint("dc01_pages", __name__, url_prefix="/v1/dc01-forms/<form>")

    @blueprint.post("/scan")
    def scan(form: str) -> ResponseReturnValue:
        return answer(office.scan(acting_officer(), form, read_body(PaperScanned)))

    @blueprint.get("/pages/<page>")
    def page(form: str, page: str) -> ResponseReturnValue:
        shown = office.picture(acting_officer(), form, page)
        return picture_answer(shown.content, shown.media_type)

    @blueprint.get("/values")
    def values(form: str) -> ResponseReturnValue:
        return answer(office.values(acting_officer(), form))

    @blueprint.get("/person")
    def person(form: str) -> ResponseReturnValue:
        return answer(office.person(acting_officer(), form))

    return blueprint


def readings_blueprint(office: FormOffice) -> Blueprint:
    """/v1/dc01-forms/{form}: what officers read on it, first, blindly again, and corrected."""
    blueprint = Blueprint("dc01_readings", __name__, url_prefix="/v1/dc01-forms/<form>")

    @blueprint.post("/keying")
    def key(form: str) -> ResponseReturnValue:
        return answer(office.key(acting_officer(), form, read_body(PaperRead)))

    @blueprint.post("/second-keying")
    def key_again(form: str) -> ResponseReturnValue:
        office.key_again(acting_officer(), form, read_body(PaperRead))
        return "", 204

    @blueprint.post("/decision")
    def decide(form: str) -> ResponseReturnValue:
        office.decide(acting_officer(), form, read_body(PaperRead))
        return "", 204

    @blueprint.post("/correction")
    def correct(form: str) -> ResponseReturnValue:
        return answer(office.correct(acting_officer(), form, read_body(PaperRead)))

    @blueprint.post("/review")
    def review(form: str) -> ResponseReturnValue:
        return answer(office.review(acting_officer(), form, read_body(CorrectionReview)))

    return blueprint


def batches_blueprint(office: FormOffice) -> Blueprint:
    """/v1/dc01-batches: forms that are judged together."""
    blueprint = Blueprint("dc01_batches", __name__, url_prefix="/v1/dc01-batches")

    @blueprint.post("")
    def open_batch() -> ResponseReturnValue:
        return answer(office.open_batch(acting_officer(), read_body(BatchWanted)), 201)

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        only = request.args.get("state"), request.args.get("unit")
        return page_answer(office.batches(acting_officer(), read_page(1), *only))

    @blueprint.get("/<batch>")
    def read(batch: str) -> ResponseReturnValue:
        return answer(office.batch(acting_officer(), batch))

    @blueprint.post("/<batch>/sample")
    def draw(batch: str) -> ResponseReturnValue:
        return answer(office.draw(acting_officer(), batch))

    @blueprint.post("/<batch>/matching")
    def match(batch: str) -> ResponseReturnValue:
        return answer(office.match(acting_officer(), batch))

    @blueprint.post("/<batch>/registration")
    def register(batch: str) -> ResponseReturnValue:
        return answer(office.register(acting_officer(), batch))

    return blueprint


def permit_scans() -> None:
    """Before any request: the pictures of a form are larger than whatever else comes here."""
    if request.endpoint == _SCAN:
        request.max_content_length = MAX_SCAN_REQUEST_BYTES


def key_of_request() -> str | None:
    """Under what the registry does the request at hand once: its officer's own key, and nobody else's."""
    key = request.headers.get(HEADER)
    return key and hashlib.sha256(f"{acting_officer().id}/{key}".encode()).hexdigest()


def _if_any(found: object | None) -> ResponseReturnValue:
    return ("", 204) if found is None else answer(found)
