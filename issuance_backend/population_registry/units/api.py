"""GET /v1/units: the map of any day."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, read_body
from issuance_backend.moments import Clock
from issuance_backend.population_registry.units.service import UnitOffice
from verification.errors import FieldsRefused
from verification.messages.dc01 import OfficerCount
from verification.messages.national_time import vietnam_date

UNITS_ROLE = "units.read"
"""May look at the map."""

COUNT_ROLE = "units.count"
"""May say how many officers serve where."""


def units_blueprint(office: UnitOffice, clock: Clock) -> Blueprint:
    """The units below another on a day, the line of a code on a day, communes with too few officers."""
    blueprint = Blueprint("units", __name__, url_prefix="/v1/units")

    def day() -> date:
        text = request.args.get("on")
        try:
            return vietnam_date(clock()) if text is None else date.fromisoformat(text)
        except ValueError:
            raise FieldsRefused({"on": "FIELD_DATE"}) from None

    @blueprint.get("")
    def under() -> ResponseReturnValue:
        return answer(office.under(request.args.get("parent", ""), day()))

    @blueprint.get("/<code>/line")
    def line(code: str) -> ResponseReturnValue:
        return answer(office.line(code, day()))

    @blueprint.get("/understaffed")
    def understaffed() -> ResponseReturnValue:
        return answer(office.understaffed(request.args.get("area", ""), day()))

    return blueprint


def unit_names_blueprint(office: UnitOffice) -> Blueprint:
    """What a unit was called, and from when until when."""
    blueprint = Blueprint("unit_names", __name__, url_prefix="/v1/units")

    @blueprint.get("/<code>/names")
    def names(code: str) -> ResponseReturnValue:
        return answer(office.versions(code))

    return blueprint


def counts_blueprint(office: UnitOffice) -> Blueprint:
    """POST /v1/officer-counts/{code}."""
    blueprint = Blueprint("officer_counts", __name__, url_prefix="/v1/officer-counts")

    @blueprint.post("/<code>")
    def count(code: str) -> ResponseReturnValue:
        said = read_body(OfficerCount)
        office.count_officers(code, said.counted_on, said.officers, said.officer)
        return "", 204

    return blueprint
