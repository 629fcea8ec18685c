"""The officers' work with the registry over HTTP, for those who are signed in."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_page
from issuance_backend.officers.api import acting_officer
from issuance_backend.registry_work.indices import IndexOffice


def indices_blueprint(office: IndexOffice) -> Blueprint:
    """/v1/registry-indices: đúng, đủ, sạch, sống of a unit, and the forms that fail one of them."""
    blueprint = Blueprint("registry_indices", __name__, url_prefix="/v1/registry-indices")

    @blueprint.get("")
    def indices() -> ResponseReturnValue:
        return answer(office.indices(acting_officer(), *_area_and_day()))

    @blueprint.get("/<index>/failing")
    def failing(index: str) -> ResponseReturnValue:
        return page_answer(office.failing(acting_officer(), index, *_area_and_day(), read_page(1)))

    return blueprint


def _area_and_day() -> tuple[str | None, str | None]:
    return request.args.get("area"), request.args.get("on")
