"""A citizen's own record, who looked at it, and complaints, over HTTP."""

from __future__ import annotations

from flask import Blueprint, g, has_request_context, request
from flask.typing import ResponseReturnValue

from issuance_backend.citizen_access.complaint_desk import ComplaintDesk
from issuance_backend.citizen_access.own_record_desk import OwnRecordDesk
from issuance_backend.citizen_access.repository import LIST_KEY
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.officers.domain import Officer
from verification.messages.application_status import ReceiptQuestion
from verification.messages.citizen_access import ComplaintAnswering, ComplaintFiling, VisitOpening
from verification.messages.registry_access import Purpose, ReadingFor


def visits_blueprint(desk: OwnRecordDesk, complaints: ComplaintDesk) -> Blueprint:
    """/v1/citizen-visits: what the officer at a counter does for a citizen who was verified."""
    blueprint = Blueprint("citizen_visits", __name__, url_prefix="/v1/citizen-visits")

    @blueprint.post("")
    def open_visit() -> ResponseReturnValue:
        return answer(desk.open(acting_officer(), read_body(VisitOpening).receipt), 201)

    @blueprint.get("/<visit>/record")
    def record(visit: str) -> ResponseReturnValue:
        return answer(desk.record(acting_officer(), visit))

    @blueprint.get("/<visit>/accesses")
    def accesses(visit: str) -> ResponseReturnValue:
        return answer(desk.accesses(acting_officer(), visit))

    @blueprint.post("/<visit>/complaints")
    def complain(visit: str) -> ResponseReturnValue:
        return answer(complaints.file(acting_officer(), visit, read_body(ComplaintFiling)), 201)

    return blueprint


def complaints_blueprint(desk: ComplaintDesk) -> Blueprint:
    """/v1/complaints, for those who answer."""
    blueprint = Blueprint("complaints", __name__, url_prefix="/v1/complaints")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        state = request.args.get("state", "open")
        return page_answer(desk.listed(acting_officer(), state, read_page(LIST_KEY)))

    @blueprint.get("/<complaint>")
    def view(complaint: str) -> ResponseReturnValue:
        return answer(desk.view(acting_officer(), complaint))

    @blueprint.post("/<complaint>/answer")
    def give_answer(complaint: str) -> ResponseReturnValue:
        return answer(desk.answer(acting_officer(), complaint, read_body(ComplaintAnswering)))

    return blueprint


def complaint_status_blueprint(desk: ComplaintDesk) -> Blueprint:
    """POST /v1/complaint-status, for the program that serves the public page."""
    blueprint = Blueprint("complaint_status", __name__, url_prefix="/v1/complaint-status")

    @blueprint.post("")
    def status() -> ResponseReturnValue:
        return answer(desk.of_receipt(read_body(ReceiptQuestion).code))

    return blueprint


def reading_of_request() -> ReadingFor:
    """For whom the request at hand reads the registry: its officer, or a program that takes captures in."""
    officer: Officer | None = g.get("officer") if has_request_context() else None
    if officer is None:
        return ReadingFor(purpose=Purpose.CAPTURE)
    return ReadingFor(
        purpose=Purpose.CAPTURE,
        unit=officer.unit,
        roles=",".join(sorted(officer.roles)),
        officer=officer.id,
    )
