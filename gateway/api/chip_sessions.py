"""The gateway's own commands for the chip, to be relayed by an agent."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer, read_message
from gateway.api.guards import caller
from gateway.services.chip_session import ChipSessions
from verification.messages.verification_session import ChipSessionRequest


def chip_sessions_blueprint(chip_sessions: ChipSessions) -> Blueprint:
    """POST of a chip session, for agents."""
    blueprint = Blueprint("chip_sessions", __name__, url_prefix="/v1/verification-sessions")

    @blueprint.post("/<session_id>/chip-session")
    def begin_chip_session(session_id: str) -> ResponseReturnValue:
        return answer(chip_sessions.begin(caller(), session_id, read_message(ChipSessionRequest)))

    return blueprint
