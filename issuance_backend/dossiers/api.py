"""Dossiers over HTTP, for officers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.dossiers.approval_lists.repository import LIST_KEY as LISTS_KEY
from issuance_backend.dossiers.repository import LIST_KEY
from issuance_backend.dossiers.service import ApplicationOffice
from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.officers.domain import Officer
from verification.errors import FieldsRefused
from verification.messages.approval_list import ListApproval, SignedApproval
from verification.messages.dossier_decisions import CaseHold, LookupAnswer, LookupRequest, RejectionReason
from verification.messages.enrollment import DossierReturn, PortraitGate

Produce = Callable[[Officer, str], None]
"""Make, or make again, the card of an approved dossier."""


def prefill_blueprint(office: ApplicationOffice) -> Blueprint:
    """What a capture needs before it begins."""
    blueprint = Blueprint("prefill", __name__, url_prefix="/v1")

    @blueprint.get("/prefill/<citizen_number>")
    def prefill(citizen_number: str) -> ResponseReturnValue:
        return answer(office.captures.prefill(acting_officer(), citizen_number))

    @blueprint.get("/portrait-gate")
    def portrait_gate() -> ResponseReturnValue:
        return answer(PortraitGate(engine=office.captures.portrait_engine))

    return blueprint


def dossiers_blueprint(office: ApplicationOffice) -> Blueprint:
    """/v1/dossiers: looking."""
    blueprint = Blueprint("dossiers", __name__, url_prefix="/v1/dossiers")

    @blueprint.get("")
    def work_list() -> ResponseReturnValue:
        state = request.args.get("state", "")
        unchecked = request.args.get("unchecked", "false")
        if unchecked not in {"true", "false"}:
            raise FieldsRefused({"unchecked": "FIELD_CHARACTERS"})
        asked = read_page(LIST_KEY)
        found = office.work_list(acting_officer(), state, asked, unchecked=unchecked == "true")
        return page_answer(found)

    @blueprint.get("/<dossier>")
    def view(dossier: str) -> ResponseReturnValue:
        return answer(office.view(acting_officer(), dossier))

    @blueprint.get("/<dossier>/portrait.jpg")
    def portrait(dossier: str) -> ResponseReturnValue:
        picture = Response(office.portrait(acting_officer(), dossier), content_type="image/jpeg")
        picture.headers["Cache-Control"] = "no-store"
        return picture

    @blueprint.get("/<dossier>/hand_photos/<any(left,right):hand>.jpg")
    def hand_photo(dossier: str, hand: str) -> ResponseReturnValue:
        photo = office.hand_photo(acting_officer(), dossier, f"hand_photo_{hand}")
        picture = Response(photo, content_type="image/jpeg")
        picture.headers["Cache-Control"] = "no-store"
        return picture

    @blueprint.get("/<dossier>/candidates")
    def candidates(dossier: str) -> ResponseReturnValue:
        return answer(office.candidates.look(acting_officer(), dossier))

    return blueprint


def decisions_blueprint(office: ApplicationOffice, produce: Produce) -> Blueprint:
    """What officers decide on one dossier; every answer is the dossier as it stands then."""
    blueprint = Blueprint("dossier_decisions", __name__, url_prefix="/v1/dossiers/<dossier>")

    def stands(dossier: str) -> ResponseReturnValue:
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/check")
    def check(dossier: str) -> ResponseReturnValue:
        office.checks.check(acting_officer(), dossier)
        return stands(dossier)

    @blueprint.post("/central-approval")
    def approve_centrally(dossier: str) -> ResponseReturnValue:
        office.approvals.approve_centrally(acting_officer(), dossier)
        return stands(dossier)

    @blueprint.post("/return")
    def send_back(dossier: str) -> ResponseReturnValue:
        office.approvals.send_back(acting_officer(), dossier, read_body(DossierReturn))
        return stands(dossier)

    @blueprint.post("/withdrawal")
    def withdraw(dossier: str) -> ResponseReturnValue:
        office.captures.withdraw(acting_officer(), dossier)
        return stands(dossier)

    @blueprint.post("/production")
    def production(dossier: str) -> ResponseReturnValue:
        produce(acting_officer(), dossier)
        return stands(dossier)

    return blueprint


def approval_lists_blueprint(office: ApplicationOffice) -> Blueprint:
    """/v1/approval-lists: what was approved in one act, signed; nothing changes a list."""
    blueprint = Blueprint("approval_lists", __name__, url_prefix="/v1/approval-lists")

    @blueprint.post("/preparations")
    def prepare() -> ResponseReturnValue:
        return answer(office.approvals.prepare(acting_officer(), read_body(ListApproval).dossiers), 201)

    @blueprint.post("")
    def approve() -> ResponseReturnValue:
        signed = office.approvals.approve(acting_officer(), read_body(SignedApproval))
        return answer(office.lists.view(acting_officer(), signed), 201)

    @blueprint.get("")
    def lists() -> ResponseReturnValue:
        return page_answer(office.lists.lists(acting_officer(), read_page(LISTS_KEY)))

    @blueprint.get("/<approval_list>")
    def view(approval_list: str) -> ResponseReturnValue:
        return answer(office.lists.view(acting_officer(), approval_list))

    return blueprint


def lookups_blueprint(office: ApplicationOffice) -> Blueprint:
    """/v1/dossiers/<dossier>/archive-lookup: asked, approved by territory, answered."""
    prefix = "/v1/dossiers/<dossier>/archive-lookup"
    blueprint = Blueprint("archive_lookups", __name__, url_prefix=prefix)

    @blueprint.post("")
    def ask(dossier: str) -> ResponseReturnValue:
        office.archive.ask(acting_officer(), dossier, read_body(LookupRequest))
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/approval")
    def approve(dossier: str) -> ResponseReturnValue:
        office.archive.approve(acting_officer(), dossier)
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/result")
    def result(dossier: str) -> ResponseReturnValue:
        office.archive.answer(acting_officer(), dossier, read_body(LookupAnswer))
        return answer(office.view(acting_officer(), dossier))

    return blueprint


def legal_blueprint(office: ApplicationOffice) -> Blueprint:
    """What the law stops: rejection by two officers, and holds of a case."""
    blueprint = Blueprint("dossier_holds", __name__, url_prefix="/v1/dossiers/<dossier>")

    @blueprint.post("/rejection")
    def propose(dossier: str) -> ResponseReturnValue:
        office.legal.propose_rejection(acting_officer(), dossier, read_body(RejectionReason))
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/rejection/confirmation")
    def confirm(dossier: str) -> ResponseReturnValue:
        office.legal.confirm_rejection(acting_officer(), dossier)
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/suspension")
    def suspend(dossier: str) -> ResponseReturnValue:
        office.legal.suspend(acting_officer(), dossier, read_body(CaseHold))
        return answer(office.view(acting_officer(), dossier))

    @blueprint.post("/resumption")
    def resume(dossier: str) -> ResponseReturnValue:
        office.legal.resume(acting_officer(), dossier, read_body(CaseHold))
        return answer(office.view(acting_officer(), dossier))

    return blueprint
