"""The one page that is open to all: where the application of a slip stands, in the citizen's words."""

from __future__ import annotations

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.refusals import BackendRefused, BackendUnavailable
from enrollment_admin.ui.pages import page
from enrollment_admin.unit_names import UnitNames
from verification.messages.application_status import ApplicationStatus, ReceiptQuestion, Stage
from verification.messages.citizen_access import ComplaintStatus

PER_ADDRESS, IN_ALL = 30, 1200
"""Questions a minute: many homes share one address, and one process answers this many without haste."""

WAY = (Stage.CHECKING, Stage.BEING_MADE, Stage.ON_THE_WAY, Stage.READY, Stage.HANDED_OVER)
"""The stages that an application goes through when nothing is in its way."""

_MAX_TYPED = 80
_UNKNOWN = "RECEIPT_UNKNOWN"


def public_status_blueprint(backend: BackendClient) -> Blueprint:
    """/status, by the code that is typed or scanned; ``backend`` asks with this page's own token."""
    blueprint = Blueprint("public_status", __name__)
    names = UnitNames(lambda: backend)

    @blueprint.get("/status")
    def status() -> ResponseReturnValue:
        typed = request.args.get("code", "").replace("\0", "")[:_MAX_TYPED].strip()
        return _answered(backend, names, typed) if typed else _page("")

    @blueprint.errorhandler(TooManyRequests)
    def too_often(fault: TooManyRequests) -> ResponseReturnValue:
        answer = make_response(_page("", 429, code="RECEIPT_ASKED_TOO_OFTEN"))
        answer.headers["Retry-After"] = str(fault.retry_after)
        return answer

    return blueprint


def _answered(backend: BackendClient, names: UnitNames, typed: str) -> ResponseReturnValue:
    try:
        told = _asked(backend, ReceiptQuestion(typed))
    except BackendRefused as fault:
        return _page(typed, fault.status, code=fault.answered_code)
    except BackendUnavailable as fault:
        return _page(typed, 503, code=fault.code)
    office = names.name(told.unit) if told.unit else ""
    if isinstance(told, ComplaintStatus):
        return page("complaint_status.html", typed=typed, told=told, office=office)
    return _page(typed, told=told, office=office)


def _asked(backend: BackendClient, question: ReceiptQuestion) -> ApplicationStatus | ComplaintStatus:
    """What the code is of: an application, or else a complaint."""
    try:
        return backend.ask("POST", "/v1/application-status", ApplicationStatus, question)
    except BackendRefused as fault:
        if fault.answered_code != _UNKNOWN:
            raise
    return backend.ask("POST", "/v1/complaint-status", ComplaintStatus, question)


def _page(
    typed: str,
    status: int = 200,
    *,
    told: ApplicationStatus | None = None,
    office: str = "",
    code: str | None = None,
) -> ResponseReturnValue:
    return page("status.html", status, typed=typed, told=told, office=office, code=code, way=WAY)
