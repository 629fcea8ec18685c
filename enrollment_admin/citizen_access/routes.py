"""A citizen at the counter: their own record to print, who looked at it, a complaint; and its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.citizen_access import records_client
from enrollment_admin.refusals import BackendRefused
from enrollment_admin.reports.charts import Bar, bars
from enrollment_admin.sign_in.routes import officers_backend
from enrollment_admin.ui.pages import answer, outcome_of, page, refused, typed, wants_json
from verification.messages.citizen_access import (
    MOST_TEXT,
    Access,
    AttributeCorrection,
    ComplaintAbout,
    ComplaintAnswering,
    ComplaintFiling,
    ComplaintOutcome,
    ComplaintState,
)
from verification.messages.enrollment import PersonFields
from verification.messages.registry_records import RecordedAttribute

_ORDER = PersonFields.__struct_fields__
OUTCOMES = tuple(ComplaintOutcome)
STATES = tuple(ComplaintState)


def own_record_blueprint(backend: BackendClient) -> Blueprint:
    """/own-record, at the counter."""
    blueprint = Blueprint("own_record", __name__, url_prefix="/own-record")

    @blueprint.get("")
    def start() -> ResponseReturnValue:
        return page("own_record_start.html")

    @blueprint.post("")
    def open_visit() -> ResponseReturnValue:
        return _open(backend)

    @blueprint.get("/<visit>")
    def shown(visit: str) -> ResponseReturnValue:
        return _record_page(backend, visit)

    @blueprint.post("/<visit>/complaints")
    def complain(visit: str) -> ResponseReturnValue:
        return _complain(backend, visit)

    return blueprint


def complaints_blueprint(backend: BackendClient) -> Blueprint:
    """/complaints, for those who answer."""
    blueprint = Blueprint("complaints", __name__, url_prefix="/complaints")

    @blueprint.get("")
    def listed() -> ResponseReturnValue:
        state = request.args.get("state", ComplaintState.OPEN.value)
        found = records_client.complaints(officers_backend(backend), state, request.args.get("cursor"))
        following = found.cursor and url_for("complaints.listed", state=state, cursor=found.cursor)
        return page(
            "complaints.html", complaints=found.entries, state=state, states=STATES, following=following
        )

    @blueprint.get("/<complaint>")
    def shown(complaint: str) -> ResponseReturnValue:
        return _complaint_page(backend, complaint)

    @blueprint.post("/<complaint>/answer")
    def give_answer(complaint: str) -> ResponseReturnValue:
        return _answer(backend, complaint)

    return blueprint


def _open(backend: BackendClient) -> ResponseReturnValue:
    try:
        visit = records_client.open_visit(officers_backend(backend), typed("receipt"))
    except BackendRefused as fault:
        return refused(fault, url_for("own_record.start"))
    return answer(visit, url_for("own_record.shown", visit=visit.id), "done.visit_opened", 201)


def _record_page(
    backend: BackendClient, visit: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    officers = officers_backend(backend)
    looks = records_client.accesses(officers, visit)
    record = records_client.record(officers, visit)
    return page(
        "own_record.html",
        422 if faults else 200,
        visit=visit,
        record=record,
        attributes=sorted(record.attributes, key=_place),
        accesses=looks,
        drawn=_by_agency(looks),
        most=MOST_TEXT,
        faults=faults or {},
        typed=request.form,
    )


def _place(attribute: RecordedAttribute) -> int:
    """Where it stands on the page: in the order of the form, and what the form does not ask after that."""
    return _ORDER.index(attribute.name) if attribute.name in _ORDER else len(_ORDER)


def _by_agency(looks: Iterable[Access]) -> tuple[Bar, ...]:
    """How often each agency looked, the one that did most first."""
    return bars(Counter(each.agency for each in looks).most_common())


def _complain(backend: BackendClient, visit: str) -> ResponseReturnValue:
    about, _, reference = typed("subject").partition(":")
    if about not in set(ComplaintAbout):
        return _record_page(backend, visit, {"reference": "FIELD_MISSING"})
    filing = ComplaintFiling(about=ComplaintAbout(about), reference=reference, text=typed("text"))
    try:
        filed = records_client.file(officers_backend(backend), visit, filing)
    except BackendRefused as fault:
        if fault.fields and not wants_json():
            return _record_page(backend, visit, fault.fields)
        return refused(fault, url_for("own_record.shown", visit=visit))
    if wants_json():
        return answer(filed, "", "", 201)
    # Not a redirect: the code would stand in an address, which proxies write down.
    return page("complaint_slip.html", 201, visit=visit, filed=filed)


def _complaint_page(
    backend: BackendClient, complaint: str, faults: dict[str, str] | None = None
) -> ResponseReturnValue:
    return page(
        "complaint.html",
        422 if faults else 200,
        found=records_client.complaint(officers_backend(backend), complaint),
        outcomes=OUTCOMES,
        most=MOST_TEXT,
        faults=faults or {},
        typed=request.form,
    )


def _answer(backend: BackendClient, complaint: str) -> ResponseReturnValue:
    outcome = typed("outcome")
    if outcome not in OUTCOMES:
        return _complaint_page(backend, complaint, {"outcome": "FIELD_MISSING"})
    # With one of the two typed a correction was meant: what is missing is said before anything is answered.
    is_corrected = bool(typed("value") or typed("document"))
    correction = AttributeCorrection(typed("value"), typed("document")) if is_corrected else None
    said = ComplaintAnswering(
        outcome=ComplaintOutcome(outcome), answer=typed("answer"), correction=correction
    )
    return outcome_of(
        lambda: records_client.answer(officers_backend(backend), complaint, said),
        target=url_for("complaints.shown", complaint=complaint),
        done="done.complaint_answered",
        again=lambda faults: _complaint_page(backend, complaint, faults),
    )
