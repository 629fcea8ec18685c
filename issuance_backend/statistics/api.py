"""Figures over HTTP: for officers to read; targets, set by leaders and by the planning service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.service_tokens import calling_service
from issuance_backend.statistics.printed_report import as_pdf
from issuance_backend.statistics.record_check import RecordCheckDesk
from issuance_backend.statistics.service import Asked, Period, StatisticsOffice, end_of_day
from issuance_backend.statistics.spreadsheet import as_xlsx
from issuance_backend.statistics.tabulation import as_csv
from issuance_backend.statistics.target_desk import TargetDesk
from verification.errors import FieldsRefused
from verification.messages.statistics import NewTarget, NewTargets, Report, TextToCheck

TARGETS_ROLE = "statistics.targets"
"""May set what is to be reached."""

_EXPORTS: dict[str, tuple[Callable[[Report], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pdf": (as_pdf, "application/pdf"),
}


def statistics_blueprint(office: StatisticsOffice, checks: RecordCheckDesk) -> Blueprint:
    """/v1/statistics."""
    blueprint = Blueprint("statistics", __name__, url_prefix="/v1/statistics")

    @blueprint.get("/definitions")
    def definitions() -> ResponseReturnValue:
        return answer(office.definitions())

    @blueprint.get("/report")
    def report() -> ResponseReturnValue:
        return answer(office.report(_asked()))

    @blueprint.get("/report.<any(csv, xlsx, pdf):form>")
    def export(form: str) -> ResponseReturnValue:
        made, content_type = _EXPORTS[form]
        found = office.report(_asked())
        response = Response(made(found), content_type=content_type)
        name = f"report-{found.unit or 'nation'}-{found.version}.{form}"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.get("/records")
    def records() -> ResponseReturnValue:
        return page_answer(office.records(_asked(), request.args.get("figure", ""), read_page(1)))

    @blueprint.get("/returns")
    def returns() -> ResponseReturnValue:
        return answer(office.returns(acting_officer(), _asked()))

    @blueprint.get("/record-check")
    def record_check() -> ResponseReturnValue:
        return answer(checks.last())

    @blueprint.post("/text-checks")
    def check_text() -> ResponseReturnValue:
        return answer(office.check_text(read_body(TextToCheck)))

    return blueprint


def own_targets_blueprint(desk: TargetDesk) -> Blueprint:
    """POST /v1/statistics/targets, for whoever leads."""
    blueprint = Blueprint("own_targets", __name__, url_prefix="/v1/statistics/targets")

    @blueprint.post("")
    def set_target() -> ResponseReturnValue:
        return answer(desk.set_by_officer(acting_officer(), read_body(NewTarget)), 201)

    return blueprint


def targets_blueprint(desk: TargetDesk) -> Blueprint:
    """POST /v1/statistics-targets, for the planning service."""
    blueprint = Blueprint("statistics_targets", __name__, url_prefix="/v1/statistics-targets")

    @blueprint.post("")
    def set_targets() -> ResponseReturnValue:
        return answer(desk.set_by_program(read_body(NewTargets).targets, calling_service().name), 201)

    return blueprint


def _asked() -> Asked:
    """What the request's parameters ask for; raises FieldsRefused."""
    period = request.args.get("period", Period.DAY.value)
    if period not in set(Period):
        raise FieldsRefused({"period": "FIELD_CHARACTERS"})
    unit = request.args.get("unit", "")
    return Asked(unit=unit, as_of=_moment(request.args.get("as_of")), period=Period(period))


def _moment(text: str | None) -> datetime | None:
    """A moment with its zone, or a day, which means its end in Viet Nam."""
    if text is None:
        return None
    try:
        if len(text) == 10:
            return end_of_day(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise FieldsRefused({"as_of": "FIELD_DATE"}) from None
    if moment.tzinfo is None:
        raise FieldsRefused({"as_of": "FIELD_DATE"})
    return moment
