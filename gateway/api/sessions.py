"""Opening a verification session, and asking where it stands."""

from __future__ import annotations

import hashlib
import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from gateway.api.bodies import answer, read_message
from gateway.api.guards import caller
from gateway.services.verification_desk import VerificationDesk
from verification.errors import RequestMalformed
from verification.messages.verification_session import SessionReceipt, SessionRequest

_IDEMPOTENCY_KEY = re.compile(r"[!-~]{16,128}")


def sessions_blueprint(desk: VerificationDesk) -> Blueprint:
    """POST and GET of sessions, for agents and partners."""
    blueprint = Blueprint("sessions", __name__, url_prefix="/v1/verification-sessions")

    @blueprint.post("")
    def open_session() -> ResponseReturnValue:
        wanted = read_message(SessionRequest)
        opened = desk.open(caller(), wanted, _idempotency_key(), _digest())
        response = answer(opened, 201)
        response.headers["Location"] = f"/v1/verification-sessions/{opened.id}"
        return response

    @blueprint.get("/<session_id>")
    def get_session(session_id: str) -> ResponseReturnValue:
        return answer(desk.status(caller(), session_id))

    @blueprint.get("/<session_id>/receipt")
    def get_receipt(session_id: str) -> ResponseReturnValue:
        return answer(SessionReceipt(session_id, desk.receipt(caller(), session_id)))

    return blueprint


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise RequestMalformed("Idempotency-Key is missing or not 16 to 128 printable characters")
    return key


def _digest() -> str:
    return hashlib.sha256(request.get_data()).hexdigest()
