"""GET /v1/unit-names/{code}, for officers' pages."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer
from issuance_backend.unit_names.registry_map import UnitMap


def unit_names_blueprint(units: UnitMap) -> Blueprint:
    """What a unit was called, and from when until when."""
    blueprint = Blueprint("unit_names", __name__, url_prefix="/v1/unit-names")

    @blueprint.get("/<code>")
    def names(code: str) -> ResponseReturnValue:
        return answer(units.names(code))

    return blueprint
