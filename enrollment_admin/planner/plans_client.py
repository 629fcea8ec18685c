"""What the planning page asks of the backend."""

from __future__ import annotations

from datetime import date

from enrollment_admin.backend_client import BackendClient
from enrollment_admin.planner.measured_pace import Measured, measured
from enrollment_admin.reports import statistics_client
from verification.messages.campaign_plan import Plan, PlanRequest

PLAN_SECONDS = 60.0
"""A backend that finds no plan in its own time says so within this."""


def plan(backend: BackendClient, request: PlanRequest) -> Plan:
    """The plan that leaves the fewest people without a card."""
    return backend.ask("POST", "/v1/campaign-plans", Plan, request, PLAN_SECONDS)


def measured_now(backend: BackendClient, today: date) -> tuple[Measured, ...]:
    """What the figures of this month and the targets say about every area."""
    return measured(statistics_client.report(backend, {"period": "month"}), today)
