"""Handing over evidence; the answer is the decision and its receipt."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer, read_message
from gateway.api.guards import caller
from gateway.services.verification_desk import VerificationDesk
from verification.messages.evidence import MAX_EVIDENCE_BYTES, Evidence


def evidence_blueprint(desk: VerificationDesk) -> Blueprint:
    """PUT of evidence, for agents."""
    blueprint = Blueprint("evidence", __name__, url_prefix="/v1/verification-sessions")

    @blueprint.put("/<session_id>/evidence")
    def put_evidence(session_id: str) -> ResponseReturnValue:
        evidence = read_message(Evidence, MAX_EVIDENCE_BYTES)
        return answer(desk.decide(caller(), session_id, evidence, request.get_data()))

    return blueprint
