"""The planning desk: one plan at a time, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading

import msgspec

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.refusals import PlanNotFound
from verification.errors import FieldsRefused
from verification.messages.campaign_plan import Plan, PlanRequest

PLAN_SECONDS = 45.0
"""Two solutions of at most twenty seconds each, and the start of a program."""

WAIT_SECONDS = 2.0
"""For the plan before: whoever waits longer keeps a thread of the server from everybody else."""

_COMMAND = (sys.executable, "-m", "issuance_backend.campaign_planner")


class _Refusal(msgspec.Struct):
    code: str = ""
    fields: dict[str, str] = {}


class PlanningDesk:
    """Answers what a campaign needs, and what it would need if something were otherwise."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    def plan(self, officer: Officer, request: PlanRequest) -> Plan:
        """The plan that leaves the fewest people without a card; raises FieldsRefused or PlanNotFound."""
        officer.require(Role.SUPERVISOR)
        if not self._one_at_a_time.acquire(timeout=WAIT_SECONDS):
            raise PlanNotFound("another plan is being made")
        try:
            made = subprocess.run(
                _COMMAND,
                input=msgspec.json.encode(request),
                capture_output=True,
                timeout=PLAN_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PlanNotFound("the plan was not made in its time") from None
        finally:
            self._one_at_a_time.release()
        if made.returncode != 0:
            raise _refused(made.stderr)
        try:
            return msgspec.json.decode(made.stdout, type=Plan)
        except msgspec.DecodeError:
            raise PlanNotFound("the planner's answer is no plan") from None


def _refused(said: bytes) -> FieldsRefused | PlanNotFound:
    try:
        refusal = msgspec.json.decode(said, type=_Refusal)
    except msgspec.DecodeError:
        return PlanNotFound("the planner stopped without an answer")
    return FieldsRefused(refusal.fields) if refusal.fields else PlanNotFound(refusal.code)
