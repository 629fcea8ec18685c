"""Life events over HTTP: reported by one role, read by another."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.population_registry.life_events.service import LifeEventOffice
from issuance_backend.service_tokens import calling_service
from verification.messages.life_event import Correction, CorrectionReport, LifeEventReport

CORRECT_ROLE = "person.correct"
"""May report that a record is wrong, and no other event of a life."""


def reports_blueprint(office: LifeEventOffice) -> Blueprint:
    """POST /v1/life-event-reports."""
    blueprint = Blueprint("life_event_reports", __name__, url_prefix="/v1/life-event-reports")

    @blueprint.post("")
    def report() -> ResponseReturnValue:
        return answer(office.report(calling_service().name, read_body(LifeEventReport)), 201)

    return blueprint


def corrections_blueprint(office: LifeEventOffice) -> Blueprint:
    """POST /v1/person-corrections."""
    blueprint = Blueprint("person_corrections", __name__, url_prefix="/v1/person-corrections")

    @blueprint.post("")
    def correct() -> ResponseReturnValue:
        said = read_body(CorrectionReport)
        report = LifeEventReport(
            report_id=said.report_id,
            occurred_on=said.occurred_on,
            document=said.document,
            officer=said.officer,
            event=Correction(said.citizen_number, said.attributes),
        )
        return answer(office.report(calling_service().name, report), 201)

    return blueprint


def life_events_blueprint(office: LifeEventOffice) -> Blueprint:
    """GET /v1/life-events/{id}, for programs that were told of one."""
    blueprint = Blueprint("life_events", __name__, url_prefix="/v1/life-events")

    @blueprint.get("/<event>")
    def view(event: str) -> ResponseReturnValue:
        return answer(office.view(event))

    return blueprint
