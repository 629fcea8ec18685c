"""The search over HTTP: tasks of programs, investigations by warrant, cases for examiners."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.biometric_search.examiners_desk import ExaminersDesk
from issuance_backend.biometric_search.refusals import CasePrintUnknown
from issuance_backend.biometric_search.repository import INVESTIGATION_KEY
from issuance_backend.biometric_search.service import CARD_OFFICE, CRIME_BUREAU, Caller, SearchDesk
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.service_tokens import calling_service
from verification.errors import LimitExceeded, RequestMalformed
from verification.messages.biometric_search import (
    MAX_TASK_BYTES,
    BaitCase,
    CaseDecision,
    InvestigationSearch,
    SearchRequest,
)

TASK_ROLE = "search.task"
"""May enrol, search, verify and remove in the galleries of the card office."""

CRIME_ROLE = "search.crime"
"""May enrol and remove in the galleries of crimes; to search them takes an officer and a warrant."""

SEARCH_ROLES = (TASK_ROLE, CRIME_ROLE)


def tasks_blueprint(desk: SearchDesk) -> Blueprint:
    """/v1/search-tasks and /v1/galleries, for programs."""
    blueprint = Blueprint("search_tasks", __name__, url_prefix="/v1")

    @blueprint.get("/galleries")
    def galleries() -> ResponseReturnValue:
        return answer(desk.galleries(_caller()))

    @blueprint.post("/search-tasks")
    def submit() -> ResponseReturnValue:
        return answer(desk.submit(_caller(), _search_request()), 202)

    @blueprint.get("/search-tasks/<task_id>")
    def task(task_id: str) -> ResponseReturnValue:
        return answer(desk.task(_caller(), task_id))

    return blueprint


def investigations_blueprint(desk: SearchDesk) -> Blueprint:
    """/v1/investigations, for officers with a warrant."""
    blueprint = Blueprint("investigations", __name__, url_prefix="/v1/investigations")

    @blueprint.post("")
    def investigate() -> ResponseReturnValue:
        return answer(desk.investigate(acting_officer(), read_body(InvestigationSearch)), 202)

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        return page_answer(desk.investigations(acting_officer(), read_page(INVESTIGATION_KEY)))

    @blueprint.get("/<task_id>")
    def investigation(task_id: str) -> ResponseReturnValue:
        return answer(desk.investigation(acting_officer(), task_id))

    @blueprint.post("/<task_id>/release")
    def release(task_id: str) -> ResponseReturnValue:
        return answer(desk.release(acting_officer(), task_id))

    return blueprint


def adjudication_blueprint(desk: ExaminersDesk) -> Blueprint:
    """/v1/adjudication-cases, for examiners and whoever leads them."""
    blueprint = Blueprint("adjudication", __name__, url_prefix="/v1/adjudication-cases")

    @blueprint.get("/next")
    def next_case() -> ResponseReturnValue:
        case = desk.next_case(acting_officer())
        return answer(case) if case else ("", 204)

    @blueprint.get("/figures")
    def figures() -> ResponseReturnValue:
        return answer(desk.figures(acting_officer()))

    @blueprint.post("/baits")
    def lay_bait() -> ResponseReturnValue:
        desk.lay_bait(acting_officer(), read_body(BaitCase))
        return "", 204

    @blueprint.get("/<case_id>")
    def view(case_id: str) -> ResponseReturnValue:
        return answer(desk.view(acting_officer(), case_id))

    @blueprint.get("/<case_id>/<side>.jpg")
    def picture(case_id: str, side: str) -> ResponseReturnValue:
        shown = Response(desk.picture(acting_officer(), case_id, side), content_type="image/jpeg")
        shown.headers["Cache-Control"] = "no-store"
        return shown

    @blueprint.get("/<case_id>/prints/<position>/<side>.png")
    def finger(case_id: str, position: str, side: str) -> ResponseReturnValue:
        picture = desk.finger(acting_officer(), case_id, _position(position), side)
        shown = Response(picture, content_type="image/png")
        shown.headers["Cache-Control"] = "no-store"
        return shown

    @blueprint.post("/<case_id>/decision")
    def decide(case_id: str) -> ResponseReturnValue:
        return answer(desk.decide(acting_officer(), case_id, read_body(CaseDecision)))

    return blueprint


def _position(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 2):
        raise CasePrintUnknown("no number of a finger")
    return int(text)


def _caller() -> Caller:
    service = calling_service()
    kinds = CARD_OFFICE if TASK_ROLE in service.roles else frozenset()
    if CRIME_ROLE in service.roles:
        kinds |= CRIME_BUREAU
    return Caller(service.name, kinds)


def _search_request() -> SearchRequest:
    """The body as one of the four operations; raises LimitExceeded, RequestMalformed. Neither quotes it."""
    if request.mimetype != "application/json":
        raise RequestMalformed("the body is not application/json")
    body = request.get_data(cache=False)
    if len(body) > MAX_TASK_BYTES:
        raise LimitExceeded(f"a task of {len(body)} bytes")
    try:
        asked: SearchRequest = msgspec.json.decode(body, type=SearchRequest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RequestMalformed("the body is no operation on a gallery") from None
    return asked
