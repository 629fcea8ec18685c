"""POST /v1/campaign-plans."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from issuance_backend.campaign_planner.service import PlanningDesk
from issuance_backend.http_body import answer, read_body
from issuance_backend.officers.api import acting_officer
from verification.messages.campaign_plan import PlanRequest


def campaign_plans_blueprint(desk: PlanningDesk) -> Blueprint:
    """Plans for officers who lead a campaign; nothing is kept, every question is whole in itself."""
    blueprint = Blueprint("campaign_plans", __name__, url_prefix="/v1/campaign-plans")

    @blueprint.post("")
    def plan() -> ResponseReturnValue:
        return answer(desk.plan(acting_officer(), read_body(PlanRequest)))

    return blueprint
