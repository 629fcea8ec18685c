"""Signing in and out over HTTP, and the guard of everything that officers do."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from issuance_backend.http_body import answer, page_answer, read_body, read_page
from issuance_backend.officers.certificate_repository import LIST_KEY
from issuance_backend.officers.certification import SOON, CertificationDesk
from issuance_backend.officers.domain import Officer
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.service_tokens import bearer_token
from verification.messages.enrollment import OfficerCredentials
from verification.messages.officer_certificates import CertificateGrant, CertificateWithdrawal


def sign_in_blueprint(door: OfficerDoor) -> Blueprint:
    """POST /v1/officer-sessions; anybody may knock."""
    blueprint = Blueprint("officer_sign_in", __name__, url_prefix="/v1/officer-sessions")

    @blueprint.post("")
    def sign_in() -> ResponseReturnValue:
        return answer(door.sign_in(read_body(OfficerCredentials)), 201)

    return blueprint


def sign_out_blueprint(door: OfficerDoor) -> Blueprint:
    """DELETE /v1/officer-sessions/current."""
    blueprint = Blueprint("officer_sign_out", __name__, url_prefix="/v1/officer-sessions/current")

    @blueprint.delete("")
    def sign_out() -> ResponseReturnValue:
        door.sign_out(bearer_token())
        return "", 204

    return blueprint


def certificates_blueprint(desk: CertificationDesk) -> Blueprint:
    """/v1/officer-certificates: who is certified to capture, and whose certificates end."""
    blueprint = Blueprint("officer_certificates", __name__, url_prefix="/v1/officer-certificates")

    @blueprint.get("")
    def ending() -> ResponseReturnValue:
        days = request.args.get("within", str(SOON))
        within = int(days) if days.isascii() and days.isdecimal() and len(days) < 5 else -1
        return page_answer(desk.ending(acting_officer(), within, read_page(LIST_KEY)))

    @blueprint.post("")
    def certify() -> ResponseReturnValue:
        return answer(desk.certify(acting_officer(), read_body(CertificateGrant)), 201)

    @blueprint.post("/<officer>/withdrawal")
    def withdraw(officer: str) -> ResponseReturnValue:
        return answer(desk.withdraw(acting_officer(), officer, read_body(CertificateWithdrawal)))

    return blueprint


def require_officer(door: OfficerDoor) -> Callable[[], None]:
    """A guard that lets only officers pass who are signed in; raises OfficerSessionEnded."""

    def guard() -> None:
        g.officer = door.officer(bearer_token())

    return guard


def acting_officer() -> Officer:
    """The officer whom the guard let pass."""
    officer: Officer = g.officer
    return officer
